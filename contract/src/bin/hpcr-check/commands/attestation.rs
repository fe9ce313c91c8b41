//! `hpcr-check attestation verify`: whether a record came from the image, and whether it is of this contract.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hpcr_contract::attestation::{self, Checksums, Subject};
use hpcr_contract::error::ContractError;
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages;
use hpcr_contract::token::openssl::{Token, is_token};
use serde_json::{Map, Value, json};

use crate::arguments::{ContractArguments, Format, OptionalKey, Platform, TimeArguments};
use crate::failure::Failure;
use crate::output::Output;
use crate::report::Report;
use crate::{Verdict, checked, input, keys};

/// Check the attestation record of a guest
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Verify(VerifyArguments),
}

/// Say whether the record was made by the image, and whether it is of a contract
///
/// The record (se-checksums.txt, or sealed: se-checksums.txt.enc) must carry a good signature by the image's
/// attestation key. With --contract its digests must be those of that contract, too.
#[derive(Debug, Args)]
struct VerifyArguments {
    /// The record; - reads standard input
    #[arg(value_name = "FILE")]
    record: PathBuf,
    /// The image's attestation certificate, or its public key (PEM)
    #[arg(long, value_name = "CERT")]
    cert: PathBuf,
    /// The signature (se-signature.bin), raw or base64
    #[arg(long, value_name = "SIG")]
    signature: PathBuf,
    #[command(flatten)]
    key: OptionalKey,
    /// The contract that the guest is said to run; its sections in the clear, or the whole as the guest got it
    #[arg(long, value_name = "CONTRACT")]
    contract: Option<PathBuf>,
    #[command(flatten)]
    time: TimeArguments,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Checks a record.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let Command::Verify(arguments) = &arguments.command;
    let name = input::name(&arguments.record);
    let certificate = keys::public(&arguments.cert)?;
    let signature = raw(input::key(&arguments.signature)?.to_vec());
    let record = match open(arguments)? {
        Ok(record) => record,
        Err(error) => return Ok(Report::refuse(&name, vec![error.at(Place::at(&name, ""))])),
    };
    let mut findings = Vec::new();
    if let Err(error) = attestation::verify(&record, &signature, &certificate) {
        findings.push(error.at(Place::at(&name, "")));
    }
    let mut facts = Map::new();
    match attestation::parse(&record) {
        Err(error) => findings.push(error.at(Place::at(&name, ""))),
        Ok(checksums) => {
            if checksums.development {
                findings.push(development(&name));
            }
            if let Some(contract) = &arguments.contract {
                findings.extend(compare(&checksums, contract, &name, arguments)?);
            }
            facts = told(&checksums);
        }
    }
    let verdict = if arguments.contract.is_some() {
        "good, and of this contract"
    } else {
        "good"
    };
    let report = Report {
        verdict: verdict.into(),
        facts,
        ..Report::about(&name, findings)
    };
    report.write(arguments.format, output)?;
    Ok(Verdict::of(report.is_good()))
}

/// The record in the clear.
fn open(arguments: &VerifyArguments) -> Result<Result<String, ContractError>, Failure> {
    let bytes = input::text(&arguments.record)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if !is_token(&text) {
        return Ok(Ok(text));
    }
    let key = keys::opening(&arguments.key)?.ok_or(Failure::Usage(
        "the record is sealed to its auditor; give the auditor's private key with --key",
    ))?;
    let opened = Token::parse(&text).and_then(|token| token.open(&key));
    Ok(opened.map(|plain| String::from_utf8_lossy(&plain).into_owned()))
}

/// The signature as it came, or without its base64.
fn raw(bytes: Vec<u8>) -> Vec<u8> {
    use base64::Engine as _;
    let compact: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    base64::engine::general_purpose::STANDARD
        .decode(compact)
        .unwrap_or(bytes)
}

/// What the record says of another contract than this one.
fn compare(
    checksums: &Checksums,
    contract: &std::path::Path,
    record: &str,
    arguments: &VerifyArguments,
) -> Result<Vec<Finding>, Failure> {
    let contract = ContractArguments {
        file: contract.to_owned(),
        platform: Platform::default(),
        key: OptionalKey::default(),
        time: TimeArguments {
            at: arguments.time.at,
        },
    };
    let digests = checked::check(&contract)?.digests();
    let digest = |subject: Subject| {
        digests
            .iter()
            .find(|(name, _)| name == subject.name())
            .map(|(_, digest)| digest)
    };
    let recorded = |subject: Subject| {
        checksums
            .hashes
            .get(subject.name())
            .map(|hash| json!(hex::encode(hash)))
    };
    let agrees =
        |subject| recorded(subject).is_some() && recorded(subject).as_ref() == digest(subject);
    // The whole file is the strongest proof; sections in the clear serve where the guest got them sealed.
    if agrees(Subject::UserData) {
        return Ok(Vec::new());
    }
    let sections = [Subject::Workload, Subject::Env, Subject::AuditorKey];
    let known: Vec<_> = sections
        .into_iter()
        .filter(|subject| digest(*subject).is_some())
        .collect();
    let wrong = if known.is_empty() {
        vec![Subject::UserData]
    } else {
        known
    };
    let differs = |subject: &Subject| {
        Finding::new(
            messages::ENCRYPT_ATTESTATION,
            Place::at(record, subject.name()),
            "the digest is not that of the contract",
            "the guest runs another contract: do not trust it with this one's secrets",
        )
    };
    Ok(wrong
        .into_iter()
        .filter(|subject| !agrees(*subject))
        .map(|subject| differs(&subject))
        .collect())
}

fn development(name: &str) -> Finding {
    Finding::warning(
        messages::ENCRYPT_ATTESTATION,
        Place::at(name, ""),
        "the record is of an image for development, whose keys are public",
        "trust it with nothing that is confidential",
    )
}

fn told(checksums: &Checksums) -> Map<String, Value> {
    let hashes = checksums
        .hashes
        .iter()
        .map(|(name, hash)| (name.clone(), json!(hex::encode(hash))));
    Map::from_iter([
        ("version".to_owned(), json!(checksums.version)),
        ("development".to_owned(), json!(checksums.development)),
        ("digests".to_owned(), Value::Object(hashes.collect())),
    ])
}
