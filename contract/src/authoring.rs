//! What authors do with a contract: seal its sections, sign them, and check a signature before sending it off.
//!
//! A contract comes in as text and goes out as text, its keys sorted, as `contract-go` writes it (specification 2.4 to
//! 2.6). Nothing here judges what a section says: `stages` does. What cannot be signed is refused, and a signature that
//! nobody could verify is not made.

use std::fmt;

use serde_json::json;
use zeroize::Zeroizing;

use crate::certificate::PublicKey;
use crate::finding::{Finding, Place, both};
use crate::messages;
use crate::opening::{self, Keys};
use crate::parallel;
use crate::signature::{self, Signed};
use crate::token::Audience;
use crate::user_data::{Part, Places, Text, UserData};
use crate::yaml;

mod signing_key;

pub use signing_key::Signer;

/// A contract that was written, and what was left out of it.
pub struct Written {
    /// The contract as YAML; sections in the clear hold secrets.
    pub text: Zeroizing<String>,
    /// What was left out, as warnings: top-level keys that mean nothing in a contract, and a signature that no longer holds.
    pub dropped: Vec<Finding>,
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("bytes", &self.text.len())
            .field("dropped", &self.dropped)
            .finish()
    }
}

/// Signs a contract: adds `envWorkloadSignature` over the sections as they stand, or replaces it.
///
/// Sealed sections stay as they are, byte for byte. An env section in the clear gets `signingKey` where it has none,
/// since no guest takes a signature without it. `file` is what findings call the contract.
pub fn sign<'s>(
    contract: &str,
    file: &str,
    signer: impl Into<Signer<'s>>,
) -> Result<Written, Vec<Finding>> {
    let signer = signer.into();
    Draft::read(contract, file, Mappings::Refused)?
        .with_signing_key(signer)?
        .signed(signer)
}

/// Seals every section of a contract that is not sealed yet, the auditor's key too. A signature that the contract had goes
/// with a warning, since it is none of the sealed sections; it stays where both were sealed already.
pub fn seal(contract: &str, file: &str, to: Audience<'_>) -> Result<Written, Vec<Finding>> {
    let mut draft = Draft::read(contract, file, Mappings::Written)?;
    let mut signature = draft.signature.take();
    if signature.is_some() && !(draft.workload.is_sealed() && draft.env.is_sealed()) {
        signature = None;
        draft.dropped.push(Finding::warning(
            messages::SIGNATURE_INVALID,
            draft.places.signature.clone(),
            "the signature is left out: it is over the sections in the clear",
            "sign what was sealed: hpcr-check encrypt --contract --sign-key does both",
        ));
    }
    draft.sealed(to)?.written(signature)
}

/// Opens every sealed section of a contract, the auditor's key too. A signature goes: it is none of the open sections.
pub fn open(contract: &str, file: &str, keys: Keys<'_>) -> Result<Written, Vec<Finding>> {
    Draft::read(contract, file, Mappings::Written)?
        .opened(keys)?
        .written(None)
}

/// Seals a contract and signs what was sealed: `signingKey` goes into the env section first, so that it is sealed with it.
///
/// A workload that somebody else has sealed is signed as it is; so is an env section, which then must hold the signing key
/// already.
pub fn seal_and_sign<'s>(
    contract: &str,
    file: &str,
    to: Audience<'_>,
    signer: impl Into<Signer<'s>>,
) -> Result<Written, Vec<Finding>> {
    let signer = signer.into();
    Draft::read(contract, file, Mappings::Written)?
        .with_signing_key(signer)?
        .sealed(to)?
        .signed(signer)
}

/// Checks the signature of a contract and gives the key that made it.
///
/// With `signer`, that key must have made it. Without, it is the `signingKey` of the env section, which takes the image's
/// key where that is sealed.
pub fn verify<'k>(
    contract: &str,
    file: &str,
    signer: Option<&PublicKey>,
    keys: impl Into<Keys<'k>>,
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
        None => signing_key::find(&draft.env, keys.into(), &draft.places.env)?,
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

    fn with_signing_key(mut self, signer: Signer<'_>) -> Result<Self, Vec<Finding>> {
        self.env = signing_key::add(self.env, signer, &self.places.env)?;
        Ok(self)
    }

    fn sealed(mut self, to: Audience<'_>) -> Result<Self, Vec<Finding>> {
        let parts = [
            (Some(&self.workload), &self.places.workload),
            (Some(&self.env), &self.places.env),
            (self.auditor.as_ref(), &self.places.auditor),
        ];
        let is_open =
            |(text, _): &(Option<&Text>, &Place)| text.is_some_and(|text| !text.is_sealed());
        let sealed = parallel::map(&parts, is_open, |part| {
            let text = part.0.filter(|_| is_open(part))?;
            let sealed = to.seal(text.0.as_bytes());
            Some(sealed.map_err(|error| vec![error.at(part.1.clone())]))
        });
        let [workload, env, auditor] =
            sealed.map(|part| part.transpose().map(|text| text.as_deref().map(Text::new)));
        self.workload = workload?.unwrap_or(self.workload);
        self.env = env?.unwrap_or(self.env);
        self.auditor = auditor?.or(self.auditor);
        Ok(self)
    }

    fn opened(mut self, keys: Keys<'_>) -> Result<Self, Vec<Finding>> {
        let open = |text: &Text, place: &Place| {
            opening::clear(text, keys, place)
                .map(|clear| Text(clear.text))
                .map_err(|finding| vec![finding])
        };
        let auditor = self.auditor.as_ref();
        let auditor = auditor.map(|text| open(text, &self.places.auditor));
        let (sections, auditor) = both(
            both(
                open(&self.workload, &self.places.workload),
                open(&self.env, &self.places.env),
            ),
            auditor.transpose(),
        )?;
        (self.workload, self.env) = sections;
        self.auditor = auditor;
        Ok(self)
    }

    fn covered(&self) -> Signed<'_> {
        Signed {
            workload: &self.workload.0,
            env: &self.env.0,
            tokens: self.workload.is_token() && self.env.is_token(),
        }
    }

    fn signed(self, signer: Signer<'_>) -> Result<Written, Vec<Finding>> {
        let signature = signature::sign(self.covered(), signer.key())
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
            text: Zeroizing::new(text.map_err(|error| vec![error.at(self.places.workload)])?),
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
