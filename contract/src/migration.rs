//! Moving in: a contract that was made for the published images, key by key, and the one that this appliance runs.
//!
//! What a key means here stands in one table. What this guest does not do is not repeated in it: the new contract goes the
//! way of every contract, and what stops it there is what is left for a person to do. Nothing is left out in silence, and
//! a section in which nothing changes stays byte for byte, so that its digest stays, too.

use std::borrow::Cow;
use std::fmt;

use serde_json::json;
use zeroize::Zeroizing;

use crate::authoring::{self, Signer};
use crate::finding::{Finding, Place};
use crate::messages;
use crate::opening::{self, Keys};
use crate::preflight::Horizon;
use crate::product::Product;
use crate::public::shown_path;
use crate::review::alone::{self, Terms};
use crate::schema;
use crate::secret::SecretString;
use crate::stages::{Agreed, Rejection, Sealed, Verified};
use crate::user_data::{Part, Text, UserData};
use crate::yaml::{self, Document, Origin};

mod half;
mod signed;
mod table;

use half::Half;
use signed::Signed;
pub use table::Fate;

/// A collector that lines go to from now on; certificates and key are PEM.
#[derive(Debug, Clone)]
pub struct Collector {
    /// Host name or address.
    pub hostname: String,
    /// TCP port; 6514 where none is given.
    pub port: Option<u16>,
    /// One or more authorities that vouch for the collector.
    pub server: String,
    /// The guest's own certificate and its key.
    pub client: Option<(String, SecretString)>,
}

/// What a contract is moved to.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The product that it was written for.
    pub product: Product,
    /// Where lines go, if not where they went.
    pub collector: Option<&'a Collector>,
    /// Who signs the new contract.
    pub signer: Option<Signer<'a>>,
    /// It is sealed in the end, so that its sections are texts.
    pub is_sealed: bool,
    /// What findings call the new contract.
    pub name: &'a str,
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The key path in the contract as it was (`env.volumes.data.seed`).
    pub key: String,
    /// Where it stands there.
    pub place: Place,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, in words.
    pub why: Cow<'static, str>,
}

/// A contract that was moved.
pub struct Moved {
    /// The new contract, its sections in the clear; none where a section could not be opened, or where the signature that
    /// the contract came with is not good.
    pub text: Option<Zeroizing<String>>,
    /// What becomes of each key that nothing is wrong with.
    pub steps: Vec<Step>,
    /// What a person has to do, each with its place and remedy: nothing where the new contract runs.
    pub left: Vec<Finding>,
}

/// The text holds secrets.
impl fmt::Debug for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Moved")
            .field("steps", &self.steps)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// Moves a contract; `file` is what findings call it.
///
/// # Errors
/// What is wrong with its envelope, or why it cannot be written.
pub fn migrate(
    contract: &str,
    file: &str,
    keys: Keys<'_>,
    target: &Target<'_>,
) -> Result<Moved, Vec<Finding>> {
    let read = UserData::parse(contract.as_bytes(), file)?;
    let mut moved = Moved {
        text: None,
        steps: Vec::new(),
        left: Vec::new(),
    };
    for unknown in read.unknown_keys() {
        let place = unknown.place.clone();
        let why = "left out: it is no key of a contract";
        moved.step(place.path.clone(), place, Fate::Goes, why);
    }
    let UserData {
        workload,
        env,
        auditor,
        signature,
        places,
        ..
    } = read;
    let workload = moved.opened("workload", workload, keys, &places.workload);
    let env = moved.opened("env", env, keys, &places.env);
    let auditor =
        auditor.map(|text| moved.clear("attestationPublicKey", &text, keys, &places.auditor));
    let origin = Signed {
        has_signature: signature.is_some(),
        place: &places.signature,
        env: env.as_ref().ok(),
    };
    let vouched = moved.vouched(&origin, target, || {
        authoring::verify(contract, file, None, keys)
    });
    for half in workload.iter().chain(&env) {
        moved.walk(half, target);
    }
    let (workload, mut env, auditor) = match (workload, env, auditor.transpose(), vouched) {
        (Ok(workload), Ok(env), Ok(auditor), Ok(())) => (workload, env, auditor),
        (workload, env, ..) => {
            for half in workload.iter().chain(&env) {
                moved.alone(half, target.product);
            }
            return Ok(moved);
        }
    };
    let is_changed = env.rewrite(target);
    let of_text = target.signer.is_some() || target.is_sealed;
    for half in [&workload, &env]
        .into_iter()
        .filter(|half| half.read.is_none() && of_text)
    {
        let why = "written as text, as what is signed or sealed has to be: its digest is another one than a mapping's";
        moved.step(half.name, half.document.place(""), Fate::Changes, why);
    }
    let mut whole = json!({
        "workload": workload.value(false, of_text).map_err(|found| vec![found])?,
        "env": env.value(is_changed, of_text).map_err(|found| vec![found])?,
    });
    if let Some(auditor) = &auditor {
        whole["attestationPublicKey"] = auditor.as_str().into();
    }
    let text = yaml::write(&whole).map(Zeroizing::new);
    yaml::wipe(&mut whole);
    let text = text.map_err(|error| vec![error.at(Place::at(target.name, ""))])?;
    let text = match target.signer {
        Some(signer) => authoring::sign(&text, target.name, signer)?.text,
        None => text,
    };
    moved.check(&text, target);
    moved.text = Some(text);
    Ok(moved)
}

/// What is said of a contract until it is planned: what stops it hides no key that nobody reads.
fn planned(verified: &Verified) -> Vec<Finding> {
    let mut found = verified.warnings().to_vec();
    let further = match verified.agree().and_then(Agreed::plan) {
        Ok(plan) => plan.warnings,
        Err(Rejection { findings, .. }) => findings,
    };
    for finding in further {
        if !found.contains(&finding) {
            found.push(finding);
        }
    }
    found
}

/// What is worth a person's time: what stops, and keys that nobody reads.
fn is_meant(finding: &Finding) -> bool {
    finding.stops() || finding.code == messages::UNKNOWN_KEY
}

/// A text that stays closed; what to do about it has been told.
struct Closed;

impl Moved {
    fn step(
        &mut self,
        key: impl Into<String>,
        place: Place,
        fate: Fate,
        why: impl Into<Cow<'static, str>>,
    ) {
        self.steps.push(Step {
            key: key.into(),
            place,
            fate,
            why: why.into(),
        });
    }

    /// A text in the clear, or what is to be done where there is no key for it.
    fn clear(
        &mut self,
        name: &str,
        text: &Text,
        keys: Keys<'_>,
        place: &Place,
    ) -> Result<Zeroizing<String>, Closed> {
        if !keys.suffice_for(text) {
            self.left.push(Finding::new(
                messages::INVALID_CONTRACT,
                place.clone(),
                "it is sealed for the image that is left behind, whose key nobody has",
                "ask its author for the text in the clear, and let them seal it for the new image",
            ));
            return Err(Closed);
        }
        match opening::clear(text, keys, place) {
            Ok(clear) => {
                let told = match name {
                    _ if text.is_sealed() => Some((
                        Fate::Changes,
                        "opened: it was sealed for an image that is left behind",
                    )),
                    // Sections are told key by key.
                    "attestationPublicKey" => Some((
                        Fate::Stays,
                        "the attestation record is sealed to the same auditor",
                    )),
                    _ => None,
                };
                if let Some((fate, why)) = told {
                    self.step(name, place.clone(), fate, why);
                }
                Ok(clear.text)
            }
            Err(finding) => {
                self.left.push(finding);
                Err(Closed)
            }
        }
    }

    /// A section in the clear.
    fn opened(
        &mut self,
        name: &'static str,
        part: Part,
        keys: Keys<'_>,
        place: &Place,
    ) -> Result<Half, Closed> {
        let (read, document) = match part {
            Part::Mapping(document) => (None, document),
            Part::Text(text, origin) => {
                let clear = self.clear(name, &text, keys, place)?;
                let code = messages::SCHEMA_PARSE_CONTRACT;
                let origin = origin
                    .filter(|_| !text.is_sealed())
                    .unwrap_or_else(|| Origin::within(place.clone(), name, code));
                match Document::parse_from(&clear, origin) {
                    Ok(document) => (Some(clear), document),
                    Err(finding) => {
                        self.left.push(finding);
                        return Err(Closed);
                    }
                }
            }
        };
        Ok(Half {
            name,
            read,
            tree: document.to_json(),
            document,
        })
    }

    /// What the table says of every key of a section.
    fn walk(&mut self, half: &Half, target: &Target<'_>) {
        for row in table::rows(half.name) {
            for pointer in row.pointers(&half.tree) {
                let key = format!("{}.{}", half.name, shown_path(&pointer));
                let place = half.document.place(&pointer);
                let (fate, why) = match row.fate {
                    Fate::Human => {
                        let code = messages::LUKS_PASSWORD_CHANGE_FAILED;
                        self.left
                            .push(Finding::new(code, place, row.why, row.remedy));
                        continue;
                    }
                    _ if row.key == "signingKey" && target.signer.is_some() => {
                        (Fate::Changes, "the key or certificate that signs now")
                    }
                    _ if row.key.starts_with("logging") && target.collector.is_some() => {
                        (Fate::Changes, "lines go to the collector that is named now")
                    }
                    fate => (fate, row.why),
                };
                self.step(key, place, fate, why);
            }
        }
    }

    /// What is wrong with one section where the other stays closed.
    fn alone(&mut self, half: &Half, product: Product) {
        let section = match half.name {
            "env" => schema::Section::Env,
            _ => schema::Section::Workload,
        };
        let terms = Terms {
            product,
            horizon: Horizon { now: 0, days: 0 },
            secrets: None,
        };
        let document = half.document.clone();
        let told = alone::review(section, schema::Scope::Contract, document, terms);
        self.left.extend(told.into_iter().filter(is_meant));
    }

    /// What stops the new contract in the guest, and keys that mean nothing there.
    fn check(&mut self, text: &str, target: &Target<'_>) {
        let verified = Sealed::parse(text.as_bytes(), target.name)
            .and_then(|sealed| {
                sealed.open(Keys {
                    everything: true,
                    ..Keys::default()
                })
            })
            .and_then(|opened| opened.verify(target.product));
        let found = match verified {
            Ok(verified) => planned(&verified),
            Err(Rejection { findings, .. }) => findings,
        };
        for finding in found.into_iter().filter(is_meant) {
            let of = finding
                .place
                .chain()
                .first()
                .map(|place| place.path.clone());
            let of = of.unwrap_or_default();
            let is_of = |key: &str| {
                of.strip_prefix(key)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            self.steps.retain(|step| !is_of(&step.key));
            self.left.push(finding);
        }
    }
}

#[cfg(test)]
mod tests;
