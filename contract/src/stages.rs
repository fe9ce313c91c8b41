//! The way of a contract: `Sealed`, then `Opened`, then `Verified`, then `Agreed`, then a plan. Nothing else makes these
//! types, and each step takes the one before it, so a section that was not verified, or a pair of sections that do not
//! agree to each other, cannot be planned.
//!
//! Every sealed part of a contract goes through the whole of unwrapping and decryption before any verdict. Why a contract was
//! rejected is collected here for whoever may know; who that is, `disclosure` decides.

use crate::finding::{Finding, Level, Place};
use crate::opening;
use crate::token::openssl::Token;
use crate::user_data::{Part, Text, UserData, mentions_sealed};
use crate::yaml::Origin;

mod opened;
mod verified;

pub use crate::opening::Keys;
pub use opened::Opened;
pub use verified::{Agreed, Verified};

use opened::{OpenPart, Scalar};

/// A contract that goes no further.
#[derive(Debug)]
pub struct Rejection {
    /// Everything that is wrong; at least one.
    pub findings: Vec<Finding>,
    /// The contract holds sealed parts, or speaks of one.
    pub sealed: bool,
    /// The signature of the contract was found to be good before it was rejected.
    pub authenticated: bool,
}

impl Rejection {
    /// Whether the contract is good for all that is known, and only this version of the guest does not run it.
    pub fn is_limit(&self) -> bool {
        let worst = self.findings.iter().map(|finding| finding.level).max();
        worst == Some(Level::Limit)
    }
}

/// A contract whose envelope was read; its sealed parts are still closed.
#[derive(Debug)]
pub struct Sealed(UserData);

impl Sealed {
    /// Reads the envelope of a contract of at most 32 MiB; `name` is what findings call the file.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Rejection> {
        UserData::parse(bytes, name)
            .map(Self)
            .map_err(|findings| Rejection {
                findings,
                sealed: mentions_sealed(bytes),
                authenticated: false,
            })
    }

    /// Whether opening it takes a key.
    pub fn needs_key(&self) -> bool {
        self.0.is_sealed()
    }

    /// Tokens that no key opens: their form shows it, also to those who have none.
    pub fn malformed_tokens(&self) -> Vec<Finding> {
        let UserData {
            workload,
            env,
            auditor,
            places,
            ..
        } = &self.0;
        [
            (workload.text(), &places.workload),
            (env.text(), &places.env),
            (auditor.as_ref(), &places.auditor),
        ]
        .into_iter()
        .filter_map(|(text, place)| Some((text.filter(|text| text.is_token())?, place)))
        .filter_map(|(text, place)| Some(Token::parse(&text.0).err()?.at(place.clone())))
        .collect()
    }

    /// Top-level keys that mean nothing here, as warnings.
    pub fn unknown_keys(&self) -> &[Finding] {
        self.0.unknown_keys()
    }

    /// Opens every sealed part with its key; a contract in the clear needs none.
    pub fn open<'k>(self, keys: impl Into<Keys<'k>>) -> Result<Opened, Rejection> {
        let sealed = self.0.is_sealed();
        let UserData {
            workload,
            env,
            auditor,
            signature,
            places,
            ..
        } = self.0;
        let tokens = workload.is_token() && env.is_token();
        let mut opener = Opener {
            keys: keys.into(),
            warnings: Vec::new(),
        };
        // All three before any verdict: the first failure must not spare the others' work.
        let workload = opener.part(workload, &places.workload);
        let env = opener.part(env, &places.env);
        let auditor = auditor
            .map(|text| opener.text(text, &places.auditor))
            .transpose();
        match (workload, env, auditor) {
            (Ok(workload), Ok(env), Ok(auditor)) => Ok(Opened {
                workload,
                env,
                auditor: auditor.map(|scalar| scalar.clear),
                signature,
                places,
                tokens,
                sealed,
                warnings: opener.warnings,
            }),
            (workload, env, auditor) => {
                let errors = [workload.err(), env.err(), auditor.err()];
                Err(Rejection {
                    findings: errors.into_iter().flatten().collect(),
                    sealed,
                    authenticated: false,
                })
            }
        }
    }
}

/// Opens the parts of a contract.
struct Opener<'a> {
    keys: Keys<'a>,
    warnings: Vec<Finding>,
}

impl Opener<'_> {
    fn part(&mut self, part: Part, place: &Place) -> Result<OpenPart, Finding> {
        match part {
            Part::Mapping(document) => Ok(OpenPart::Mapping(document)),
            Part::Text(text, origin) => {
                let origin: Option<Origin> = origin.filter(|_| !text.is_sealed());
                self.text(text, place)
                    .map(|scalar| OpenPart::Scalar(scalar, origin))
            }
        }
    }

    fn text(&mut self, read: Text, place: &Place) -> Result<Scalar, Finding> {
        let clear = opening::clear(&read, self.keys, place)?;
        self.warnings.extend(clear.warning);
        Ok(Scalar {
            read,
            clear: clear.text,
        })
    }
}

#[cfg(test)]
mod tests;
