//! The reader of attestation records, in all three spellings that were published.
//!
//! A record comes from outside: it is bounded, and a name that stands twice is refused, since two readers might take one
//! each.

use std::collections::BTreeMap;

use super::{DEVELOPMENT, Subject};
use crate::error::ContractError;

/// The largest record that is read.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// A record as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksums {
    /// The first line, where it is no hash.
    pub version: Option<String>,
    /// Whether it is of an image for development.
    pub development: bool,
    /// Hashes by name, as [`Subject::name`] spells it; names unknown to us are kept.
    pub hashes: BTreeMap<String, [u8; 32]>,
}

/// Reads a record in any of the three spellings that were published: `contract:env`, `contract: env` and `env`.
pub fn parse(text: &str) -> Result<Checksums, ContractError> {
    if text.len() > MAX_BYTES {
        return Err(ContractError::Record {
            line: 1,
            cause: "the record is larger than 1 MiB",
        });
    }
    let mut checksums = Checksums {
        version: None,
        development: false,
        hashes: BTreeMap::new(),
    };
    for (number, line) in (1..).zip(text.lines()) {
        checksums.development |= line == DEVELOPMENT;
        let Some((hash, name)) = hash_line(line) else {
            if number == 1 {
                checksums.version = Some(line.to_owned());
            }
            continue;
        };
        if checksums.hashes.insert(canonical(name), hash).is_some() {
            return Err(ContractError::Record {
                line: number,
                cause: "a name stands twice",
            });
        }
    }
    if checksums.hashes.is_empty() {
        return Err(ContractError::Record {
            line: 1,
            cause: "there is no hash in it",
        });
    }
    Ok(checksums)
}

/// 64 hexadecimal digits, white space, and a name.
fn hash_line(line: &str) -> Option<([u8; 32], &str)> {
    let (digits, name) = line.split_once(char::is_whitespace)?;
    let mut hash = [0; 32];
    hex::decode_to_slice(digits, &mut hash).ok()?;
    let name = name.trim();
    (!name.is_empty()).then_some((hash, name))
}

fn canonical(name: &str) -> String {
    let bare = name.strip_prefix("contract:").unwrap_or(name).trim_start();
    let known = [Subject::Workload, Subject::Env, Subject::AuditorKey]
        .into_iter()
        .find(|subject| subject.name().strip_prefix("contract:") == Some(bare));
    known.map_or_else(|| name.to_owned(), |subject| subject.name().to_owned())
}
