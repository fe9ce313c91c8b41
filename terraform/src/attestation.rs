//! Attestation records, as the data source and the function read them.

use std::collections::BTreeSet;

use hpcr_contract::attestation::{self, Checksums};
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::error::ContractError;
use hpcr_contract::private_key::PrivateKey;
use hpcr_contract::token::openssl::{DecryptionKey, is_token};
use zeroize::Zeroizing;

use crate::value::{Object, Value};

/// A record in the clear: opened with the auditor's key where it is sealed.
pub(crate) fn open(
    record: &str,
    key: Option<PrivateKey>,
) -> Result<Zeroizing<String>, ContractError> {
    match key {
        Some(key) if is_token(record) => {
            attestation::open(record.trim(), &DecryptionKey::new(key)?)
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
