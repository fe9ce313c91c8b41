//! Findings as people and programs read them. Whatever a contract holds is hostile text here: it cannot move the cursor
//! of the terminal that it is printed on, nor end the command that a runner reads.

use hpcr_contract::finding::Finding;
use serde_json::{Map, Value};

use crate::arguments::Format;
use crate::failure::Failure;
use crate::output::{self, Output};

mod github;
mod json;
mod sarif;
mod snippet;
mod text;

/// How a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// The verdict is bad.
    Error,
    /// It should be looked at.
    Warning,
}

impl Severity {
    /// The word that all formats share.
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// All that is to be said of one input.
#[derive(Debug)]
pub(crate) struct Report {
    /// What the user called it.
    pub(crate) name: String,
    /// The findings, errors first.
    pub(crate) findings: Vec<(Severity, Finding)>,
    /// The verdict in words, for people.
    pub(crate) verdict: String,
    /// Further members of the JSON object.
    pub(crate) facts: Map<String, Value>,
    /// Lines of the input by place.
    pub(crate) lines: Lines,
}

/// The lines that findings lie on, where they can be shown.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<Option<zeroize::Zeroizing<String>>>);

impl Report {
    /// Whether nothing is an error.
    pub(crate) fn is_good(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|(found, _)| *found == severity).count()
    }

    /// Writes it as a result.
    pub(crate) fn write(&self, format: Format, output: &Output) -> Result<(), Failure> {
        match format {
            Format::Text => output.coloured(&text::report(self)),
            Format::Json => output.json(&json::report(self)),
            Format::Sarif => output.json(&sarif::report(self)),
            Format::Github => {
                output::message(&format!("{}: {}", plain(&self.name), self.verdict));
                output.coloured(&github::report(self))
            }
        }
    }

    /// Tells it as a message, beside a result of another kind or in its place.
    pub(crate) fn tell(&self) {
        if !self.findings.is_empty() {
            output::message(text::report(self).trim_end());
        }
    }
}

/// A text without characters that control a terminal or turn the direction of what follows.
fn plain(text: &str) -> String {
    let controls = |letter: char| {
        letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if controls(letter) { '\u{fffd}' } else { letter }).collect()
}
