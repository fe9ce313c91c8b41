//! What a user is told: how bad it is, at which attribute, the cause and the remedy. It never holds a value.

use hpcr_contract::error::ContractError;

use crate::protocol::{self, AttributePath, Selector, Severity};
use crate::value::path::{Path, Step};

/// How far Terraform is with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Validate,
    Plan,
    Apply,
}

/// One thing that is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) is_error: bool,
    /// What it is about, in a few words: the same for all of its kind.
    pub(crate) summary: String,
    /// Cause and remedy.
    pub(crate) detail: String,
    /// Where; empty for the whole.
    pub(crate) path: Path,
    /// Before this stage it stops nothing: what is wrong may not matter, or be mended until then.
    pub(crate) since: Stage,
}

impl Diagnostic {
    /// What stops.
    pub(crate) fn error(path: Path, summary: &str, detail: impl Into<String>) -> Self {
        Self {
            is_error: true,
            summary: summary.to_owned(),
            detail: detail.into(),
            path,
            since: Stage::Validate,
        }
    }

    /// The same, a warning before a stage.
    #[must_use]
    pub(crate) fn since(mut self, stage: Stage) -> Self {
        self.since = stage;
        self
    }

    /// What stops nothing.
    pub(crate) fn warning(path: Path, summary: &str, detail: impl Into<String>) -> Self {
        Self {
            is_error: false,
            ..Self::error(path, summary, detail)
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + self.summary.len() + self.detail.len() + self.path.to_string().len()
    }

    /// An error of the core at an attribute.
    pub(crate) fn of(error: &ContractError, path: Path) -> Self {
        let text = error.to_string();
        let (cause, remedy) = text.split_once("; ").unwrap_or((&text, ""));
        let summary = format!("{}: {cause}", error.code());
        Self::error(path, &summary, sentence(remedy))
    }
}

/// A text with a capital at its start and a full stop at its end.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase).into_iter().flatten();
    let mut sentence: String = first.chain(letters).collect();
    if !sentence.is_empty() && !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// What is told at a stage: what stops only later is a warning yet.
pub(crate) fn at(stage: Stage, mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    for diagnostic in &mut found {
        diagnostic.is_error &= diagnostic.since <= stage;
    }
    found
}

/// Whether anything among them stops.
pub(crate) fn stops(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.is_error)
}

impl From<Diagnostic> for protocol::Diagnostic {
    fn from(from: Diagnostic) -> Self {
        let severity = if from.is_error {
            Severity::Error
        } else {
            Severity::Warning
        };
        let is_whole = from.path.0.is_empty();
        let place = from.path.to_string();
        let detail = if from.path.0.len() > 1 && !from.detail.contains(&place) {
            format!("{}\n\nAt {place}.", from.detail)
        } else {
            from.detail
        };
        Self {
            severity: severity.into(),
            summary: from.summary,
            detail,
            attribute: (!is_whole).then(|| from.path.into()),
        }
    }
}

/// Terraform finds the line of an attribute, and of an entry in its value, but of nothing deeper: with a longer path it
/// would show the resource as a whole. The whole path stands in the text (see above).
impl From<Path> for AttributePath {
    fn from(path: Path) -> Self {
        let step = |(number, step)| {
            let selector = match step {
                Step::Attribute(name) if number == 0 => Selector::Attribute(name),
                Step::Attribute(key) | Step::Key(key) => Selector::Key(key),
                Step::Index(index) => Selector::Index(index),
            };
            protocol::Step {
                selector: Some(selector),
            }
        };
        Self {
            steps: path.0.into_iter().take(2).enumerate().map(step).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_of_a_part_names_the_whole_way_to_it_once() {
        let told = |path, detail: &str| {
            let told = Diagnostic::error(path, "It is wrong", detail);
            protocol::Diagnostic::from(told).detail
        };
        let volume = || Path::of("volumes").key("data");
        assert_eq!(
            told(volume(), "Mend it."),
            "Mend it.\n\nAt volumes[\"data\"]."
        );
        let said = "Mend it.\n\nAt volumes[\"data\"] -> a file.";
        assert_eq!(told(volume(), said), said);
        assert_eq!(told(Path::of("volumes"), "Mend it."), "Mend it.");
    }
}
