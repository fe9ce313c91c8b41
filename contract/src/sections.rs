//! The two sections of a contract as types: what may be written, in the shape it was written in.
//!
//! A section is parsed after the schema has accepted it, and says no more than its text: defaults, merging and every
//! decision belong to `planning`. Values that may be secret never print.

pub mod auths;
pub mod env;
pub mod images;
pub mod logging;
pub mod volumes;
pub mod workload;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::finding::Finding;
use crate::yaml::Document;

/// The name of a part that is recognised so that it can be refused: its content is never read.
///
/// `Some(Present)` when the key is there, whatever it holds, also `null`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present;

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// For `Option<Present>`: a key that holds `null` is there all the same.
pub(crate) fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Present>, D::Error> {
    Present::deserialize(deserializer).map(Some)
}

/// Reads a section whose `type` must be `name`.
fn read<T: DeserializeOwned + Typed>(name: &str, document: &Document) -> Result<T, Vec<Finding>> {
    let section: T = document.read().map_err(|finding| vec![finding])?;
    if section.kind() == name {
        return Ok(section);
    }
    Err(vec![document.finding(
        "/type",
        format!("the section is not of the type {name}"),
        format!(
            "write `type: {name}` here, and check that the two sections have not changed places"
        ),
    )])
}

/// Parses the text of a section and reads it.
#[cfg(test)]
fn parse<T: DeserializeOwned + Typed>(name: &str, text: &str) -> Result<T, Vec<Finding>> {
    let document = Document::parse(text, name, crate::messages::SCHEMA_PARSE_CONTRACT)
        .map_err(|finding| vec![finding])?;
    read(name, &document)
}

/// A section that names its own type.
trait Typed {
    fn kind(&self) -> &str;
}
