//! A value of a network file, and the way to it.

use crate::yaml::{Document, Kind, Node, step, whole};

/// A value and the JSON pointer that leads to it.
pub(super) struct At<'a> {
    pub(super) node: &'a Node,
    pub(super) pointer: String,
}

/// The whole document.
pub(super) fn top(document: &Document) -> At<'_> {
    At {
        node: document.root(),
        pointer: String::new(),
    }
}

impl<'a> At<'a> {
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        self.node.get(key).map(|node| self.below(key, node))
    }

    pub(super) fn below(&self, key: &str, node: &'a Node) -> Self {
        let pointer = format!("{}/{}", self.pointer, step(key));
        Self { node, pointer }
    }

    pub(super) fn number(&self) -> Option<u64> {
        match &self.node.kind {
            Kind::Number(number) => whole(number),
            _ => None,
        }
    }

    pub(super) fn entries(&self) -> Vec<(&'a str, Self)> {
        match &self.node.kind {
            Kind::Mapping(entries) => entries
                .iter()
                .map(|(key, node)| (key.name.as_str(), self.below(&key.name, node)))
                .collect(),
            _ => Vec::new(),
        }
    }
}
