//! Attestation records, as the data source and the function read them.

use std::collections::BTreeSet;

use hpcr_contract::attestation::{self, Checksums};
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::error::ContractError;
use hpcr_contract::private_key::PrivateKey;
use hpcr_contract::token::openssl::{DecryptionKey, is_token};
use zeroize::Zeroizing;

use crate::diagnostic::sentence;
use crate::value::{Object, Value};

/// Why a record stays closed, by whose fault, as cause and remedy.
#[derive(Debug)]
pub(crate) enum Closed {
    Key(String, String),
    Record(String, String),
}

impl From<ContractError> for Closed {
    fn from(error: ContractError) -> Self {
        let text = error.to_string();
        let (cause, remedy) = text.split_once("; ").unwrap_or((&text, ""));
        let cause = format!("{}: {cause}", error.code());
        match error {
            ContractError::TokenForm(_) => Self::Record(cause, "Get the record again.".to_owned()),
            _ => Self::Key(cause, sentence(remedy)),
        }
    }
}

/// A record in the clear: opened with the auditor's key where it is sealed.
pub(crate) fn open(record: &str, key: Option<PrivateKey>) -> Result<Zeroizing<String>, Closed> {
    match key {
        Some(key) if is_token(record) => {
            let key = DecryptionKey::new(key)?;
            Ok(attestation::open(record.trim(), &key)?)
        }
        _ => Ok(Zeroizing::new(record.to_owned())),
    }
}

/// Checks who has signed a record; the signature is base64.
pub(crate) fn verify(
    record: &str,
    certificate: &str,
    signature: &str,
) -> Result<(), ContractError> {
    let key = PublicKey::parse(certificate.as_bytes())?;
    attestation::verify(record, signature.as_bytes(), &key)
}

/// Hashes by name. Names that records spelt otherwise in other years stand there in both spellings.
pub(crate) fn checksums(record: &str) -> Result<(Object, Checksums), ContractError> {
    let read = attestation::parse(record)?;
    let mut hashes: Object = read
        .hashes
        .iter()
        .map(|(name, hash)| (name.clone(), Value::text(hex::encode(hash))))
        .collect();
    let known: BTreeSet<String> = read.hashes.values().map(hex::encode).collect();
    for (hash, name) in record
        .lines()
        .filter_map(|line| line.split_once(char::is_whitespace))
    {
        let hash = hash.to_ascii_lowercase();
        if known.contains(&hash) {
            hashes
                .entry(name.trim().to_owned())
                .or_insert_with(|| Value::text(hash));
        }
    }
    Ok((hashes, read))
}
