//! A contract that was reviewed, as the commands tell of it.

use hpcr_contract::attestation::Subject;
use hpcr_contract::authoring;
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::contents::Contents;
use hpcr_contract::finding::{Finding, Level};
use hpcr_contract::plan::Plan;
use hpcr_contract::review::Review;
use hpcr_contract::sources::Sources;
use hpcr_contract::stages::Verified;
use hpcr_contract::workload::archive::Unpacked;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::arguments::ContractArguments;
use crate::failure::Failure;
use crate::keys::Opening;
use crate::report::Report;
use crate::{input, keys};

/// What is known of a contract at the end of its way.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What the user called it.
    pub(crate) name: String,
    bytes: Zeroizing<Vec<u8>>,
    key: Opening,
    /// SHA-256 of workload and env in the clear, of those that are open.
    hashes: [Option<[u8; 32]>; 2],
    /// Everything that was said about it.
    pub(crate) findings: Vec<Finding>,
    /// Both sections, where they follow the schema and the signature holds.
    pub(crate) verified: Option<Verified>,
    /// What the guest would do; none where something stops it, or where nobody could open it.
    pub(crate) plan: Option<Plan>,
    /// The parts that are sealed and for which no key was given: what they say was not checked.
    pub(crate) closed: Vec<&'static str>,
    /// Some section was looked into.
    open: bool,
    unpacked: Unpacked,
}

/// Reads and checks the contract that the arguments name.
pub(crate) fn check(arguments: &ContractArguments) -> Result<Checked, Failure> {
    let key = keys::opening(&arguments.key)?;
    let horizon = arguments.horizon()?;
    let name = input::name(&arguments.file);
    let bytes = input::contract(&arguments.file)?;
    let product = arguments.platform.product;
    let review = Review::of(&bytes, &name, key.keys(), product, horizon);
    Ok(Checked {
        name,
        bytes,
        key,
        hashes: review.hashes,
        findings: review.findings,
        verified: review.verified,
        plan: review.plan,
        closed: review.closed,
        open: review.open,
        unpacked: review.unpacked,
    })
}

impl Checked {
    /// The contract as a tree.
    pub(crate) fn contents(&self) -> Result<Contents, Vec<Finding>> {
        Contents::read(&self.bytes, &self.name, self.key.keys())
    }

    /// Whose signature it carries, however much else is wrong with it; none where it carries none.
    pub(crate) fn signer(&self) -> Option<Result<PublicKey, Vec<Finding>>> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let is_signed = self.contents().is_ok_and(|contents| contents.is_signed());
        is_signed.then(|| authoring::verify(text, &self.name, None, self.key.keys()))
    }

    /// The digests that an attestation record has of it, as far as it is open: hexadecimal SHA-256 by name.
    pub(crate) fn digests(&self) -> Vec<(String, Value)> {
        let hash =
            |subject: Subject, hash: &[u8]| (subject.name().to_owned(), json!(hex::encode(hash)));
        let mut digests = vec![hash(Subject::UserData, &Sha256::digest(&*self.bytes))];
        let sections = [Subject::Workload, Subject::Env]
            .into_iter()
            .zip(&self.hashes);
        digests.extend(sections.filter_map(|(subject, sum)| Some(hash(subject, sum.as_ref()?))));
        if let Some(auditor) = self
            .verified
            .as_ref()
            .and_then(|verified| verified.evidence().auditor.as_ref())
        {
            digests.push(hash(Subject::AuditorKey, &auditor.hash));
        }
        digests
    }

    /// What is to be told of it.
    pub(crate) fn report(self, strict: bool) -> Report {
        let sources = if self.findings.is_empty() {
            Sources::default()
        } else {
            let (keys, findings) = (self.key.keys(), &self.findings);
            Sources::of_contract(&self.bytes, &self.name, keys, findings, &self.unpacked)
        };
        let is_signed = self
            .verified
            .as_ref()
            .is_some_and(|verified| verified.signer().is_some());
        let limits = self
            .findings
            .iter()
            .any(|finding| finding.level == Level::Limit);
        let (verdict, checked) = match (&self.closed[..], self.open) {
            ([], _) if limits => (
                "valid, but the guest of this version does not run it",
                "contract",
            ),
            ([], _) if is_signed => ("valid, and signed", "contract"),
            ([], _) => ("valid, and not signed", "contract"),
            (_, false) => (
                "the envelope is valid; the sections are sealed and were not checked: give their key with --key",
                "envelope",
            ),
            (_, true) => (
                "valid as far as it is open; what is sealed was not checked: give its key with --key",
                "open",
            ),
        };
        let facts = [
            ("checked", json!(checked)),
            ("signed", json!(is_signed)),
            ("runs", json!(self.plan.is_some())),
        ];
        Report {
            name: self.name,
            verdict: verdict.to_owned(),
            facts: facts
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect::<Map<_, _>>(),
            sources,
            findings: self.findings,
            strict,
            ..Report::default()
        }
    }
}
