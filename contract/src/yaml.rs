//! The one door to YAML: text in, a tree in which every key and value knows its line and column out.
//!
//! Duplicate keys, tags, keys that are not text and sizes without bound are refused, and in a contract itself
//! several documents, aliases and merge keys, too; compose files and Pods may have a few of these. Scalars follow the YAML 1.2 core schema: what is written as text stays text. Schema validation
//! ([`Document::to_json`]) and typed reading ([`Document::read`]) see the same tree, so they cannot disagree.
//! This module never quotes a value in an error, and wipes the text that it held.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy, Options};

use crate::error::ContractError;
use crate::finding::{Finding, Place};
use crate::messages::Code;
use crate::public::shown_key;

mod errors;
mod node;
mod tags;
mod typed;

use node::Key;
pub(crate) use node::{Kind, Node, whole};

/// The deepest nesting that is read.
const MAX_DEPTH: usize = 48;
/// The most mappings, sequences and scalars that are read.
const MAX_NODES: usize = 100_000;
/// The most documents of one file.
const MAX_DOCUMENTS: usize = 256;
/// The most anchors, aliases and merge keys of a file that may have them.
const MAX_ALIASES: usize = 512;
/// The most bytes that anchors may keep, and the most values that aliases may copy.
const MAX_ANCHORED_BYTES: usize = 16 << 10;
const MAX_REPLAYED: usize = 8_000;

/// A parsed YAML document with the places of everything in it.
#[derive(Debug, Clone)]
pub struct Document {
    origin: Origin,
    root: Node,
}

/// Where a document comes from, for its findings.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    file: String,
    /// The key path of the document in the file.
    prefix: String,
    code: Code,
    /// How many lines and columns of the file come before the document's own.
    shift: (u32, u32),
    /// What holds the file, where it is none of its own.
    outer: Option<Place>,
}

impl Origin {
    /// A document that is what `outer` holds; findings call it `file`.
    pub(crate) fn within(outer: Place, file: &str, code: Code) -> Self {
        Self {
            file: file.to_owned(),
            prefix: String::new(),
            code,
            shift: (0, 0),
            outer: Some(outer),
        }
    }

    /// Another file of what holds this one.
    pub(crate) fn beside(&self, file: &str) -> Self {
        Self {
            file: file.to_owned(),
            ..self.clone()
        }
    }

    /// A finding about the document as a whole.
    pub(crate) fn finding(&self, cause: &str, remedy: &str) -> Finding {
        Finding::new(self.code, self.place("", (0, 0), 0), cause, remedy)
    }

    /// A key path of the document, at a position of its text.
    pub(crate) fn place(&self, path: &str, (line, column): (u32, u32), length: u32) -> Place {
        let mut full = self.prefix.clone();
        if !full.is_empty() && !path.is_empty() && !path.starts_with('[') {
            full.push('.');
        }
        full.push_str(path);
        let mut place = Place::at(self.file.clone(), full);
        place.outer = self.outer.clone().map(Box::new);
        if line == 0 {
            return place;
        }
        let line = line.saturating_add(self.shift.0);
        let column = column.saturating_add(self.shift.1);
        place.with_position(line, column).with_length(length)
    }
}

impl Document {
    /// Parses one document.
    ///
    /// `file` is the name that findings carry (`contract.yaml`, `env`), `code` the message code that they get.
    pub fn parse(text: &str, file: &str, code: Code) -> Result<Self, Finding> {
        Self::parse_from(
            text,
            Origin {
                file: file.to_owned(),
                prefix: String::new(),
                code,
                shift: (0, 0),
                outer: None,
            },
        )
    }

    /// Parses one document whose findings are placed in the file that it was a part of.
    pub(crate) fn parse_from(text: &str, origin: Origin) -> Result<Self, Finding> {
        Self::parse_with(text, origin, options())
    }

    /// Parses a file in which authors repeat themselves: a few anchors, aliases and merge keys (`<<`) are accepted.
    pub(crate) fn parse_file(text: &str, origin: Origin) -> Result<Self, Finding> {
        Self::parse_with(text, origin, file_options())
    }

    fn parse_with(text: &str, origin: Origin, options: Options) -> Result<Self, Finding> {
        let read = serde_saphyr::from_str_with_options::<Node>(text, options);
        match (tags::first(text), read) {
            (Some(place), _) => Err(errors::tag(place, &origin)),
            (None, Ok(root)) => Ok(Self { origin, root }),
            (None, Err(error)) => Err(errors::finding(&error, text, &origin)),
        }
    }

    /// Parses every document of such a file; those with nothing in them are left out.
    ///
    /// # Errors
    /// The first document that cannot be parsed, or that there are too many.
    pub(crate) fn parse_stream(text: &str, origin: &Origin) -> Result<Vec<Self>, Finding> {
        let mut documents = Vec::new();
        for (line, text) in documents_of(text) {
            if documents.len() == MAX_DOCUMENTS {
                let place = origin.place("", (line, 1), 0);
                let cause = format!("there are more than {MAX_DOCUMENTS} YAML documents");
                return Err(Finding::new(origin.code, place, cause, "write fewer"));
            }
            let mut origin = origin.clone();
            origin.shift.0 = origin.shift.0.saturating_add(line - 1);
            let document = Self::parse_file(text, origin)?;
            if !matches!(document.root.kind, Kind::Null) {
                documents.push(document);
            }
        }
        Ok(documents)
    }

    /// Where the document comes from.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Where the text of this scalar came from, where it is a literal block of `source`: only there each line of it is a
    /// line of the file.
    pub(crate) fn literal_origin(&self, source: &str) -> Option<Origin> {
        let text = self.root.text()?;
        let (line, column) = self.root.position;
        let blank = text.lines().take_while(|line| line.is_empty()).count();
        let above = usize::try_from(line).ok()?.checked_sub(1 + blank)?;
        let indent = " ".repeat(usize::try_from(column).ok()?.checked_sub(1)?);
        let mut held = source.lines().skip(above);
        let literal = text.lines().all(|line| {
            held.next().is_some_and(|held| {
                held.strip_prefix(&indent) == Some(line)
                    || (line.is_empty() && held.trim_start().is_empty())
            })
        });
        let shift = (u32::try_from(above).ok()?, column.checked_sub(1)?);
        literal.then(|| Origin {
            shift,
            ..self.origin.clone()
        })
    }

    /// The document as JSON, for schema validation. The copy holds the contract's secrets: wipe it with `wipe`.
    pub fn to_json(&self) -> Value {
        self.root.to_json()
    }

    /// Reads the document as a `T`. A number is not taken for text, nor text for a number.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Finding> {
        T::deserialize(typed::At(&self.root)).map_err(|error| {
            let place = self.origin.place(&error.path(), error.position(), 0);
            Finding::new(self.origin.code, place, error.cause(), error.remedy())
        })
    }

    /// The place of the value that a JSON pointer (RFC 6901) names, or of the nearest part above it that exists.
    pub fn place(&self, pointer: &str) -> Place {
        let (path, node, key) = self.find(pointer);
        match key {
            // A mapping or list below its key begins with its first entry, which is not what is meant.
            Some(key) if node.is_block_below(key) => {
                self.origin.place(&path, key.position, key.length)
            }
            _ => self.origin.place(&path, node.position, node.length),
        }
    }

    /// The place of a key of the mapping that a JSON pointer names.
    pub(crate) fn key_place(&self, pointer: &str, key: &str) -> Place {
        let (mut path, node, _) = self.find(pointer);
        let Some(key) = node.key(key) else {
            return self.origin.place(&path, node.position, node.length);
        };
        join_key(&mut path, &key.name);
        self.origin.place(&path, key.position, key.length)
    }

    /// The value that a JSON pointer names or the nearest above it, the path to it, and the key that it stands behind.
    fn find(&self, pointer: &str) -> (String, &Node, Option<&Key>) {
        let mut node = &self.root;
        let mut behind = None;
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
                Some(found) => {
                    behind = node.key(&name);
                    node = found;
                }
                None => break,
            }
        }
        (path, node, behind)
    }

    /// A finding of this document at a JSON pointer.
    pub fn finding(
        &self,
        pointer: &str,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::new(self.origin.code, self.place(pointer), cause, remedy)
    }

    /// The value of a top-level key as a document of its own, whose findings keep their place in this one.
    pub(crate) fn detach(&mut self, key: &str) -> Option<Self> {
        let root = self.root.take(key)?;
        let mut origin = self.origin.clone();
        join_key(&mut origin.prefix, key);
        Some(Self { origin, root })
    }

    /// The same document with another code for its findings.
    pub(crate) fn with_code(mut self, code: Code) -> Self {
        self.origin.code = code;
        self
    }

    /// The tree itself, for a reader that wants to see every key.
    pub(crate) fn root(&self) -> &Node {
        &self.root
    }
}

/// Writes a value as YAML; no line of text is folded, however long it is.
pub fn write(value: &Value) -> Result<String, ContractError> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(value, options).map_err(|_| ContractError::Unwritable)
}

/// Overwrites every text in a JSON value.
pub fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => zeroize::Zeroize::zeroize(text),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A key as a step of a JSON pointer (RFC 6901 section 3), by which documents are asked for places.
pub(crate) fn step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn join_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(&shown_key(key));
}

fn join_index(path: &mut String, index: usize) {
    path.push('[');
    path.push_str(&index.to_string());
    path.push(']');
}

/// The documents of a stream, each with its marker (`---`) and the number of its first line. A marker at the beginning of
/// a line ends whatever stands before it, also a literal block (YAML 1.2.2, 9.1.2).
fn documents_of(text: &str) -> Vec<(u32, &str)> {
    let (mut documents, mut from, mut first, mut at) = (Vec::new(), 0, 1, 0);
    for (index, line) in (1..).zip(text.split_inclusive('\n')) {
        let is_marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if is_marker && at > from {
            documents.push((first, &text[from..at]));
            (from, first) = (at, index);
        }
        at += line.len();
    }
    documents.push((first, &text[from..]));
    documents
}

/// What is accepted in compose files and Pods, so that no bomb can be built of it: what anchors hold is small, and so is
/// the number of its copies.
fn file_options() -> Options {
    let mut options = options();
    if let Some(budget) = &mut options.budget {
        budget.max_anchors = MAX_ALIASES;
        budget.max_aliases = MAX_ALIASES;
        budget.max_merge_keys = MAX_ALIASES;
        budget.max_recorded_anchor_bytes = MAX_ANCHORED_BYTES;
    }
    options.merge_keys = MergeKeyPolicy::Merge;
    options.alias_limits = serde_saphyr::alias_limits! {
        max_total_replayed_events: MAX_REPLAYED,
        max_replay_stack_depth: 8,
        max_alias_expansions_per_anchor: MAX_ALIASES,
    };
    options
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
        // Octal to the older version of YAML and decimal to this one: what reads permissions decides.
        leading_zero_numbers_as_strings: true,
        reject_unsupported_tags: true,
        // A snippet would quote the contract.
        with_snippet: false,
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
