//! `hpcr-check attestation verify`: whether a record came from the image, and whether it is of this contract.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hpcr_contract::attestation::{self, Checksums, Compared, Digests, Subject, Verdict as Match};
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::error::ContractError;
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages;
use hpcr_contract::token::openssl::is_token;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::fleet;
use crate::arguments::{Format, OptionalKey, TimeArguments};
use crate::failure::Failure;
use crate::keys::Opening;
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
///
/// With --fleet the records of many guests are checked, each by itself and all side by side: of each a folder NAME with
/// se-checksums.txt (or .enc) and se-signature.bin, or two files NAME.txt (or .enc) and NAME.sig.
#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The record; - reads standard input
    #[arg(value_name = "FILE", required_unless_present = "fleet")]
    record: Option<PathBuf>,
    /// Check the records of all guests in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["record", "signature"])]
    fleet: Option<PathBuf>,
    /// The guests that must be there, a name a line
    #[arg(long, value_name = "FILE", requires = "fleet")]
    pub(super) guests: Option<PathBuf>,
    /// The image's attestation certificate, or its public key (PEM)
    #[arg(long, value_name = "CERT")]
    pub(super) cert: PathBuf,
    /// The signature (se-signature.bin), raw or base64
    #[arg(long, value_name = "SIG", required_unless_present = "fleet")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    pub(super) key: OptionalKey,
    #[command(flatten)]
    pub(super) time: TimeArguments,
    /// The contract that the guest is said to run: as the guest got it, or with its sections in the clear. Of a fleet, the
    /// contract of all, or a folder with NAME.yaml of each
    #[arg(long, value_name = "CONTRACT")]
    pub(super) contract: Option<PathBuf>,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Checks a record, or those of a fleet.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let Command::Verify(arguments) = &arguments.command;
    let report = match (&arguments.fleet, &arguments.record, &arguments.signature) {
        (Some(folder), ..) => fleet::run(folder, arguments)?,
        (None, Some(record), Some(signature)) => one(record, signature, arguments)?,
        _ => {
            return Err(Failure::Usage(
                "name a record and its --signature, or a --fleet",
            ));
        }
    };
    report.write(arguments.format, output)?;
    Ok(Verdict::of(report.is_good()))
}

/// The key that records must be signed with, and what is to be said of the dates of its certificate: a record outlives it,
/// so that is a warning.
pub(super) fn attested_by(
    arguments: &VerifyArguments,
    report: &mut Report,
) -> Result<PublicKey, Failure> {
    let key = keys::public(&arguments.cert)?;
    if let Some(validity) = key.validity()
        && input::has_ended(validity, arguments.time.at)?
    {
        report.findings.push(Finding::warning(
            messages::CERTIFICATE_INVALID,
            Place::at(input::name(&arguments.cert), ""),
            "the attestation certificate has ended",
            "see that the record is from before its end, and judge it by that time with --at",
        ));
    }
    Ok(key)
}

fn one(record: &Path, signature: &Path, arguments: &VerifyArguments) -> Result<Report, Failure> {
    let name = input::name(record);
    let mut report = Report::about(&name, Vec::new());
    let certificate = attested_by(arguments, &mut report)?;
    let signature = input::key(signature)?;
    match opened(&input::utf8(record)?, &keys::opening(&arguments.key)?)? {
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
    Ok(report)
}

/// The record in the clear.
pub(super) fn opened(
    text: &Zeroizing<String>,
    opening: &Opening,
) -> Result<Result<Zeroizing<String>, ContractError>, Failure> {
    if !is_token(text) {
        return Ok(Ok(text.clone()));
    }
    let key = opening.keys().token.ok_or(Failure::Usage(
        "the record is sealed to its auditor; give the auditor's private RSA key with --key",
    ))?;
    Ok(attestation::open(text.trim(), key))
}

/// What is to be said of a record of an image for development.
pub(super) fn of_development(name: &str) -> Finding {
    Finding::warning(
        messages::ENCRYPT_ATTESTATION,
        Place::at(name, ""),
        "the record is of an image for development, whose keys are public",
        "trust it with nothing that is confidential",
    )
}

/// What the record says, and what it says of another contract than this one.
fn tell(
    report: &mut Report,
    checksums: &Checksums,
    contract: Option<&Path>,
) -> Result<(), Failure> {
    if checksums.development {
        report.findings.push(of_development(&report.name));
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
        report.findings.extend(foreign(&report.name, &compared));
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
pub(super) fn foreign(record: &str, compared: &[Compared]) -> Vec<Finding> {
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
    wrong
        .map(|subject| {
            Finding::new(
                messages::ENCRYPT_ATTESTATION,
                Place::at(record, subject.name()),
                "the digest is not that of the contract",
                "the guest runs another contract: do not trust it with this one's secrets",
            )
        })
        .collect()
}

fn word(verdict: Match) -> &'static str {
    match verdict {
        Match::Matches => "same",
        Match::Differs => "differs",
        Match::Missing => "missing",
        Match::Unknown => "",
    }
}
