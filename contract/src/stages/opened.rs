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
use crate::planning::{self, Part};
use crate::product::Product;
use crate::schema::{self, Scope, Section};
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::signature::{self, Signed};
use crate::user_data::{self, Places, Text};
use crate::yaml::{Document, Origin};

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

/// A section that follows the schema, as its type.
struct Sound<T> {
    section: T,
    document: Document,
}

impl<T: DeserializeOwned> Sound<T> {
    /// What is wrong goes to the findings; what was YAML at least comes back.
    fn of(
        (document, told): (Option<Document>, Vec<Finding>),
        findings: &mut Vec<Finding>,
    ) -> Result<Self, Option<Box<Document>>> {
        let is_sound = !told.iter().any(Finding::stops);
        findings.extend(told);
        match document {
            Some(document) if is_sound => {
                match keep(findings, document.read().map_err(|finding| vec![finding])) {
                    Some(section) => Ok(Self { section, document }),
                    None => Err(Some(Box::new(document))),
                }
            }
            unsound => Err(unsound.map(Box::new)),
        }
    }

    fn part(&self) -> Part<'_, T> {
        Part {
            section: &self.section,
            document: &self.document,
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
        [self.workload.hash(), self.env.hash()]
    }

    /// Checks both sections against the schema of a product, reads them, and checks the signature.
    pub fn verify(self, product: Product) -> Result<Verified, Rejection> {
        let (sealed, everything) = (self.sealed, self.everything);
        self.verified(product)
            .map_err(|findings| Rejection::of_nobody(findings, sealed, everything))
    }

    fn verified(mut self, product: Product) -> Result<Verified, Vec<Finding>> {
        let mut findings = Vec::new();
        let Places { workload, env, .. } = &self.places;
        let sections = [
            (&self.workload, Section::Workload, workload),
            (&self.env, Section::Env, env),
        ];
        let [workload, env] = parallel::map(&sections, |(part, section, place)| {
            part.check(*section, product, place)
        });
        let workload = Sound::<WorkloadSection>::of(workload, &mut findings);
        let env = Sound::<EnvSection>::of(env, &mut findings);
        let auditor = keep(&mut findings, self.auditor());
        let signer = env
            .as_ref()
            .ok()
            .and_then(|env| keep(&mut findings, self.signer(&env.section)));
        match (workload, env, auditor, signer) {
            (Ok(workload), Ok(env), Some(auditor), Some(signer)) => {
                findings.append(&mut self.warnings);
                Ok(Verified {
                    product,
                    documents: (workload.document, env.document),
                    workload: workload.section,
                    env: env.section,
                    evidence: Evidence {
                        workload: self.workload.hash(),
                        env: self.env.hash(),
                        auditor,
                    },
                    signer,
                    warnings: findings,
                    in_the_clear: (self.workload.is_clear(), self.env.is_clear()),
                    sealed: self.sealed,
                    everything: self.everything,
                })
            }
            (workload, env, ..) if self.everything => {
                let workload = workload.as_ref().map(Sound::part).map_err(Option::as_deref);
                let env = env.as_ref().map(Sound::part).map_err(Option::as_deref);
                let beyond = planning::beyond(product, &workload, &env, &findings);
                findings.extend(beyond);
                findings.append(&mut self.warnings);
                Err(findings)
            }
            _ => Err(findings),
        }
    }

    fn auditor(&self) -> Result<Option<Auditor>, Vec<Finding>> {
        let Some(text) = &self.auditor else {
            return Ok(None);
        };
        let key = PublicKey::parse(text.as_bytes())
            .map_err(|error| vec![error.at(self.places.auditor.clone())])?;
        Ok(Some(Auditor {
            hash: Sha256::digest(key.pem()).into(),
            public_key: key.pem().to_vec(),
        }))
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
        let key = PublicKey::parse(text.as_bytes()).map_err(|error| {
            let mut found = error.at(self.places.env.clone());
            found.code = messages::SIGNATURE_INVALID;
            vec![found]
        })?;
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
