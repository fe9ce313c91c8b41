//! A contract that is what it says, and from there to the plan: first both parties' consent, then every decision.

use super::Rejection;
use crate::certificate::PublicKey;
use crate::consent::{self, Parties};
use crate::error::ContractError;
use crate::finding::{Finding, Place, keep};
use crate::plan::{Evidence, Plan};
use crate::planning::{self, Half};
use crate::product::Product;
use crate::redaction;
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;

/// A contract that follows the schema and whose signature, where it has one, is good.
#[derive(Debug)]
pub struct Verified {
    pub(super) product: Product,
    pub(super) workload: Half<WorkloadSection>,
    pub(super) env: Half<EnvSection>,
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

    /// Which of the two sections anybody who holds the contract can read.
    pub(crate) fn in_the_clear(&self) -> (bool, bool) {
        self.in_the_clear
    }

    /// Both sections, the workload first.
    pub(crate) fn halves(&self) -> (&Half<WorkloadSection>, &Half<EnvSection>) {
        (&self.workload, &self.env)
    }

    /// Where the signing key stands.
    pub fn signing_key_place(&self) -> Place {
        self.env.document.place("/signingKey")
    }

    /// The workload section.
    pub fn workload(&self) -> &WorkloadSection {
        &self.workload.section
    }

    /// The env section.
    pub fn env(&self) -> &EnvSection {
        &self.env.section
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
        redaction::redact(&self.workload.document, &self.env.document)
    }

    /// Checks that the workload agrees to the env that it is paired with.
    ///
    /// Whoever signed a contract that the workload does not agree to is nobody: the rejection is not authenticated.
    pub fn agree(&self) -> Result<Agreed<'_>, Rejection> {
        let parties = Parties {
            signer: self.signer.as_ref(),
            auditor: self.evidence.auditor.as_ref(),
        };
        let (workload, env) = (self.workload.part(), self.env.part());
        let mut findings = consent::refusals(&workload, &env, parties);
        if findings.is_empty() {
            return Ok(Agreed(self));
        }
        if self.everything {
            let nothing = Evidence::default();
            let built = planning::build(self.product, &workload, &env, None, nothing);
            keep(&mut findings, built);
        }
        Err(Rejection::of_nobody(findings, self.sealed, self.everything))
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
            &contract.workload.part(),
            &contract.env.part(),
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
