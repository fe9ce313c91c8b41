//! Reads the values of a compose file (interpolated), a Pod (as they are) or the template of one, and gathers what is
//! wrong with them, each with its place.
//!
//! A value that cannot be read is reported once and then left out, so that one look at the file finds everything. No
//! value is ever quoted: it may be a secret.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::Given;
use super::interpolation::{self, Interpolator, Problem, Variables};
use super::template::Templates;
use crate::finding::{self, Finding, Level};
use crate::messages::{self, Code};
use crate::public::shown_key;
use crate::spelling;
use crate::yaml::{Document, Kind, Node, Origin};

mod parts;
mod scalars;

/// A value of the file and the key path that leads to it.
#[derive(Debug, Clone)]
pub(super) struct Value<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
    /// Position and length of the key, for what is wrong with the key itself.
    key: ((u32, u32), u32),
}

impl<'n> Value<'n> {
    /// The whole document.
    pub(super) fn root(node: &'n Node) -> Self {
        Self::at(node, "")
    }

    /// A part of a document, by its key path.
    pub(super) fn at(node: &'n Node, path: &str) -> Self {
        Self {
            node,
            path: path.to_owned(),
            key: node.span(),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.node.kind, Kind::Null)
    }

    /// Nothing, or a mapping or list with nothing in it: it asks for nothing.
    pub(super) fn is_empty(&self) -> bool {
        match &self.node.kind {
            Kind::Null => true,
            Kind::Mapping(entries) => entries.is_empty(),
            Kind::Sequence(items) => items.is_empty(),
            _ => false,
        }
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.node.kind, Kind::Text(_))
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.node.kind, Kind::Mapping(_))
    }
}

/// What is done to every text that is read.
#[derive(Debug)]
enum Words<'a> {
    AsWritten,
    Interpolated(Interpolator<'a>),
    Templates(Templates<'a>),
}

/// The state of reading one file.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    origin: Origin,
    code: Code,
    words: Words<'a>,
    /// The text of the document.
    written: &'a str,
    findings: Vec<Finding>,
    /// Nothing was met that only the other party knows.
    is_known: bool,
    /// Variables that are not set, as far as they have been told.
    unset: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    /// One for a document; `code` is that of its findings.
    pub(super) fn new(document: &Document, code: Code) -> Self {
        Self {
            origin: document.origin().clone(),
            code,
            words: Words::AsWritten,
            written: "",
            findings: Vec::new(),
            is_known: true,
            unset: BTreeSet::new(),
        }
    }

    /// The same of a text, replacing Compose's variables in every value, and leaving extensions (`x-...`) out.
    pub(super) fn interpolating(mut self, given: &Given<'a>, written: &'a str) -> Self {
        let interpolator = Interpolator::new(given.variables).open(given.is_open);
        self.words = Words::Interpolated(interpolator);
        self.written = written;
        self
    }

    /// The same, carrying out the template in every text.
    pub(super) fn templating(mut self, given: &Given<'a>) -> Self {
        let templates = Templates::new(given.variables).open(given.is_open);
        self.words = Words::Templates(templates);
        self
    }

    /// Replaces the variables in a text of another file, where `further` variables serve for those that the contract lacks;
    /// nothing where one is not known here.
    pub(super) fn interpolate(
        &mut self,
        text: &str,
        further: &Variables,
    ) -> Result<Option<Zeroizing<String>>, Problem> {
        let Words::Interpolated(interpolator) = &mut self.words else {
            return Ok(Some(Zeroizing::new(text.to_owned())));
        };
        match interpolator.interpolate_with(text, further) {
            Err(Problem::Unknown(_)) => {
                self.not_known();
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// A text as it counts; what keeps it from that is told.
    fn worded(&mut self, value: &Value<'_>, text: &str) -> Option<Zeroizing<String>> {
        let (cause, remedy) = match &mut self.words {
            Words::AsWritten => return Some(Zeroizing::new(text.to_owned())),
            Words::Interpolated(interpolator) => match interpolator.interpolate(text) {
                Ok(text) => {
                    self.tell_unset(value);
                    return Some(text);
                }
                Err(Problem::Unknown(_)) => {
                    self.not_known();
                    return None;
                }
                Err(problem) => (problem.to_string(), problem.remedy()),
            },
            Words::Templates(templates) => match templates.render(text) {
                Ok(Some(text)) => return Some(text),
                Ok(None) => {
                    self.not_known();
                    return None;
                }
                Err(problem) => (problem.to_string(), problem.remedy),
            },
        };
        self.refuse(value, cause, remedy);
        None
    }

    /// Tells of each variable that texts took and that is not set, once, where it was met first.
    pub(super) fn tell_unset(&mut self, value: &Value<'_>) {
        let Words::Interpolated(interpolator) = &mut self.words else {
            return;
        };
        for name in interpolator.take_unset() {
            if self.unset.insert(name.clone()) {
                let (cause, remedy) = interpolation::unset(&name);
                self.advise(value, cause, remedy);
            }
        }
    }

    /// Whether nothing was wrong so far.
    pub(super) fn is_good(&self) -> bool {
        !self.findings.iter().any(Finding::stops)
    }

    /// Whether all that was read is known here.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// Notes that something was met that only the other party knows.
    pub(super) fn not_known(&mut self) {
        self.is_known = false;
    }

    /// What was wrong.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Reports a value.
    pub(super) fn refuse(
        &mut self,
        value: &Value<'_>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.report(
            Level::Error,
            self.code,
            value,
            value.node.span(),
            cause,
            remedy,
        );
    }

    /// Reports a value at a level and under a code of its own.
    pub(super) fn refuse_as(
        &mut self,
        level: Level,
        code: Code,
        value: &Value<'_>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.report(level, code, value, value.node.span(), cause, remedy);
    }

    /// Tells of what is done as asked, and may not be what its author expects.
    pub(super) fn advise(
        &mut self,
        value: &Value<'_>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.refuse_as(
            Level::Warning,
            messages::WORKLOAD_ADVICE,
            value,
            cause,
            remedy,
        );
    }

    /// Tells of a key that is read, and may not be what its author expects.
    pub(super) fn advise_key(
        &mut self,
        value: &Value<'_>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let code = messages::WORKLOAD_ADVICE;
        self.report(Level::Warning, code, value, value.key, cause, remedy);
    }

    /// Reports a key that is known and that nothing here can do; one with nothing in it asks for nothing.
    pub(super) fn unsupported(&mut self, value: &Value<'_>, key: &str, remedy: &str) {
        if !value.is_empty() {
            self.refuse_key(value, format!("`{key}` is not supported"), remedy);
        }
    }

    /// Reports a key.
    pub(super) fn refuse_key(
        &mut self,
        value: &Value<'_>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.report(Level::Error, self.code, value, value.key, cause, remedy);
    }

    /// Reports a line, from 1, of another file of the archive.
    pub(super) fn refuse_line(
        &mut self,
        file: &str,
        line: u32,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if finding::has_room(&self.findings, Level::Error) {
            let place = self.origin.beside(file).place("", (line, 1), 0);
            self.findings
                .push(Finding::new(self.code, place, cause, remedy));
        }
    }

    fn report(
        &mut self,
        level: Level,
        code: Code,
        value: &Value<'_>,
        (position, length): ((u32, u32), u32),
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if !finding::has_room(&self.findings, level) {
            return;
        }
        let place = self.origin.place(&value.path, position, length);
        let finding = Finding::new(code, place, cause, remedy);
        self.findings.push(finding.with_level(level));
    }

    /// Takes the outcome of a pure parser, reporting its cause.
    pub(super) fn accept<T>(
        &mut self,
        value: &Value<'_>,
        outcome: Result<T, &'static str>,
        remedy: &str,
    ) -> Option<T> {
        outcome
            .map_err(|cause| self.refuse(value, cause, remedy))
            .ok()
    }

    /// Reports a key that nobody knows.
    pub(super) fn unknown(&mut self, value: &Value<'_>, key: &str, known: &str) {
        let cause = format!("the key `{}` is not known here", shown_key(key));
        let known: Vec<&str> = known.split(", ").collect();
        self.refuse_key(value, cause, spelling::remedy(key, &known));
    }

    /// Reports that something else was expected.
    pub(super) fn expected(&mut self, expected: &str, value: &Value<'_>) {
        let found = match &value.node.kind {
            Kind::Number(number) if number.is_f64() && expected == "a whole number" => "a fraction",
            _ => value.node.describe(),
        };
        let remedy = match (&value.node.kind, expected) {
            (Kind::Number(_) | Kind::Bool(_), "text") => "write it in quotes".to_owned(),
            (Kind::Text(_), "a whole number" | "true or false") => {
                format!("write {expected}, without quotes")
            }
            _ => format!("write {expected}"),
        };
        self.refuse(
            value,
            format!("{expected} is expected, not {found}"),
            remedy,
        );
    }
}
