//! The one door to YAML: text in, a tree in which every key and value knows its line and column out.
//!
//! Duplicate keys, aliases, merge keys, unknown tags, keys that are not text, several documents and sizes without
//! bound are refused. Scalars follow the YAML 1.2 core schema: what is written as text stays text. Schema validation
//! ([`Document::to_json`]) and typed reading ([`Document::read`]) see the same tree, so they cannot disagree.
//! This module never quotes a value in an error, and wipes the text that it held.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::localizer::ExternalMessageSource;
use serde_saphyr::{DuplicateKeyPolicy, Error, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

use crate::error::ContractError;
use crate::finding::{Finding, Place};
use crate::messages::Code;

mod node;
mod typed;

pub(crate) use node::{Kind, Node};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 48;
/// The most mappings, sequences and scalars that are read.
const MAX_NODES: usize = 100_000;

/// A parsed YAML document with the places of everything in it.
#[derive(Debug, Clone)]
pub struct Document {
    file: String,
    prefix: String,
    code: Code,
    root: Node,
}

impl Document {
    /// Parses one document.
    ///
    /// `file` is the name that findings carry (`contract.yaml`, `env`), `code` the message code that they get.
    pub fn parse(text: &str, file: &str, code: Code) -> Result<Self, Finding> {
        match serde_saphyr::from_str_with_options::<Node>(text, options()) {
            Ok(root) => Ok(Self {
                file: file.to_owned(),
                prefix: String::new(),
                code,
                root,
            }),
            Err(error) => Err(parse_finding(&error, file, code)),
        }
    }

    /// The document as JSON, for schema validation. The copy holds the contract's secrets: wipe it with [`wipe`].
    pub fn to_json(&self) -> Value {
        self.root.to_json()
    }

    /// Reads the document as a `T`. A number is not taken for text, nor text for a number.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Finding> {
        T::deserialize(typed::At(&self.root)).map_err(|error| Finding {
            code: self.code,
            place: self.positioned(&error.path(), error.position()),
            cause: error.cause().to_owned(),
            remedy: error.remedy().to_owned(),
        })
    }

    /// The place of the value that a JSON pointer (RFC 6901) names, or of the nearest part above it that exists.
    pub fn place(&self, pointer: &str) -> Place {
        let mut node = &self.root;
        let mut path = String::new();
        for token in pointer.split('/').skip(1) {
            let name = token.replace("~1", "/").replace("~0", "~");
            let next = match &node.kind {
                Kind::Mapping(_) => node.get(&name).inspect(|_| join_key(&mut path, &name)),
                Kind::Sequence(items) => name.parse::<usize>().ok().and_then(|index| {
                    join_index(&mut path, index);
                    items.get(index)
                }),
                _ => None,
            };
            match next {
                Some(found) => node = found,
                None => break,
            }
        }
        self.positioned(&path, node.position)
    }

    /// A finding of this document at a JSON pointer.
    pub fn finding(
        &self,
        pointer: &str,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding {
            code: self.code,
            place: self.place(pointer),
            cause: cause.into(),
            remedy: remedy.into(),
        }
    }

    /// The value of a top-level key as a document of its own, whose findings keep their place in this one.
    pub(crate) fn detach(&mut self, key: &str) -> Option<Self> {
        let root = self.root.take(key)?;
        let mut prefix = self.prefix.clone();
        join_key(&mut prefix, key);
        Some(Self {
            file: self.file.clone(),
            prefix,
            code: self.code,
            root,
        })
    }

    /// The tree itself, for a reader that wants to see every key.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    fn positioned(&self, path: &str, (line, column): (u32, u32)) -> Place {
        let mut full = self.prefix.clone();
        if !full.is_empty() && !path.is_empty() && !path.starts_with('[') {
            full.push('.');
        }
        full.push_str(path);
        let place = Place::at(self.file.clone(), full);
        if line == 0 {
            place
        } else {
            place.with_position(line, column)
        }
    }
}

/// Writes a value as YAML.
pub(crate) fn write(value: &Value) -> Result<String, ContractError> {
    serde_saphyr::to_string(value).map_err(|_| ContractError::Unwritable)
}

/// Overwrites every text in a JSON value.
pub(crate) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => zeroize::Zeroize::zeroize(text),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn join_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

fn join_index(path: &mut String, index: usize) {
    path.push('[');
    path.push_str(&index.to_string());
    path.push(']');
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_documents: 1,
            max_anchors: 0,
            max_aliases: 0,
            max_inclusion_depth: 0,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::Reject,
        strict_booleans: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        // A snippet would quote the contract.
        with_snippet: false,
    }
}

/// Says in our own words what the parser found: its own texts may quote the input.
fn parse_finding(error: &Error, file: &str, code: Code) -> Finding {
    let (cause, remedy) = match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => (
            format!("the key `{key}` stands twice in one mapping"),
            "remove one of the two",
        ),
        Error::DuplicateMappingKey { .. } => (
            "a key stands twice in one mapping".into(),
            "remove one of the two",
        ),
        Error::MergeKeyNotAllowed { .. } => (
            "merge keys (<<) are not accepted".into(),
            "write the keys out",
        ),
        Error::MultipleDocuments { .. } => (
            "there is more than one YAML document".into(),
            "keep one document",
        ),
        Error::NonFiniteFloat { .. } => (
            "a number is not finite".into(),
            "write a finite number, or quote the text",
        ),
        Error::UnsupportedTag { .. } | Error::TaggedScalarCannotDeserializeIntoString { .. } => {
            ("a YAML tag is not accepted".into(), "remove the tag")
        }
        Error::Budget { breach, .. } => budget_cause(breach),
        Error::Message { msg, .. } if msg == node::KEY_NOT_TEXT => {
            ("a key is not text".into(), "quote the key")
        }
        Error::Message { msg, .. } if msg == node::NUMBER_TOO_LARGE => (
            "a number is out of range".into(),
            "write a smaller number, or quote the text",
        ),
        Error::ExternalMessage { source, .. } => match source.as_ref() {
            ExternalMessageSource::Parser(scan) => (scan_cause(scan.kind()), "correct the YAML"),
            _ => ("this is not well-formed YAML".into(), "correct the YAML"),
        },
        _ => ("this is not well-formed YAML".into(), "correct the YAML"),
    };
    let place = Place::at(file, "");
    let position = error
        .location()
        .map(|at| (narrow(at.line()), narrow(at.column())));
    let place = match position {
        Some((line, column)) if line > 0 => place.with_position(line, column),
        _ => place,
    };
    Finding {
        code,
        place,
        cause,
        remedy: remedy.into(),
    }
}

fn budget_cause(breach: &serde_saphyr::budget::BudgetBreach) -> (String, &'static str) {
    use serde_saphyr::budget::BudgetBreach as Breach;
    match breach {
        Breach::Aliases { .. } | Breach::Anchors { .. } => (
            "anchors and aliases are not accepted".into(),
            "write the values out",
        ),
        Breach::Depth { .. } => (
            format!("the nesting is deeper than {MAX_DEPTH}"),
            "flatten the document",
        ),
        Breach::Documents { .. } => (
            "there is more than one YAML document".into(),
            "keep one document",
        ),
        Breach::Nodes { .. } | Breach::Events { .. } => (
            format!("there are more than {MAX_NODES} values"),
            "make the document smaller",
        ),
        _ => (
            "the document is larger than is accepted".into(),
            "make the document smaller",
        ),
    }
}

/// The scanner's texts are fixed, except for these, which repeat characters of the input.
fn scan_cause(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnexpectedCharacter { .. } => "an unexpected character stands here".into(),
        ErrorKind::Custom(_) | ErrorKind::InputIo { .. } | ErrorKind::InputDecoding { .. } => {
            "this is not well-formed YAML".into()
        }
        fixed => fixed.to_string(),
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
