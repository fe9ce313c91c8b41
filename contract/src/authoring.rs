//! What authors do with a contract: seal its sections, sign them, and check a signature before sending it off.
//!
//! A contract comes in as text and goes out as text, its keys sorted, as `contract-go` writes it (specification 2.4 to
//! 2.6). Nothing here judges what a section says: `stages` does. What cannot be signed is refused, and a signature that
//! nobody could verify is not made.

use serde_json::json;
use zeroize::Zeroizing;

use crate::certificate::PublicKey;
use crate::finding::{Finding, Place, both};
use crate::messages;
use crate::private_key::PrivateKey;
use crate::signature::{self, Signed};
use crate::token::openssl::DecryptionKey;
use crate::token::{Audience, is_sealed};
use crate::user_data::{Part, Places, Text, UserData};
use crate::yaml;

mod signing_key;

/// A contract that was written, and what was left out of it.
#[derive(Debug)]
pub struct Written {
    /// The contract as YAML.
    pub text: String,
    /// Top-level keys that mean nothing in a contract and are not in the text.
    pub dropped: Vec<Finding>,
}

/// Signs a contract: adds `envWorkloadSignature` over the sections as they stand, or replaces it.
///
/// Sealed sections stay as they are, byte for byte. An env section in the clear gets `signingKey` where it has none,
/// since no guest takes a signature without it. `file` is what findings call the contract.
pub fn sign(contract: &str, file: &str, key: &PrivateKey) -> Result<Written, Vec<Finding>> {
    Draft::read(contract, file, Mappings::Refused)?
        .with_signing_key(key)?
        .signed(key)
}

/// Seals every section of a contract that is not sealed yet, the auditor's key too. A signature that the contract had goes:
/// it is none of the sealed sections.
pub fn seal(contract: &str, file: &str, to: Audience<'_>) -> Result<Written, Vec<Finding>> {
    Draft::read(contract, file, Mappings::Written)?
        .sealed(to)?
        .written(None)
}

/// Seals a contract and signs what was sealed: `signingKey` goes into the env section first, so that it is sealed with it.
///
/// A workload that somebody else has sealed is signed as it is; so is an env section, which then must hold the signing key
/// already.
pub fn seal_and_sign(
    contract: &str,
    file: &str,
    to: Audience<'_>,
    key: &PrivateKey,
) -> Result<Written, Vec<Finding>> {
    Draft::read(contract, file, Mappings::Written)?
        .with_signing_key(key)?
        .sealed(to)?
        .signed(key)
}

/// Checks the signature of a contract and gives the key that made it.
///
/// With `signer`, that key must have made it. Without, it is the `signingKey` of the env section, which takes the image's
/// key where that is sealed.
pub fn verify(
    contract: &str,
    file: &str,
    signer: Option<&PublicKey>,
    open_with: Option<&DecryptionKey>,
) -> Result<PublicKey, Vec<Finding>> {
    let draft = Draft::read(contract, file, Mappings::Refused)?;
    let Some(signature) = &draft.signature else {
        return Err(vec![Finding::new(
            messages::SIGNATURE_INVALID,
            draft.places.signature,
            "the contract has no signature",
            "sign it, as the last step",
        )]);
    };
    let signer = match signer {
        Some(signer) => signer.clone(),
        None => signing_key::find(&draft.env, open_with, &draft.places.env)?,
    };
    signature::verify(draft.covered(), signature, &signer)
        .map_err(|error| vec![error.at(draft.places.signature.clone())])?;
    Ok(signer)
}

/// What becomes of a section that is a mapping, and so has no bytes of its own.
#[derive(Clone, Copy)]
enum Mappings {
    /// It cannot be signed as it stands.
    Refused,
    /// It is written as text first.
    Written,
}

/// A contract on its way: both sections as the scalars that go into it.
struct Draft {
    workload: Text,
    env: Text,
    auditor: Option<Text>,
    signature: Option<String>,
    places: Places,
    dropped: Vec<Finding>,
}

impl Draft {
    fn read(contract: &str, file: &str, mappings: Mappings) -> Result<Self, Vec<Finding>> {
        let read = UserData::parse(contract.as_bytes(), file)?;
        let dropped = read.unknown_keys().to_vec();
        let (workload, env) = both(
            scalar(read.workload, &read.places.workload, mappings),
            scalar(read.env, &read.places.env, mappings),
        )?;
        Ok(Self {
            workload,
            env,
            auditor: read.auditor,
            signature: read.signature,
            places: read.places,
            dropped,
        })
    }

    fn with_signing_key(mut self, key: &PrivateKey) -> Result<Self, Vec<Finding>> {
        self.env = signing_key::add(self.env, key, &self.places.env)?;
        Ok(self)
    }

    fn sealed(mut self, to: Audience<'_>) -> Result<Self, Vec<Finding>> {
        let seal = |text: Text, place: &Place| match is_sealed(&text.0) {
            true => Ok(text),
            false => to
                .seal(text.0.as_bytes())
                .map(|sealed| Text::new(&sealed))
                .map_err(|error| vec![error.at(place.clone())]),
        };
        self.workload = seal(self.workload, &self.places.workload)?;
        self.env = seal(self.env, &self.places.env)?;
        self.auditor = self
            .auditor
            .map(|key| seal(key, &self.places.auditor))
            .transpose()?;
        Ok(self)
    }

    fn covered(&self) -> Signed<'_> {
        Signed {
            workload: &self.workload.0,
            env: &self.env.0,
            tokens: self.workload.is_token() && self.env.is_token(),
        }
    }

    fn signed(self, key: &PrivateKey) -> Result<Written, Vec<Finding>> {
        let signature = signature::sign(self.covered(), key)
            .map_err(|error| vec![error.at(self.places.signature.clone())])?;
        self.written(Some(signature))
    }

    fn written(self, signature: Option<String>) -> Result<Written, Vec<Finding>> {
        let mut contract = json!({
            "workload": self.workload.0.as_str(),
            "env": self.env.0.as_str(),
        });
        if let Some(auditor) = &self.auditor {
            contract["attestationPublicKey"] = auditor.0.as_str().into();
        }
        if let Some(signature) = signature {
            contract["envWorkloadSignature"] = signature.into();
        }
        let text = yaml::write(&contract);
        yaml::wipe(&mut contract);
        Ok(Written {
            text: text.map_err(|error| vec![error.at(self.places.workload)])?,
            dropped: self.dropped,
        })
    }
}

/// A section as a scalar.
fn scalar(part: Part, place: &Place, mappings: Mappings) -> Result<Text, Vec<Finding>> {
    match (part, mappings) {
        (Part::Text(text, _), _) => Ok(text),
        (Part::Mapping(_), Mappings::Refused) => Err(vec![Finding::new(
            messages::SIGNATURE_INVALID,
            place.clone(),
            "a section that is a mapping cannot be signed",
            "write it as a literal block (a `|` behind the key), or seal it",
        )]),
        (Part::Mapping(document), Mappings::Written) => {
            let mut section = document.to_json();
            let text = yaml::write(&section).map(Zeroizing::new);
            yaml::wipe(&mut section);
            text.map(Text)
                .map_err(|error| vec![error.at(place.clone())])
        }
    }
}

#[cfg(test)]
mod tests;
