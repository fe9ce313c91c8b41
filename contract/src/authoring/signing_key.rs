//! `env.signingKey` (specification 2.6): put in before an env section is sealed, and found again to verify.
//!
//! What is put in is base64 of the public key's PEM text with its last newline, as `contract-go` does it. A certificate
//! of the same key stays, since it says when the contract expires; another key is never overwritten.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::certificate::{Certificate, PublicKey};
use crate::error::ContractError;
use crate::finding::{Finding, Place};
use crate::messages;
use crate::opening::{self, Keys};
use crate::private_key::PrivateKey;
use crate::signature;
use crate::user_data::Text;
use crate::yaml::{self, Document};

const KEY: &str = "signingKey";

/// Who signs: a key, and the certificate that says how long a contract signed with it is good.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    key: &'a PrivateKey,
    certificate: Option<&'a Certificate>,
}

impl<'a> From<&'a PrivateKey> for Signer<'a> {
    fn from(key: &'a PrivateKey) -> Self {
        Self {
            key,
            certificate: None,
        }
    }
}

impl<'a> Signer<'a> {
    /// A signer whose contracts expire with a certificate of the key.
    pub fn with_certificate(
        key: &'a PrivateKey,
        certificate: &'a Certificate,
    ) -> Result<Self, ContractError> {
        if !certificate.public_key()?.is_same_key(&key.public_key()?) {
            return Err(ContractError::PublicKey(
                "the certificate is not of the key that signs",
            ));
        }
        Ok(Self {
            key,
            certificate: Some(certificate),
        })
    }

    pub(super) fn key(&self) -> &PrivateKey {
        self.key
    }

    /// What goes into the env section: `contract-go` encodes a certificate twice, and a key once.
    fn text(&self) -> Result<String, ContractError> {
        match self.certificate {
            Some(certificate) => Ok(STANDARD.encode(STANDARD.encode(certificate.to_pem()?))),
            None => Ok(STANDARD.encode(self.key.public_key()?.pem())),
        }
    }
}

/// The env section with the key that signs in it; a sealed one stays as it is.
pub(super) fn add(env: Text, signer: Signer<'_>, place: &Place) -> Result<Text, Vec<Finding>> {
    if env.is_sealed() {
        return Ok(env);
    }
    let failed = |error: ContractError| vec![error.at(place.clone())];
    let mut section = Section::read(&env.0, place)?;
    if let Some(there) = section.signing_key() {
        let there = PublicKey::parse(there.as_bytes()).map_err(failed)?;
        if !there.is_same_key(&signer.key.public_key().map_err(failed)?) {
            return Err(finding(
                place,
                "env.signingKey is another key than the one that signs",
                "sign with that key, or remove env.signingKey: the right one is put in",
            ));
        }
        if signer.certificate.is_none() {
            return Ok(env);
        }
    }
    let text = signer.text().map_err(failed)?;
    // A line at the end keeps the author's own text; what does not take it so is written anew.
    let gap = if env.0.ends_with('\n') { "" } else { "\n" };
    let appended = Zeroizing::new(format!("{}{gap}{KEY}: {text}\n", *env.0));
    section.0[KEY] = text.into();
    if Section::read(&appended, place).is_ok_and(|read| read.0 == section.0) {
        return Ok(Text(appended));
    }
    let written = yaml::write(&section.0).map_err(failed)?;
    Ok(Text(Zeroizing::new(written)))
}

/// The key that an env section names.
pub(super) fn find(env: &Text, keys: Keys<'_>, place: &Place) -> Result<PublicKey, Vec<Finding>> {
    let clear = opening::clear(env, keys, place).map_err(|finding| vec![finding])?;
    let section = Section::read(&clear.text, place)?;
    let Some(text) = section.signing_key() else {
        return Err(finding(
            place,
            "the env section holds no signingKey",
            "give the public key of the signer, or add env.signingKey and sign again",
        ));
    };
    signature::signing_key(text, place)
}

/// An env section, a mapping; it wipes itself.
struct Section(Value);

impl Section {
    fn read(env: &str, place: &Place) -> Result<Self, Vec<Finding>> {
        let document =
            Document::parse(env, "env", messages::SCHEMA_PARSE_CONTRACT).map_err(|mut found| {
                found.place = found.place.inside(place.clone());
                vec![found]
            })?;
        let section = Self(document.to_json());
        if section.0.is_object() {
            return Ok(section);
        }
        Err(finding(
            place,
            "the env section is not a mapping",
            "write `type: env` and what belongs to it",
        ))
    }

    fn signing_key(&self) -> Option<&str> {
        self.0.get(KEY)?.as_str()
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        yaml::wipe(&mut self.0);
    }
}

fn finding(place: &Place, cause: &str, remedy: &str) -> Vec<Finding> {
    vec![Finding::new(
        messages::SIGNATURE_INVALID,
        place.clone(),
        cause,
        remedy,
    )]
}
