//! Findings as people and programs read them. Whatever a contract holds is hostile text here: it cannot move the cursor
//! of the terminal that it is printed on, nor end the command that a runner reads.

use std::collections::BTreeSet;

use hpcr_contract::finding::{Finding, Level, Place};
use hpcr_contract::sources::Sources;
use serde_json::{Map, Value};

use crate::Verdict;
use crate::arguments::Format;
use crate::failure::Failure;
use crate::input::STANDARD;
use crate::output::{self, Output, plain, plain_lines};

mod github;
mod json;
mod sarif;
mod snippet;
mod text;

/// How a finding counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The verdict is bad.
    Error,
    /// It should be looked at.
    Warning,
    /// It should be known.
    Note,
}

impl Severity {
    /// What a level comes to; the strict take no warning.
    pub(crate) fn of(level: Level, strict: bool) -> Self {
        match level {
            Level::Note => Self::Note,
            Level::Warning | Level::Limit if !strict => Self::Warning,
            Level::Warning | Level::Limit | Level::Error => Self::Error,
        }
    }

    /// The word that all formats share.
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// All that is to be said of one input.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What the user called it.
    pub(crate) name: String,
    /// The findings.
    pub(crate) findings: Vec<Finding>,
    /// Warnings count as errors.
    pub(crate) strict: bool,
    /// The verdict in words where there is no error.
    pub(crate) verdict: String,
    /// The verdict in words where there is one; "not valid" if left out.
    pub(crate) refusal: Option<&'static str>,
    /// What was looked at, line by line, for people.
    pub(crate) notes: Vec<String>,
    /// Further members of the JSON object.
    pub(crate) facts: Map<String, Value>,
    /// The texts that findings lie in.
    pub(crate) sources: Sources,
    /// What places call a file and is none: who a certificate is of, a guest, a contract that is not written.
    pub(crate) subjects: BTreeSet<String>,
}

impl Report {
    /// Findings about a file.
    pub(crate) fn about(name: &str, findings: Vec<Finding>) -> Self {
        Self {
            name: name.to_owned(),
            findings,
            ..Self::default()
        }
    }

    /// Tells what keeps a command from its result.
    pub(crate) fn refuse(name: &str, findings: Vec<Finding>) -> Verdict {
        Self::about(name, findings).tell();
        Verdict::Bad
    }

    /// Whether nothing is an error.
    pub(crate) fn is_good(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// The verdict in words, with the number of what was found.
    fn summary(&self) -> String {
        let of = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        let mut words = match self.count(Severity::Error) {
            0 => self.verdict.clone(),
            errors => {
                let refusal = self.refusal.unwrap_or("not valid");
                format!("{refusal}: {}", of(errors, "error"))
            }
        };
        for severity in [Severity::Warning, Severity::Note] {
            let count = self.count(severity);
            if count > 0 {
                words += "; ";
                words += &of(count, severity.name());
            }
        }
        format!("{}: {words}", plain(&self.name))
    }

    /// The findings, errors first, otherwise in their order.
    fn told(&self) -> impl Iterator<Item = (Severity, &Finding)> {
        let of = |wanted| {
            let severity = |finding: &Finding| Severity::of(finding.level, self.strict);
            let found = self.findings.iter();
            found
                .filter(move |finding| severity(finding) == wanted)
                .map(move |finding| (wanted, finding))
        };
        of(Severity::Error)
            .chain(of(Severity::Warning))
            .chain(of(Severity::Note))
    }

    fn count(&self, severity: Severity) -> usize {
        self.told().filter(|(found, _)| *found == severity).count()
    }

    /// Writes it as a result.
    pub(crate) fn write(&self, format: Format, output: &Output) -> Result<(), Failure> {
        match format {
            Format::Text => output.coloured(&text::report(self)),
            Format::Json => output.json(&json::report(self)),
            Format::Sarif => output.json(&sarif::report(self)),
            Format::Github => {
                output::message(&self.summary());
                output.coloured(&github::report(self))
            }
        }
    }

    /// Tells it as a message, beside a result of another kind or in its place.
    pub(crate) fn tell(&self) {
        if !self.findings.is_empty() {
            self.tell_in(Format::Text);
        }
    }

    /// The same in a form of its own, whether anything was found or not.
    pub(crate) fn tell_in(&self, format: Format) {
        let text = match format {
            Format::Text => text::report(self),
            Format::Json => plain_lines(&format!("{:#}", json::report(self))),
            Format::Sarif => plain_lines(&format!("{:#}", sarif::report(self))),
            Format::Github => github::report(self) + &self.summary(),
        };
        output::message(text.trim_end());
    }
}

/// The place in the file that the user named, and the finding in words that say where inside of it. Standard input is no
/// file that a viewer could show, and no more is a subject: there the words say all.
fn outermost(report: &Report, finding: &Finding) -> (Place, String) {
    let words = format!("{}; {}", finding.cause, finding.remedy);
    let chain = finding.place.chain();
    let place = chain
        .first()
        .map_or_else(Place::default, |place| (*place).clone());
    let is_subject = report.subjects.contains(&place.file);
    let is_file = !is_subject && place.file != STANDARD;
    let words = if finding.place.outer.is_some() || !is_file {
        format!("{}: {words}", finding.place)
    } else {
        words
    };
    if is_file {
        return (place, words);
    }
    let given = Some(report.name.as_str()).filter(|name| is_subject && *name != STANDARD);
    let names = [place.file, place.path];
    let inside = names
        .iter()
        .skip(usize::from(!is_subject))
        .map(String::as_str);
    let inside: Vec<_> = inside.filter(|name| !name.is_empty()).collect();
    (
        Place::at(given.unwrap_or_default(), inside.join(": ")),
        words,
    )
}
