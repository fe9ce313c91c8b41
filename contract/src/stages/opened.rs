//! A contract in the clear, on its way to being verified: the schema, the sections as types, the signature.

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Rejection;
use super::verified::Verified;
use crate::attestation;
use crate::certificate::PublicKey;
use crate::finding::{Finding, Place, keep};
use crate::messages;
use crate::parallel;
use crate::plan::{Auditor, Evidence};
use crate::planning::{self, Half, Halves, Salvage};
use crate::product::Product;
use crate::schema::{self, Scope, Section};
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::signature::{self, Signed};
use crate::user_data::{self, Places, Text};
use crate::yaml::{Document, Origin};

/// The bytes of a text that takes about a millisecond to check.
const LONG: usize = 64 << 10;

/// A section that can be read.
#[derive(Debug)]
pub(super) enum OpenPart {
    Scalar(Scalar, Option<Origin>),
    Mapping(Document),
}

/// A scalar as it was read, and what it says in the clear.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) read: Text,
    pub(super) clear: Zeroizing<String>,
}

impl OpenPart {
    /// A part with its clear text; one that is not sealed is its own.
    pub(super) fn new(part: user_data::Part, clear: Option<Zeroizing<String>>) -> Self {
        match part {
            user_data::Part::Mapping(document) => Self::Mapping(document),
            user_data::Part::Text(read, origin) => {
                let origin = origin.filter(|_| !read.is_sealed());
                let clear = clear.unwrap_or_else(|| read.0.clone());
                Self::Scalar(Scalar { read, clear }, origin)
            }
        }
    }

    /// Whether anybody who holds the contract can read it.
    fn is_clear(&self) -> bool {
        !matches!(self, Self::Scalar(scalar, _) if scalar.read.is_sealed())
    }

    /// Whether its check takes longer than the start of a thread does, by far.
    fn is_long(&self) -> bool {
        matches!(self, Self::Scalar(scalar, _) if scalar.clear.len() > LONG)
    }

    /// SHA-256 of the text in the clear; of a mapping, of its JSON with sorted keys and without spaces.
    fn hash(&self) -> [u8; 32] {
        match self {
            Self::Scalar(scalar, _) => Sha256::digest(scalar.clear.as_bytes()).into(),
            Self::Mapping(document) => attestation::of_mapping(document),
        }
    }

    /// The section as YAML, where it is some, and what the schema says of it.
    fn check(
        &self,
        section: Section,
        product: Product,
        place: &Place,
    ) -> (Option<Document>, Vec<Finding>) {
        let document = match self {
            Self::Mapping(document) => Ok(document.clone()),
            Self::Scalar(scalar, Some(origin)) => {
                Document::parse_from(&scalar.clear, origin.clone())
            }
            Self::Scalar(scalar, None) => {
                let code = messages::SCHEMA_PARSE_CONTRACT;
                let origin = Origin::within(place.clone(), section.name(), code);
                Document::parse_from(&scalar.clear, origin)
            }
        };
        match document {
            Ok(document) => {
                let findings = schema::check(section, Scope::Contract, product, &document);
                (Some(document), findings)
            }
            Err(finding) => (None, vec![finding]),
        }
    }
}

/// A contract that is not verified: what was told of it, and its sections for whoever tells more.
pub(crate) struct Unsound {
    pub(crate) findings: Vec<Finding>,
    workload: Read<WorkloadSection>,
    env: Read<EnvSection>,
    /// Which of the two sections anybody who holds the contract can read.
    pub(crate) in_the_clear: (bool, bool),
    /// Some section is open.
    is_open: bool,
}

/// A section that follows the schema, or the document of one that does not; none where it is closed or no YAML.
type Read<T> = Result<Half<T>, Option<Box<Document>>>;

impl Unsound {
    /// Whether something of a section can be read.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    /// What was told, and both sections as far as they can be read.
    pub(crate) fn into_halves(self) -> (Vec<Finding>, Halves) {
        let halves = Halves {
            workload: left(self.workload),
            env: left(self.env),
        };
        (self.findings, halves)
    }

    /// Everything that is wrong, also what only planning sees.
    fn everything(self, product: Product) -> Vec<Finding> {
        let (mut findings, halves) = self.into_halves();
        let beyond = planning::beyond(product, &halves, &findings);
        findings.extend(beyond);
        findings
    }
}

fn left<T: Salvage>(read: Read<T>) -> Option<Half<T>> {
    match read {
        Ok(half) => Some(half),
        Err(document) => Some(Half::left(*document?)),
    }
}

/// What is wrong goes to the findings; what was YAML at least comes back.
fn read<T: DeserializeOwned>(
    (document, mut told): (Option<Document>, Vec<Finding>),
    findings: &mut Vec<Finding>,
) -> Read<T> {
    let half = document
        .ok_or(None)
        .and_then(|document| Half::sound(document, &mut told).map_err(Some));
    findings.extend(told);
    half
}

/// A contract of which a part stays closed.
pub(crate) struct Ajar {
    /// Why it does.
    pub(crate) findings: Vec<Finding>,
    pub(super) workload: Option<OpenPart>,
    pub(super) env: Option<OpenPart>,
    pub(super) places: Places,
}

impl Ajar {
    /// SHA-256 of the sections that are open, workload first.
    pub(crate) fn hashes(&self) -> [Option<[u8; 32]>; 2] {
        [&self.workload, &self.env].map(|part| part.as_ref().map(OpenPart::hash))
    }

    /// What can be told of the sections that are open.
    pub(crate) fn read(self, product: Product) -> Unsound {
        let mut findings = self.findings;
        let Places { workload, env, .. } = &self.places;
        let is_open = self.workload.is_some() || self.env.is_some();
        let is_clear = |part: &Option<OpenPart>| part.as_ref().is_some_and(OpenPart::is_clear);
        let in_the_clear = (is_clear(&self.workload), is_clear(&self.env));
        let check = |part: Option<OpenPart>, section, place| {
            part.map_or((None, Vec::new()), |part| {
                part.check(section, product, place)
            })
        };
        let of_workload = check(self.workload, Section::Workload, workload);
        let of_env = check(self.env, Section::Env, env);
        Unsound {
            workload: read(of_workload, &mut findings),
            env: read(of_env, &mut findings),
            findings,
            in_the_clear,
            is_open,
        }
    }
}

/// A contract in the clear. Nothing vouches for it yet.
#[derive(Debug)]
pub struct Opened {
    pub(super) workload: OpenPart,
    pub(super) env: OpenPart,
    pub(super) auditor: Option<Zeroizing<String>>,
    pub(super) signature: Option<String>,
    pub(super) places: Places,
    /// Both sections are tokens.
    pub(super) tokens: bool,
    /// Some part was sealed.
    pub(super) sealed: bool,
    /// All that is wrong is told, also what only planning sees.
    pub(super) everything: bool,
    /// What is to be said of the way that parts were sealed.
    pub(super) warnings: Vec<Finding>,
}

impl Opened {
    /// SHA-256 of both sections in the clear, workload first, as the attestation record has them.
    pub fn hashes(&self) -> [[u8; 32]; 2] {
        [&self.workload, &self.env].map(OpenPart::hash)
    }

    /// Checks both sections against the schema of a product, reads them, and checks the signature.
    pub fn verify(self, product: Product) -> Result<Verified, Rejection> {
        let (sealed, everything) = (self.sealed, self.everything);
        self.verified(product).map_err(|unsound| {
            let findings = if everything {
                unsound.everything(product)
            } else {
                unsound.findings
            };
            Rejection::of_nobody(findings, sealed, everything)
        })
    }

    /// The same; the sections of one that is rejected are left for whoever reviews it.
    pub(crate) fn verified(mut self, product: Product) -> Result<Verified, Box<Unsound>> {
        let mut findings = Vec::new();
        let Places { workload, env, .. } = &self.places;
        let sections = [
            (&self.workload, Section::Workload, workload),
            (&self.env, Section::Env, env),
        ];
        let check = |(part, section, place): &(&OpenPart, Section, &Place)| {
            part.check(*section, product, place)
        };
        let is_long = |(part, ..): &(&OpenPart, _, _)| part.is_long();
        let [workload, env] = parallel::map(&sections, is_long, check);
        let workload = read::<WorkloadSection>(workload, &mut findings);
        let env = read::<EnvSection>(env, &mut findings);
        let auditor = keep(&mut findings, self.auditor());
        let signer = env
            .as_ref()
            .ok()
            .and_then(|env| keep(&mut findings, self.signer(&env.section)));
        let in_the_clear = (self.workload.is_clear(), self.env.is_clear());
        match (workload, env, auditor, signer) {
            (Ok(workload), Ok(env), Some(auditor), Some(signer)) => {
                findings.append(&mut self.warnings);
                Ok(Verified {
                    product,
                    workload,
                    env,
                    evidence: Evidence {
                        workload: self.workload.hash(),
                        env: self.env.hash(),
                        auditor,
                    },
                    signer,
                    warnings: findings,
                    in_the_clear,
                    sealed: self.sealed,
                    everything: self.everything,
                })
            }
            (workload, env, ..) => {
                findings.append(&mut self.warnings);
                Err(Box::new(Unsound {
                    findings,
                    workload,
                    env,
                    in_the_clear,
                    is_open: true,
                }))
            }
        }
    }

    fn auditor(&self) -> Result<Option<Auditor>, Vec<Finding>> {
        let Some(text) = &self.auditor else {
            return Ok(None);
        };
        let key = PublicKey::parse(text.as_bytes())
            .map_err(|error| vec![error.at(self.places.auditor.clone())])?;
        Ok(Some(Auditor::from(&key)))
    }

    /// The key that signed the contract. A key without a signature, and a signature without a key, both fail: neither can
    /// be peeled off.
    fn signer(&self, env: &EnvSection) -> Result<Option<PublicKey>, Vec<Finding>> {
        let finding = |place: &Place, cause: &str, remedy: &str| {
            vec![Finding::new(
                messages::SIGNATURE_INVALID,
                place.clone(),
                cause,
                remedy,
            )]
        };
        let (text, signature) = match (&env.signing_key, &self.signature) {
            (None, None) => return Ok(None),
            (Some(text), Some(signature)) => (text, signature),
            (Some(_), None) => {
                let remedy = "add envWorkloadSignature, or remove env.signingKey";
                return Err(finding(
                    &self.places.env,
                    "there is a signing key but no signature",
                    remedy,
                ));
            }
            (None, Some(_)) => {
                let remedy = "add env.signingKey, or remove envWorkloadSignature";
                return Err(finding(
                    &self.places.signature,
                    "there is a signature but no signing key",
                    remedy,
                ));
            }
        };
        let (OpenPart::Scalar(workload, _), OpenPart::Scalar(env, _)) = (&self.workload, &self.env)
        else {
            let remedy = "write both sections as tokens or as literal blocks";
            return Err(finding(
                &self.places.signature,
                "a section that is a mapping cannot be signed",
                remedy,
            ));
        };
        let key = signature::signing_key(text, &self.places.env)?;
        let signed = Signed {
            workload: &workload.read.0,
            env: &env.read.0,
            tokens: self.tokens,
        };
        signature::verify(signed, signature, &key)
            .map_err(|error| vec![error.at(self.places.signature.clone())])?;
        Ok(Some(key))
    }
}
