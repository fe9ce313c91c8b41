//! Reads the values of a compose file, interpolated, and gathers what is wrong with them, each with its place.
//!
//! A value that cannot be read is reported once and then left out, so that one look at the file finds everything. No
//! value is ever quoted: it may be a secret.

use zeroize::Zeroizing;

use super::interpolation::Interpolator;
use crate::finding::{self, Finding, Place};
use crate::messages::{self, Code};
use crate::yaml::{Kind, Node};

/// A value of the file and the key path that leads to it.
#[derive(Debug, Clone)]
pub(super) struct Value<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
    /// Line and column of the key, for what is wrong with the key itself.
    key: (u32, u32),
}

impl<'n> Value<'n> {
    /// The whole document.
    pub(super) fn root(node: &'n Node) -> Self {
        Self {
            node,
            path: String::new(),
            key: node.position,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.node.kind, Kind::Null)
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self.node.kind, Kind::Text(_))
    }

    pub(super) fn is_mapping(&self) -> bool {
        matches!(self.node.kind, Kind::Mapping(_))
    }
}

/// The state of reading one file.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    file: &'a str,
    pub(super) interpolator: Interpolator<'a>,
    findings: Vec<Finding>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, interpolator: Interpolator<'a>) -> Self {
        Self {
            file,
            interpolator,
            findings: Vec::new(),
        }
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
            messages::IMAGE_PARSE_COMPOSE,
            value,
            value.node.position,
            cause,
            remedy,
        );
    }

    /// Reports a value under a code of its own.
    pub(super) fn refuse_as(
        &mut self,
        code: Code,
        value: &Value<'_>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.report(code, value, value.node.position, cause, remedy);
    }

    /// Reports a key.
    pub(super) fn refuse_key(
        &mut self,
        value: &Value<'_>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.report(
            messages::IMAGE_PARSE_COMPOSE,
            value,
            value.key,
            cause,
            remedy,
        );
    }

    fn report(
        &mut self,
        code: Code,
        value: &Value<'_>,
        (line, column): (u32, u32),
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.findings.len() == finding::MOST {
            return;
        }
        let place = Place::at(self.file, value.path.clone()).with_position(line, column);
        self.findings.push(Finding::new(code, place, cause, remedy));
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

    /// The entries of a mapping; none where it is empty or null. Extensions (`x-...`) are left out.
    pub(super) fn entries<'n>(&mut self, value: &Value<'n>) -> Vec<(&'n str, Value<'n>)> {
        let dot = if value.path.is_empty() { "" } else { "." };
        match &value.node.kind {
            Kind::Mapping(entries) => entries
                .iter()
                .filter(|(key, _)| !key.name.starts_with("x-"))
                .map(|(key, node)| {
                    let path = format!("{}{dot}{}", value.path, key.name);
                    (
                        key.name.as_str(),
                        Value {
                            node,
                            path,
                            key: key.position,
                        },
                    )
                })
                .collect(),
            Kind::Null => Vec::new(),
            _ => {
                self.expected("a mapping", value);
                Vec::new()
            }
        }
    }

    /// The items of a list; none where it is empty or null.
    pub(super) fn items<'n>(&mut self, value: &Value<'n>) -> Vec<Value<'n>> {
        match &value.node.kind {
            Kind::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(index, node)| Value {
                    node,
                    path: format!("{}[{index}]", value.path),
                    key: node.position,
                })
                .collect(),
            Kind::Null => Vec::new(),
            _ => {
                self.expected("a list", value);
                Vec::new()
            }
        }
    }

    /// One value or a list of them.
    pub(super) fn one_or_many<'n>(&mut self, value: &Value<'n>) -> Vec<Value<'n>> {
        if value.is_text() {
            vec![value.clone()]
        } else {
            self.items(value)
        }
    }

    /// Text, interpolated. A whole number is taken for its digits.
    pub(super) fn text(&mut self, value: &Value<'_>) -> Option<Zeroizing<String>> {
        let text = match &value.node.kind {
            Kind::Text(text) => match self.interpolator.interpolate(text) {
                Ok(text) => text,
                Err(problem) => {
                    self.refuse(value, problem.to_string(), problem.remedy());
                    return None;
                }
            },
            Kind::Number(number) if !number.is_f64() => Zeroizing::new(number.to_string()),
            _ => {
                self.expected("text", value);
                return None;
            }
        };
        if text.contains('\0') {
            self.refuse(value, "the text holds a NUL character", "remove it");
            return None;
        }
        Some(text)
    }

    /// A truth value, also as text: interpolation gives text.
    pub(super) fn flag(&mut self, value: &Value<'_>) -> Option<bool> {
        if let Kind::Bool(flag) = value.node.kind {
            return Some(flag);
        }
        let text = self.text(value)?;
        match text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.expected("true or false", value);
                None
            }
        }
    }

    /// Reports that something else was expected.
    pub(super) fn expected(&mut self, expected: &str, value: &Value<'_>) {
        let found = value.node.describe();
        let remedy = format!("write {expected}; quote text that looks like something else");
        self.refuse(
            value,
            format!("{expected} is expected, not {found}"),
            remedy,
        );
    }
}
