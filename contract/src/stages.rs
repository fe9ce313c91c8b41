//! The way of a contract: `Sealed`, then `Opened`, then `Verified`, then `Agreed`, then a plan. Nothing else makes these
//! types, and each step takes the one before it, so a section that was not verified, or a pair of sections that do not
//! agree to each other, cannot be planned.
//!
//! Every sealed part of a contract goes through the whole of unwrapping and decryption before any verdict. Why a contract was
//! rejected is collected here for whoever may know; who that is, `disclosure` decides.

use crate::finding::{Finding, Level, Place};
use crate::opening::{self, Clear};
use crate::parallel;
use crate::token::openssl::Token;
use crate::user_data::{Text, UserData, mentions_sealed};

mod opened;
mod stand_in;
mod verified;

pub use crate::opening::Keys;
pub use opened::Opened;
pub use verified::{Agreed, Verified};

use opened::OpenPart;

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
    /// Of a contract that nobody vouches for. A guest has then done the whole work at least once, whatever was wrong with
    /// what is sealed.
    fn of_nobody(findings: Vec<Finding>, sealed: bool, everything: bool) -> Self {
        if sealed && !everything {
            stand_in::work();
        }
        Self {
            findings,
            sealed,
            authenticated: false,
        }
    }

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
        let keys = keys.into();
        let texts = [
            (workload.text(), &places.workload),
            (env.text(), &places.env),
            (auditor.as_ref(), &places.auditor),
        ];
        // All three before any verdict, and at once: the first failure must not spare the others' work.
        let clear =
            |(text, place): &(Option<&Text>, &Place)| Some(opening::clear((*text)?, keys, place));
        let opened = if sealed {
            parallel::map(&texts, clear)
        } else {
            texts.map(|text| clear(&text))
        };
        let [of_workload, of_env, of_auditor] = opened.map(Option::transpose);
        match (of_workload, of_env, of_auditor) {
            (Ok(of_workload), Ok(of_env), Ok(of_auditor)) => {
                let mut warnings = Vec::new();
                let mut text = |clear: Option<Clear>| {
                    let clear = clear?;
                    warnings.extend(clear.warning);
                    Some(clear.text)
                };
                Ok(Opened {
                    workload: OpenPart::new(workload, text(of_workload)),
                    env: OpenPart::new(env, text(of_env)),
                    auditor: text(of_auditor),
                    signature,
                    places,
                    tokens,
                    sealed,
                    everything: keys.everything || !sealed,
                    warnings,
                })
            }
            (workload, env, auditor) => {
                let errors = [workload.err(), env.err(), auditor.err()];
                let findings = errors.into_iter().flatten().collect();
                Err(Rejection::of_nobody(findings, sealed, keys.everything))
            }
        }
    }
}

#[cfg(test)]
mod tests;
