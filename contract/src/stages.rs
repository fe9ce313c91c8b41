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
use crate::user_data::{self, Envelope, Text, UserData, mentions_sealed};

mod opened;
mod stand_in;
mod verified;

pub use crate::opening::Keys;
pub use opened::Opened;
pub use verified::{Agreed, Verified};

use opened::OpenPart;
pub(crate) use opened::{Ajar, Unsound};

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

    /// What stands in the clear in a contract whose envelope is not whole: for whoever reviews it.
    pub(crate) fn remains(bytes: &[u8], name: &str) -> Option<Ajar> {
        let envelope = Envelope::read(bytes, name)
            .ok()
            .filter(|read| !read.is_section)?;
        let clear = |part: Option<user_data::Part>| {
            let part = part.filter(|part| !part.is_sealed())?;
            Some(OpenPart::new(part, None))
        };
        Some(Ajar {
            findings: envelope.findings,
            workload: clear(envelope.workload),
            env: clear(envelope.env),
            places: envelope.places,
        })
    }

    /// Whether opening it takes a key.
    pub fn needs_key(&self) -> bool {
        self.0.is_sealed()
    }

    /// The sealed parts that nobody gave any key for, by their keys; those whose form shows that none opens them are told
    /// of when it is tried.
    pub(crate) fn without_key(&self, keys: Keys<'_>) -> Vec<(&'static str, Place)> {
        if keys.token.is_some() || keys.age.is_some() {
            return Vec::new();
        }
        let UserData {
            workload,
            env,
            auditor,
            places,
            ..
        } = &self.0;
        let is_malformed = |text: &Text| text.is_token() && Token::parse(&text.0).is_err();
        [
            ("workload", workload.text(), &places.workload),
            ("env", env.text(), &places.env),
            ("attestationPublicKey", auditor.as_ref(), &places.auditor),
        ]
        .into_iter()
        .filter(|(_, text, _)| text.is_some_and(|text| text.is_sealed() && !is_malformed(text)))
        .map(|(name, _, place)| (name, place.clone()))
        .collect()
    }

    /// Top-level keys that mean nothing here, as warnings.
    pub fn unknown_keys(&self) -> &[Finding] {
        self.0.unknown_keys()
    }

    /// Opens every sealed part with its key; a contract in the clear needs none.
    pub fn open<'k>(self, keys: impl Into<Keys<'k>>) -> Result<Opened, Rejection> {
        let (keys, sealed) = (keys.into(), self.0.is_sealed());
        self.opened(keys)
            .map_err(|ajar| Rejection::of_nobody(ajar.findings, sealed, keys.everything))
    }

    /// The same; what is open of one that does not open as a whole is left for whoever reviews it.
    pub(crate) fn opened(self, keys: Keys<'_>) -> Result<Opened, Box<Ajar>> {
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
        let texts = [
            (workload.text(), &places.workload),
            (env.text(), &places.env),
            (auditor.as_ref(), &places.auditor),
        ];
        // All three before any verdict, and at once: the first failure must not spare the others' work.
        let clear =
            |(text, place): &(Option<&Text>, &Place)| Some(opening::clear((*text)?, keys, place));
        let is_sealed = |(text, _): &(Option<&Text>, _)| text.is_some_and(Text::is_sealed);
        let opened = parallel::map(&texts, is_sealed, clear);
        let [of_workload, of_env, of_auditor] = opened.map(Option::transpose);
        let (mut closed, mut warnings) = (Vec::new(), Vec::new());
        let mut text = |opened: Result<Option<Clear>, Finding>| match opened {
            Ok(clear) => Some(clear.map(|clear| {
                warnings.extend(clear.warning);
                clear.text
            })),
            Err(finding) => {
                closed.push(finding);
                None
            }
        };
        let of_workload = text(of_workload).map(|clear| OpenPart::new(workload, clear));
        let of_env = text(of_env).map(|clear| OpenPart::new(env, clear));
        let of_auditor = text(of_auditor);
        match (of_workload, of_env, of_auditor) {
            (Some(workload), Some(env), Some(auditor)) => Ok(Opened {
                workload,
                env,
                auditor,
                signature,
                places,
                tokens,
                sealed,
                everything: keys.everything || !sealed,
                warnings,
            }),
            (workload, env, _) => Err(Box::new(Ajar {
                findings: closed.into_iter().chain(warnings).collect(),
                workload,
                env,
                places,
            })),
        }
    }
}

#[cfg(test)]
mod tests;
