//! The attestation record (`se-checksums.txt`, specification 4): what booted, as text that an auditor compares.
//!
//! The guest writes it ([`Record`]), signs it ([`sign`]) and seals it to the auditor ([`seal`]); the auditor opens it
//! ([`open`]), checks who signed it ([`verify`]), reads it ([`parse`]) and compares it with the contract that was sent
//! ([`Digests`]). The signature is over the text in the clear.

use ::openssl::hash::MessageDigest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::certificate::PublicKey;
use crate::error::ContractError;
use crate::plan::Auditor;
use crate::private_key::PrivateKey;
use crate::signature::{sign_parts, verify_parts};
use crate::token::openssl::{self, DecryptionKey, Prefix, Token};

mod checksums;
mod digests;
pub mod fleet;
mod record;

pub use checksums::{Checksums, parse};
pub(crate) use digests::of_mapping;
pub use digests::{Compared, Digests, Verdict};
pub use record::Record;

/// The line of an image for development, of which nothing is confidential.
pub const DEVELOPMENT: &str = "Development image: not confidential, its keys are public.";

/// What a line of the record holds the hash of, in the order of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// `certificate_expiry_date.json`.
    CertificateExpiry,
    /// The root archive.
    RootArchive,
    /// The image that was booted.
    BaseImage,
    /// The list of what is in the image.
    Sbom,
    /// All of the device that the contract came on.
    CidataDevice,
    /// `meta-data` as it was read.
    MetaData,
    /// `user-data`, the contract, as it was read.
    UserData,
    /// `vendor-data` as it was read.
    VendorData,
    /// The workload section in the clear.
    Workload,
    /// The env section in the clear.
    Env,
    /// The auditor's public key in the clear.
    AuditorKey,
}

impl Subject {
    /// The name at the end of its line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CertificateExpiry => "certificate_expiry_date.json",
            Self::RootArchive => "root.tar.gz",
            Self::BaseImage => "baseimage",
            Self::Sbom => "sbom",
            Self::CidataDevice => "/dev/disk/by-label/cidata",
            Self::MetaData => "cidata/meta-data",
            Self::UserData => "cidata/user-data",
            Self::VendorData => "cidata/vendor-data",
            Self::Workload => "contract:workload",
            Self::Env => "contract:env",
            Self::AuditorKey => "contract:attestationPublicKey",
        }
    }
}

/// Signs a record: RSASSA-PKCS1-v1_5 with SHA-256 over its text in the clear; raw bytes (`se-signature.bin`).
pub fn sign(text: &str, key: &PrivateKey) -> Result<Vec<u8>, ContractError> {
    sign_parts(MessageDigest::sha256(), key.key(), &[text.as_bytes()])
}

/// Checks the signature of a record in the clear; the signature is raw bytes, or base64 of them.
pub fn verify(text: &str, signature: &[u8], key: &PublicKey) -> Result<(), ContractError> {
    let decoded = if signature.len() == key.key().size() {
        None
    } else {
        // Base64 as the usual tools write it, in lines.
        let mut text = signature.to_vec();
        text.retain(|byte| !byte.is_ascii_whitespace());
        let decoded = STANDARD.decode(text);
        Some(decoded.map_err(|_| ContractError::RecordSignatureForm)?)
    };
    let raw = decoded.as_deref().unwrap_or(signature);
    if verify_parts(MessageDigest::sha256(), key, &[text.as_bytes()], raw)? {
        Ok(())
    } else {
        Err(ContractError::RecordSignature)
    }
}

/// Seals a record to the auditor: a token (`se-checksums.txt.enc`).
pub fn seal(text: &str, auditor: &Auditor) -> Result<String, ContractError> {
    openssl::seal(
        text.as_bytes(),
        &PublicKey::parse(&auditor.public_key)?,
        Prefix::HyperProtectBasic,
    )
}

/// Opens a record that was sealed to the auditor.
pub fn open(token: &str, key: &DecryptionKey) -> Result<Zeroizing<String>, ContractError> {
    let told = |error| match error {
        ContractError::TokenSealed => ContractError::RecordSealed,
        ContractError::TokenForm(cause) => ContractError::Record { line: 1, cause },
        other => other,
    };
    let plain = Token::parse(token)
        .and_then(|token| token.open(key))
        .map_err(told)?;
    std::str::from_utf8(&plain)
        .map(|text| Zeroizing::new(text.to_owned()))
        .map_err(|_| ContractError::RecordSealed)
}

#[cfg(test)]
mod tests;
