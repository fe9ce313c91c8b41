//! A contract that is what it says, and from there to the plan: first both parties' consent, then every decision.

use super::Rejection;
use crate::certificate::PublicKey;
use crate::consent::{self, Parties};
use crate::error::ContractError;
use crate::finding::{Finding, Level, Place};
use crate::plan::{Evidence, Plan};
use crate::planning::{self, Part};
use crate::preflight::{self, Clear, Horizon};
use crate::product::Product;
use crate::redaction;
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::yaml::Document;

/// A contract that follows the schema and whose signature, where it has one, is good.
#[derive(Debug)]
pub struct Verified {
    pub(super) product: Product,
    pub(super) documents: (Document, Document),
    pub(super) workload: WorkloadSection,
    pub(super) env: EnvSection,
    pub(super) evidence: Evidence,
    pub(super) signer: Option<PublicKey>,
    pub(super) warnings: Vec<Finding>,
    /// Which of the two sections anybody who holds the contract can read.
    pub(super) in_the_clear: (bool, bool),
    pub(super) sealed: bool,
    /// All that is wrong is told, also what only planning sees.
    pub(super) everything: bool,
}

impl Verified {
    /// The product that it was written for.
    pub fn product(&self) -> Product {
        self.product
    }

    /// What is worth a word and stops nothing: keys of the sections that mean nothing here, tokens that are weak.
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// What is worth a look before a contract is used, as warnings: seeds that can be guessed, secrets that stand in the
    /// clear, certificates that end.
    pub fn preflight(&self, horizon: Horizon) -> Vec<Finding> {
        // Contracts are written in the clear: one that looks ready to be sent should not be.
        let is_ready = self.signer.is_some() || self.in_the_clear != (true, true);
        let level = if is_ready {
            Level::Warning
        } else {
            Level::Note
        };
        preflight::look(
            &self.workload_part(),
            &self.env_part(),
            Clear {
                sections: self.in_the_clear,
                level,
            },
            horizon,
        )
    }

    /// Where the signing key stands.
    pub fn signing_key_place(&self) -> Place {
        self.documents.1.place("/signingKey")
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

    /// Checks that the workload agrees to the env that it is paired with.
    ///
    /// Whoever signed a contract that the workload does not agree to is nobody: the rejection is not authenticated.
    pub fn agree(&self) -> Result<Agreed<'_>, Rejection> {
        let parties = Parties {
            signer: self.signer.as_ref(),
            auditor: self.evidence.auditor.as_ref(),
        };
        let (workload, env) = (self.workload_part(), self.env_part());
        let mut findings = consent::refusals(&workload, &env, parties);
        if findings.is_empty() {
            return Ok(Agreed(self));
        }
        if self.everything {
            findings.extend(planning::beyond(self.product, &Ok(workload), &Ok(env), &[]));
        }
        Err(Rejection::of_nobody(findings, self.sealed, self.everything))
    }

    fn workload_part(&self) -> Part<'_, WorkloadSection> {
        Part {
            section: &self.workload,
            document: &self.documents.0,
        }
    }

    fn env_part(&self) -> Part<'_, EnvSection> {
        Part {
            section: &self.env,
            document: &self.documents.1,
        }
    }
}

/// A verified contract whose sections agree to each other.
#[derive(Debug, Clone, Copy)]
pub struct Agreed<'a>(&'a Verified);

impl Agreed<'_> {
    /// Makes every decision that the contract calls for.
    pub fn plan(self) -> Result<Plan, Rejection> {
        let contract = self.0;
        let validity = contract.signer.as_ref().and_then(PublicKey::validity);
        planning::build(
            contract.product,
            &contract.workload_part(),
            &contract.env_part(),
            validity.map(|validity| validity.not_after),
            contract.evidence.clone(),
        )
        .map_err(|findings| Rejection {
            findings,
            sealed: contract.sealed,
            authenticated: contract.signer.is_some(),
        })
    }
}
