//! Types of values, and their JSON form in schemas and in values that bring their type.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::MAX_DEPTH;

/// The type of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Number,
    Bool,
    /// Whatever the value brings.
    Dynamic,
    List(Box<Kind>),
    Set(Box<Kind>),
    Map(Box<Kind>),
    Object(BTreeMap<String, Kind>),
    Tuple(Vec<Kind>),
}

impl Kind {
    /// A list of one type.
    pub(crate) fn list(item: Self) -> Self {
        Self::List(Box::new(item))
    }

    /// A map to one type.
    pub(crate) fn map(entry: Self) -> Self {
        Self::Map(Box::new(entry))
    }

    /// The form in schemas.
    pub(crate) fn to_json(&self) -> Json {
        match self {
            Self::Text => json!("string"),
            Self::Number => json!("number"),
            Self::Bool => json!("bool"),
            Self::Dynamic => json!("dynamic"),
            Self::List(item) => json!(["list", item.to_json()]),
            Self::Set(item) => json!(["set", item.to_json()]),
            Self::Map(entry) => json!(["map", entry.to_json()]),
            Self::Object(attributes) => {
                let attributes = attributes.iter();
                let attributes: serde_json::Map<_, _> = attributes
                    .map(|(name, kind)| (name.clone(), kind.to_json()))
                    .collect();
                json!(["object", attributes])
            }
            Self::Tuple(items) => {
                json!(["tuple", items.iter().map(Self::to_json).collect::<Vec<_>>()])
            }
        }
    }

    /// Reads that form; none where it is no type.
    pub(crate) fn from_json(json: &Json) -> Option<Self> {
        Self::read(json, 0)
    }

    fn read(json: &Json, depth: usize) -> Option<Self> {
        if depth > MAX_DEPTH {
            return None;
        }
        let inner = |json| Self::read(json, depth + 1);
        match json {
            Json::String(name) => match name.as_str() {
                "string" => Some(Self::Text),
                "number" => Some(Self::Number),
                "bool" => Some(Self::Bool),
                "dynamic" => Some(Self::Dynamic),
                _ => None,
            },
            Json::Array(parts) => match (parts.first()?.as_str()?, parts.get(1)?) {
                ("list", item) => inner(item).map(Self::list),
                ("set", item) => inner(item).map(|item| Self::Set(Box::new(item))),
                ("map", entry) => inner(entry).map(Self::map),
                // A third part may name optional attributes, which are there in a value all the same.
                ("object", Json::Object(attributes)) => {
                    let attributes = attributes.iter();
                    let attributes = attributes
                        .map(|(name, kind)| Some((name.clone(), inner(kind)?)))
                        .collect::<Option<_>>()?;
                    Some(Self::Object(attributes))
                }
                ("tuple", Json::Array(items)) => {
                    Some(Self::Tuple(items.iter().map(inner).collect::<Option<_>>()?))
                }
                _ => None,
            },
            _ => None,
        }
    }
}
