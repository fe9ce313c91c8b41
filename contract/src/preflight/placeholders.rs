//! `FILL-IN`: what `hpcr-check new` writes where its user has to, and what must not be left.

use super::warn;
use crate::finding::{self, Finding};
use crate::messages;
use crate::yaml::{self, Document, Kind, Node};

/// What the templates write.
const PLACEHOLDER: &str = "FILL-IN";

/// Every placeholder of a section, at its place.
pub(super) fn placeholders(document: &Document) -> Vec<Finding> {
    let mut pointers = Vec::new();
    collect(document.root(), &mut String::new(), &mut pointers);
    let tell = |pointer: &String| {
        warn(
            messages::PLACEHOLDER,
            document,
            pointer,
            "this still holds FILL-IN, which a template writes".into(),
            "write what belongs here, or remove the key",
        )
    };
    pointers.iter().map(tell).collect()
}

/// The JSON pointers (RFC 6901) of all texts that hold one.
fn collect(node: &Node, pointer: &mut String, found: &mut Vec<String>) {
    if found.len() == finding::MOST {
        return;
    }
    let mut below = |step: &str, node: &Node, found: &mut Vec<String>| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&yaml::step(step));
        collect(node, pointer, found);
        pointer.truncate(length);
    };
    match &node.kind {
        Kind::Text(text) if text.contains(PLACEHOLDER) => found.push(pointer.clone()),
        Kind::Mapping(entries) => {
            for (key, node) in entries {
                below(&key.name, node, found);
            }
        }
        Kind::Sequence(items) => {
            for (index, node) in items.iter().enumerate() {
                below(&index.to_string(), node, found);
            }
        }
        _ => {}
    }
}
