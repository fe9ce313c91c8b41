//! What can go wrong with the keys, tokens, signatures and records of this crate.
//!
//! An error never holds a value of a contract or part of a key. What is wrong with a *contract* is told as findings
//! (see `stages`); an error becomes one with [`ContractError::at`].

use thiserror::Error;

use crate::finding::{Finding, Place};
use crate::messages::{self, Code};

/// An error of this crate: each names its cause and, after the semicolon, what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContractError {
    /// A private key cannot be used.
    #[error(
        "the private key cannot be used: {0}; give an RSA private key of 2048 to 8192 bits in PEM form"
    )]
    PrivateKey(&'static str),
    /// A private key is encrypted, and no passphrase was given.
    #[error("the private key is encrypted; give its passphrase")]
    PassphraseMissing,
    /// A private key does not open with the passphrase.
    #[error(
        "the private key does not open with this passphrase; check the passphrase, and that the key file is whole"
    )]
    PassphraseWrong,
    /// A public key or certificate cannot be used.
    #[error(
        "the public key or certificate cannot be used: {0}; give an RSA public key or an X.509 certificate of 2048 to 8192 bits in PEM form, or base64 of it"
    )]
    PublicKey(&'static str),
    /// A certificate or revocation list cannot be read.
    #[error(
        "the certificate or revocation list cannot be read: {0}; give X.509 in PEM or DER form"
    )]
    Document(&'static str),
    /// A certificate cannot be made.
    #[error(
        "the certificate cannot be made: {0}; check the request, the authority and the number of days"
    )]
    Issue(&'static str),
    /// A token is not of the form `PREFIX.BASE64.BASE64`.
    #[error("the token is malformed: {0}; seal the section again")]
    TokenForm(&'static str),
    /// A token does not open: made for another key, or changed. There is deliberately no finer distinction.
    #[error(
        "the token does not open with this key; seal the section again, with the certificate of this image"
    )]
    TokenSealed,
    /// An age recipient or identity cannot be used.
    #[error(
        "the age key cannot be used: {0}; give a native X25519 key, age1... to seal or AGE-SECRET-KEY-1... to open"
    )]
    AgeKey(&'static str),
    /// An age file is malformed, or of a kind that no image opens.
    #[error(
        "the age file cannot be used: {0}; seal the section again to the age recipient of this image, in ASCII armour"
    )]
    AgeForm(&'static str),
    /// The age library failed.
    #[error("sealing to the age recipient failed; report this as a bug")]
    AgeSeal,
    /// Initdata cannot be made or read.
    #[error("the initdata cannot be used: {0}; make it again from the contract")]
    Initdata(&'static str),
    /// Initdata has no form for a contract.
    #[error(
        "initdata cannot hold the contract: there are carriage returns, other control characters or three single quotes in a row in it; save it with line feeds alone at its line ends, and write the quotes another way"
    )]
    InitdataForm,
    /// A sealed secret cannot be made or read.
    #[error(
        "the sealed secret cannot be used: {0}; seal it again, for the same party and with the same keys"
    )]
    SealedSecret(&'static str),
    /// A signature is not base64.
    #[error("the signature is not base64; sign the contract again")]
    SignatureForm,
    /// A signature does not match.
    #[error(
        "the signature does not match the workload and env sections; sign the contract again, as the last step"
    )]
    SignatureMismatch,
    /// A line of an attestation record cannot be read.
    #[error("line {line} of the attestation record cannot be read: {cause}; get the record again")]
    Record {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A sealed attestation record does not open.
    #[error(
        "the attestation record does not open with this key; give the private key of the auditor, whose public half the contract names as `attestationPublicKey`, or get the record again"
    )]
    RecordSealed,
    /// The signature of an attestation record does not match.
    #[error(
        "the signature does not match the attestation record; check that record, signature and certificate are of one guest"
    )]
    RecordSignature,
    /// The signature of an attestation record is neither as long as the key's are, nor base64.
    #[error(
        "the signature of the attestation record is neither raw bytes of the key's length nor base64; give se-signature.bin as it is, or base64 of it"
    )]
    RecordSignatureForm,
    /// What is to go onto a seed disk is more than a guest reads.
    #[error(
        "the files of the seed disk have {0} bytes, and a guest reads no disk larger than 32 MiB; make the contract smaller"
    )]
    SeedSize(usize),
    /// A contract that was read could not be written.
    #[error("the contract could not be written as YAML; report this as a bug")]
    Unwritable,
    /// The cryptographic library failed; its text names functions, never data.
    #[error("the cryptographic library failed: {0}; report this as a bug")]
    Library(#[from] openssl::error::ErrorStack),
    /// The cryptographic library lacks implicit rejection, so that opening tokens would be an oracle.
    #[error(
        "the cryptographic library does not reject RSA padding implicitly; use OpenSSL 3.2 or later"
    )]
    ExplicitRejection,
}

impl ContractError {
    /// The message code.
    pub fn code(&self) -> Code {
        match self {
            Self::SignatureForm | Self::SignatureMismatch => messages::SIGNATURE_INVALID,
            Self::Record { .. }
            | Self::RecordSealed
            | Self::RecordSignature
            | Self::RecordSignatureForm => messages::ENCRYPT_ATTESTATION,
            Self::Unwritable | Self::AgeSeal | Self::Library(_) | Self::ExplicitRejection => {
                messages::INTERNAL_ERROR
            }
            Self::Document(_) | Self::Issue(_) => messages::CERTIFICATE_INVALID,
            Self::PrivateKey(_)
            | Self::PassphraseMissing
            | Self::PassphraseWrong
            | Self::PublicKey(_)
            | Self::TokenForm(_)
            | Self::TokenSealed
            | Self::AgeKey(_)
            | Self::AgeForm(_)
            | Self::Initdata(_)
            | Self::InitdataForm
            | Self::SeedSize(_)
            | Self::SealedSecret(_) => messages::INVALID_CONTRACT,
        }
    }

    /// The error as a finding at a place of the contract.
    pub fn at(&self, place: Place) -> Finding {
        let text = self.to_string();
        let (cause, remedy) = text
            .split_once("; ")
            .unwrap_or((&text, "report this as a bug"));
        Finding::new(self.code(), place, cause, remedy)
    }
}
