//! Keys that mean nothing, where the published schema tolerates them: at the top of a section, and in `logging`.
//!
//! Every contract passes here, so no more than the names of keys is read of the schema; the rest of it is for those who
//! explain an error.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::TEXT;
use crate::finding::{self, Finding};
use crate::messages;
use crate::spelling;
use crate::yaml::{Document, Kind, Node};

static SCHEMA: LazyLock<Schema<'static>> =
    LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

#[derive(Default, Deserialize)]
struct Schema<'t> {
    #[serde(rename = "$defs", borrow)]
    definitions: BTreeMap<&'t str, Value<'t>>,
}

/// What may stand at a place: itself, or by the name of a definition.
#[derive(Deserialize)]
struct Value<'t> {
    #[serde(rename = "$ref")]
    reference: Option<&'t str>,
    #[serde(default, borrow)]
    properties: BTreeMap<&'t str, Value<'t>>,
}

impl Value<'static> {
    fn referred(&self) -> Option<&'static Self> {
        let name = self.reference?.strip_prefix("#/$defs/")?;
        SCHEMA.definitions.get(name)
    }

    /// The names of its properties, with those of what it refers to.
    fn names(&self) -> Vec<&'static str> {
        let own = self.properties.keys().copied();
        let common = self.referred().map(Self::names).unwrap_or_default();
        own.chain(common).collect()
    }

    fn property(&'static self, name: &str) -> Option<&'static Self> {
        let own = self.properties.get(name);
        own.or_else(|| self.referred()?.property(name))
    }
}

/// Those of a section, as warnings.
pub(super) fn keys(definition: &str, document: &Document) -> Vec<Finding> {
    let section = SCHEMA.definitions.get(definition);
    let logging = section.and_then(|section| section.property("logging"));
    let mut findings = Vec::new();
    within("", Some(document.root()), section, document, &mut findings);
    let node = document.root().get("logging");
    within("/logging", node, logging, document, &mut findings);
    findings
}

fn within(
    pointer: &str,
    node: Option<&Node>,
    value: Option<&Value<'static>>,
    document: &Document,
    findings: &mut Vec<Finding>,
) {
    let (Some(Kind::Mapping(entries)), Some(value)) = (node.map(|node| &node.kind), value) else {
        return;
    };
    let mut known = value.names();
    known.sort_unstable();
    let unknown = entries
        .iter()
        .filter(|(key, _)| !known.contains(&key.name.as_str()));
    findings.extend(unknown.take(finding::MOST).map(|(key, _)| {
        Finding::warning(
            messages::UNKNOWN_KEY,
            document.key_place(pointer, &key.name),
            "the key means nothing here and is not read",
            spelling::remedy(&key.name, &known),
        )
    }));
}
