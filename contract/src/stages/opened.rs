//! A contract in the clear, on its way to being verified: the schema, the sections as types, the signature.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Rejection;
use super::verified::Verified;
use crate::attestation;
use crate::certificate::PublicKey;
use crate::finding::{Finding, Place, both};
use crate::messages;
use crate::plan::{Auditor, Evidence};
use crate::product::Product;
use crate::schema::{self, Scope, Section};
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::signature::{self, Signed};
use crate::user_data::{Part, Places, Text};
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
    pub(super) fn new(part: Part, clear: Option<Zeroizing<String>>) -> Self {
        match part {
            Part::Mapping(document) => Self::Mapping(document),
            Part::Text(read, origin) => {
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

    /// The section as YAML that follows the schema, with what is worth a word.
    fn validate(
        &self,
        section: Section,
        product: Product,
        place: &Place,
    ) -> Result<(Document, Vec<Finding>), Vec<Finding>> {
        let document = match self {
            Self::Mapping(document) => document.clone(),
            Self::Scalar(scalar, Some(origin)) => {
                Document::parse_from(&scalar.clear, origin.clone())
                    .map_err(|finding| vec![finding])?
            }
            Self::Scalar(scalar, None) => {
                let code = messages::SCHEMA_PARSE_CONTRACT;
                let origin = Origin::within(place.clone(), section.name(), code);
                Document::parse_from(&scalar.clear, origin).map_err(|finding| vec![finding])?
            }
        };
        let findings = schema::check(section, Scope::Contract, product, &document);
        if findings.iter().any(Finding::stops) {
            Err(findings)
        } else {
            Ok((document, findings))
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
        let sealed = self.sealed;
        self.verified(product).map_err(|findings| Rejection {
            findings,
            sealed,
            authenticated: false,
        })
    }

    fn verified(self, product: Product) -> Result<Verified, Vec<Finding>> {
        let (workload, env) = both(
            self.workload
                .validate(Section::Workload, product, &self.places.workload),
            self.env.validate(Section::Env, product, &self.places.env),
        )?;
        let mut warnings = self.warnings.clone();
        warnings.extend([workload.1, env.1].into_iter().flatten());
        let documents = (workload.0, env.0);
        let read = |finding| vec![finding];
        let (workload, env) = both(
            documents.0.read::<WorkloadSection>().map_err(read),
            documents.1.read::<EnvSection>().map_err(read),
        )?;
        let (auditor, signer) = both(self.auditor(), self.signer(&env))?;
        let evidence = Evidence {
            workload: self.workload.hash(),
            env: self.env.hash(),
            auditor,
        };
        Ok(Verified {
            product,
            documents,
            warnings,
            workload,
            env,
            evidence,
            signer,
            in_the_clear: (self.workload.is_clear(), self.env.is_clear()),
            sealed: self.sealed,
        })
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
