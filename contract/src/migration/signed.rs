//! The signature that a contract came with: nothing is signed anew, or sealed, that somebody else has changed on the way.

use super::half::Half;
use super::{Fate, Moved, Target};
use crate::certificate::PublicKey;
use crate::finding::{Finding, Place};
use crate::messages;

/// What a contract says of its author.
pub(super) struct Signed<'a> {
    pub(super) has_signature: bool,
    pub(super) place: &'a Place,
    /// None where it stays closed.
    pub(super) env: Option<&'a Half>,
}

/// A contract that nobody vouches for, although it says that somebody does; that has been told.
pub(super) struct Tampered;

impl Moved {
    /// Whether whoever signed the contract vouches for it as it came: nothing is signed anew, or sealed, that somebody else
    /// has changed on the way.
    pub(super) fn vouched(
        &mut self,
        signed: &Signed<'_>,
        target: &Target<'_>,
        verify: impl FnOnce() -> Result<PublicKey, Vec<Finding>>,
    ) -> Result<(), Tampered> {
        const KEY: &str = "envWorkloadSignature";
        const REMEDY: &str = "get the contract from its author again, as it was signed";
        let place = signed.place.clone();
        let names_key = signed
            .env
            .is_some_and(|env| env.tree.get("signingKey").is_some());
        let wrong = |place: Place, cause: &str, remedy: &str| {
            vec![Finding::new(
                messages::SIGNATURE_INVALID,
                place,
                cause,
                remedy,
            )]
        };
        let verified = match (signed.has_signature, signed.env) {
            (false, _) if !names_key => return Ok(()),
            (false, Some(env)) => Err(wrong(
                env.document.place("/signingKey"),
                "there is a signing key but no signature: nobody vouches for what the contract says",
                "get the contract as its author signed it, or remove `signingKey` if it was never signed",
            )),
            (_, None) => Err(wrong(
                place.clone(),
                "the signature was not verified: the env section, which names the key, stays closed",
                REMEDY,
            )),
            (true, Some(_)) => verify(),
        };
        let fingerprint = verified.and_then(|key| {
            key.fingerprint()
                .map_err(|error| vec![error.at(place.clone())])
        });
        match fingerprint {
            Ok(fingerprint) => {
                let by = hex::encode(fingerprint);
                let (fate, what) = match target.signer {
                    Some(_) => (
                        Fate::Changes,
                        "made anew, over the sections as they are now",
                    ),
                    None => (
                        Fate::Goes,
                        "left out: nobody is named who signs the new contract",
                    ),
                };
                let why = format!("{what}; it was good, of the key with SHA-256 {by}");
                self.step(KEY, place, fate, why);
                Ok(())
            }
            Err(found) => {
                self.left.extend(found);
                Err(Tampered)
            }
        }
    }
}
