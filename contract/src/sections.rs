//! The two sections of a contract as types: what may be written, in the shape it was written in.
//!
//! A section is read (`Document::read`) after the schema has accepted it, and says no more than its text: defaults,
//! merging and every decision belong to `planning`. Values that may be secret never print.

pub mod auths;
pub mod env;
pub mod images;
pub mod logging;
pub mod policy;
mod salvaged;
pub mod volumes;
pub mod workload;

use serde::Deserialize;
use serde::de::IgnoredAny;

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

#[cfg(test)]
mod tests;
