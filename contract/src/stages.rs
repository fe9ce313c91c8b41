//! The way of a contract: `Sealed`, then `Opened`, then `Verified`. Nothing else makes these types, and each step takes the
//! one before it, so a section that was not verified cannot be planned.
//!
//! Every token of a contract goes through the whole of unwrapping and decryption before any verdict. Why a contract was
//! rejected is collected here for whoever may know; who that is, `disclosure` decides.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::attestation;
use crate::certificate::PublicKey;
use crate::error::ContractError;
use crate::finding::{Finding, Level, Place};
use crate::messages;
use crate::opening;
use crate::plan::{Auditor, Evidence, Plan};
use crate::product::Product;
use crate::schema::{self, Scope, Section};
use crate::sections::env::{self, EnvSection};
use crate::sections::workload::{self, WorkloadSection};
use crate::signature::{self, Signed};
use crate::token::openssl::{DecryptionKey, Token};
use crate::user_data::{Part, Places, Text, UserData, mentions_token};
use crate::yaml::{Document, Origin};
use crate::{planning, redaction};

/// A contract that goes no further.
#[derive(Debug)]
pub struct Rejection {
    /// Everything that is wrong; at least one.
    pub findings: Vec<Finding>,
    /// The contract holds tokens, or speaks of one.
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

/// A contract whose envelope was read; its tokens are still closed.
#[derive(Debug)]
pub struct Sealed(UserData);

impl Sealed {
    /// Reads the envelope of a contract of at most 32 MiB; `name` is what findings call the file.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Rejection> {
        UserData::parse(bytes, name)
            .map(Self)
            .map_err(|findings| Rejection {
                findings,
                sealed: mentions_token(bytes),
                authenticated: false,
            })
    }

    /// Whether opening it takes a key.
    pub fn needs_key(&self) -> bool {
        self.0.has_tokens()
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

    /// Opens every token with the key; a contract in the clear needs none.
    pub fn open(self, key: Option<&DecryptionKey>) -> Result<Opened, Rejection> {
        let sealed = self.0.has_tokens();
        let UserData {
            workload,
            env,
            auditor,
            signature,
            places,
            ..
        } = self.0;
        let tokens = workload.is_token() && env.is_token();
        // All three before any verdict: the first failure must not spare the others' work.
        let workload = Opener {
            key,
            place: &places.workload,
        }
        .part(workload);
        let env = Opener {
            key,
            place: &places.env,
        }
        .part(env);
        let auditor = auditor
            .map(|text| {
                Opener {
                    key,
                    place: &places.auditor,
                }
                .text(text)
            })
            .transpose();
        match (workload, env, auditor) {
            (Ok(workload), Ok(env), Ok(auditor)) => {
                let auditor = auditor.map(|scalar| scalar.clear);
                Ok(Opened {
                    workload,
                    env,
                    auditor,
                    signature,
                    places,
                    tokens,
                    sealed,
                })
            }
            (workload, env, auditor) => {
                let findings = [workload.err(), env.err(), auditor.err()]
                    .into_iter()
                    .flatten()
                    .collect();
                Err(Rejection {
                    findings,
                    sealed,
                    authenticated: false,
                })
            }
        }
    }
}

/// Opens one part of a contract.
struct Opener<'a> {
    key: Option<&'a DecryptionKey>,
    place: &'a Place,
}

impl Opener<'_> {
    fn part(&self, part: Part) -> Result<OpenPart, Finding> {
        match part {
            Part::Mapping(document) => Ok(OpenPart::Mapping(document)),
            Part::Text(text, origin) => {
                let origin = origin.filter(|_| !text.is_token());
                self.text(text)
                    .map(|scalar| OpenPart::Scalar(scalar, origin))
            }
        }
    }

    fn text(&self, read: Text) -> Result<Scalar, Finding> {
        opening::clear(&read, self.key, self.place).map(|clear| Scalar { read, clear })
    }
}

/// A section that can be read.
#[derive(Debug)]
enum OpenPart {
    Scalar(Scalar, Option<Origin>),
    Mapping(Document),
}

/// A scalar as it was read, and what it says in the clear.
#[derive(Debug)]
struct Scalar {
    read: Text,
    clear: Zeroizing<String>,
}

impl OpenPart {
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
    workload: OpenPart,
    env: OpenPart,
    auditor: Option<Zeroizing<String>>,
    signature: Option<String>,
    places: Places,
    tokens: bool,
    sealed: bool,
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
        let ((workload, mut warnings), (env, others)) = both(
            self.workload
                .validate(Section::Workload, product, &self.places.workload),
            self.env.validate(Section::Env, product, &self.places.env),
        )?;
        warnings.extend(others);
        let documents = (workload, env);
        let (workload, env) = both(workload::read(&documents.0), env::read(&documents.1))?;
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

/// Both results, or the findings of both.
pub(crate) fn both<A, B>(
    first: Result<A, Vec<Finding>>,
    second: Result<B, Vec<Finding>>,
) -> Result<(A, B), Vec<Finding>> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (first, second) => Err([first.err(), second.err()]
            .into_iter()
            .flatten()
            .flatten()
            .collect()),
    }
}

/// A contract that follows the schema and whose signature, where it has one, is good.
#[derive(Debug)]
pub struct Verified {
    product: Product,
    warnings: Vec<Finding>,
    documents: (Document, Document),
    workload: WorkloadSection,
    env: EnvSection,
    evidence: Evidence,
    signer: Option<PublicKey>,
    sealed: bool,
}

impl Verified {
    /// The product that it was written for.
    pub fn product(&self) -> Product {
        self.product
    }

    /// What is worth a word and stops nothing: keys of the sections that mean nothing here.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The workload section.
    pub fn workload(&self) -> &WorkloadSection {
        &self.workload
    }

    /// The env section.
    pub fn env(&self) -> &EnvSection {
        &self.env
    }

    /// What the attestation record says of the contract.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// The key that signed the contract, with the validity of its certificate where it came in one.
    pub fn signer(&self) -> Option<&PublicKey> {
        self.signer.as_ref()
    }

    /// The contract as a person or container of the workload may see it: without seeds, keys, credentials and the values
    /// of the deployer's environment. YAML.
    pub fn redacted(&self) -> Result<String, ContractError> {
        redaction::redact(&self.documents.0, &self.documents.1)
    }

    /// Makes every decision that the contract calls for.
    pub fn plan(&self) -> Result<Plan, Rejection> {
        let validity = self.signer.as_ref().and_then(PublicKey::validity);
        let expires = validity.map(|validity| validity.not_after);
        planning::build(
            &planning::Part {
                section: &self.workload,
                document: &self.documents.0,
            },
            &planning::Part {
                section: &self.env,
                document: &self.documents.1,
            },
            expires,
            self.evidence.clone(),
        )
        .map_err(|findings| Rejection {
            findings,
            sealed: self.sealed,
            authenticated: self.signer.is_some(),
        })
    }
}

#[cfg(test)]
mod tests;
