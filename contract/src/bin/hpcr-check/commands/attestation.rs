//! `hpcr-check attestation verify`: whether a record came from the image, and whether it is of this contract.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hpcr_contract::attestation::{self, Checksums, Compared, Digests, Subject, Verdict as Match};
use hpcr_contract::error::ContractError;
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages;
use hpcr_contract::token::openssl::is_token;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::arguments::{Format, OptionalKey};
use crate::failure::Failure;
use crate::output::Output;
use crate::report::Report;
use crate::{Verdict, input, keys};

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
    /// The contract that the guest is said to run: as the guest got it, or with its sections in the clear
    #[arg(long, value_name = "CONTRACT")]
    contract: Option<PathBuf>,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Checks a record.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let Command::Verify(arguments) = &arguments.command;
    let name = input::name(&arguments.record);
    let certificate = keys::public(&arguments.cert)?;
    let signature = input::key(&arguments.signature)?;
    let mut report = Report::about(&name, Vec::new());
    match opened(arguments)? {
        Err(error) => report.findings.push(error.at(Place::at(&name, ""))),
        Ok(record) => {
            if let Err(error) = attestation::verify(&record, &signature, &certificate) {
                report.findings.push(error.at(Place::at(&name, "")));
            }
            match attestation::parse(&record) {
                Err(error) => report.findings.push(error.at(Place::at(&name, ""))),
                Ok(checksums) => tell(&mut report, &checksums, arguments.contract.as_deref())?,
            }
        }
    }
    report.write(arguments.format, output)?;
    Ok(Verdict::of(report.is_good()))
}

/// The record in the clear.
fn opened(
    arguments: &VerifyArguments,
) -> Result<Result<Zeroizing<String>, ContractError>, Failure> {
    let text = input::utf8(&arguments.record)?;
    if !is_token(&text) {
        return Ok(Ok(text));
    }
    let opening = keys::opening(&arguments.key)?;
    let key = opening.keys().token.ok_or(Failure::Usage(
        "the record is sealed to its auditor; give the auditor's private RSA key with --key",
    ))?;
    Ok(attestation::open(text.trim(), key))
}

/// What the record says, and what it says of another contract than this one.
fn tell(
    report: &mut Report,
    checksums: &Checksums,
    contract: Option<&Path>,
) -> Result<(), Failure> {
    if checksums.development {
        report.findings.push(Finding::warning(
            messages::ENCRYPT_ATTESTATION,
            Place::at(&report.name, ""),
            "the record is of an image for development, whose keys are public",
            "trust it with nothing that is confidential",
        ));
    }
    report.verdict = "the signature is good".into();
    let compared = match contract {
        None => Digests::default().compare(checksums),
        Some(path) => {
            report.verdict = "the signature is good, and the record is of this contract".into();
            match Digests::of_contract(&input::contract(path)?, &input::name(path), None) {
                Ok(digests) => digests.compare(checksums),
                Err(findings) => {
                    report.findings.extend(findings);
                    return Ok(());
                }
            }
        }
    };
    if contract.is_some() {
        for name in foreign(&compared) {
            report.findings.push(Finding::new(
                messages::ENCRYPT_ATTESTATION,
                Place::at(&report.name, name),
                "the digest is not that of the contract",
                "the guest runs another contract: do not trust it with this one's secrets",
            ));
        }
    }
    let line = |one: &Compared| {
        let hash = checksums
            .hashes
            .get(&one.name)
            .map(hex::encode)
            .unwrap_or_default();
        format!("{:<8} {hash:64} {}", word(one.verdict), one.name)
    };
    report.notes.extend(compared.iter().map(line));
    let hashes = checksums
        .hashes
        .iter()
        .map(|(name, hash)| (name.clone(), json!(hex::encode(hash))));
    report.facts = Map::from_iter([
        ("version".to_owned(), json!(checksums.version)),
        ("development".to_owned(), json!(checksums.development)),
        ("digests".to_owned(), Value::Object(hashes.collect())),
    ]);
    Ok(())
}

/// The lines that are of another contract. The file as a whole is the strongest proof; where the guest got it in another
/// form (sealed, say), its sections serve.
fn foreign(compared: &[Compared]) -> Vec<String> {
    let verdict = |subject: Subject| {
        compared
            .iter()
            .find(|one| one.name == subject.name())
            .map(|one| one.verdict)
    };
    if verdict(Subject::UserData) == Some(Match::Matches) {
        return Vec::new();
    }
    let sections = [Subject::Workload, Subject::Env, Subject::AuditorKey];
    let is_known = |subject: &Subject| {
        matches!(
            verdict(*subject),
            Some(Match::Matches | Match::Differs | Match::Missing)
        )
    };
    let known: Vec<Subject> = sections.into_iter().filter(is_known).collect();
    let decisive = if known.is_empty() {
        vec![Subject::UserData]
    } else {
        known
    };
    let wrong = decisive
        .into_iter()
        .filter(|subject| verdict(*subject) != Some(Match::Matches));
    wrong.map(|subject| subject.name().to_owned()).collect()
}

fn word(verdict: Match) -> &'static str {
    match verdict {
        Match::Matches => "same",
        Match::Differs => "differs",
        Match::Missing => "missing",
        Match::Unknown => "",
    }
}
