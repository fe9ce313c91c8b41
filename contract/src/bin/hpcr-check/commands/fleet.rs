//! `hpcr-check attestation verify --fleet`: the records of many guests, each checked as one is, and all side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hpcr_contract::attestation::fleet::{self, Guest, MOST_GUESTS};
use hpcr_contract::attestation::{self, Checksums, Digests};
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::attestation::{VerifyArguments, attested_by, foreign, opened};
use crate::failure::Failure;
use crate::input;
use crate::keys::{self, Opening};
use crate::report::Report;

/// How a file of a guest ends: its record, in the clear or sealed, and its signature.
const RECORDS: [&str; 3] = [".txt.enc", ".enc", ".txt"];
const SIGNATURES: [&str; 2] = [".sig", ".bin"];
/// What they are called in a folder of a guest's own.
const OWN: [&str; 3] = [
    "se-checksums.txt",
    "se-checksums.txt.enc",
    "se-signature.bin",
];

/// The files of one guest.
#[derive(Default)]
struct Files {
    records: Vec<PathBuf>,
    signatures: Vec<PathBuf>,
}

/// What is needed to judge each guest.
struct Judge<'a> {
    certificate: PublicKey,
    opening: Opening,
    contracts: Contracts<'a>,
}

/// The contracts that guests are said to run.
enum Contracts<'a> {
    None,
    /// One for all.
    One(Digests),
    /// Of each its own: `NAME.yaml` in a folder.
    Each(&'a Path),
}

/// Checks every record below a folder.
pub(super) fn run(folder: &Path, arguments: &VerifyArguments) -> Result<Report, Failure> {
    let mut report = Report::about(&input::name(folder), Vec::new());
    let found = guests(folder, &mut report.findings)?;
    let contracts = match arguments.contract.as_deref() {
        None => Contracts::None,
        Some(path) if path.is_dir() => Contracts::Each(path),
        Some(path) => match digests(path)? {
            Ok(digests) => Contracts::One(digests),
            Err(findings) => return Ok(Report::about(&report.name, findings)),
        },
    };
    report.subjects.extend(found.keys().cloned());
    for name in expected(arguments, &contracts)? {
        if !found.contains_key(&name) {
            let remedy = "get its record and signature, or take its name off the list";
            report
                .findings
                .push(wrong(&name, "no record of this guest is there", remedy));
            report.subjects.insert(name);
        }
    }
    let judge = Judge {
        certificate: attested_by(arguments, &mut report)?,
        opening: keys::opening(&arguments.key)?,
        contracts,
    };
    let mut fleet = Vec::new();
    for (name, files) in &found {
        let mut findings = Vec::new();
        fleet.extend(judge.guest(name, files, &mut findings)?);
        report.findings.extend(findings);
    }
    let one_contract = matches!(judge.contracts, Contracts::One(_));
    report.findings.extend(fleet::compare(&fleet, one_contract));
    if found.is_empty() {
        let remedy = "put a folder of each guest there, with se-checksums.txt and se-signature.bin; or NAME.txt and NAME.sig";
        report
            .findings
            .push(wrong(&report.name, "there is no record", remedy));
    }
    told(&mut report, &found, &fleet);
    report.verdict = match &judge.contracts {
        Contracts::None => format!("{} guests, and every record is good", fleet.len()),
        _ => format!(
            "{} guests, and every record is good and of its contract",
            fleet.len()
        ),
    };
    report.refusal = Some("the fleet is not as it should be");
    Ok(report)
}

const TOO_MANY: &str = "the folder holds too many files; a fleet has 4096 guests at most";

/// The guests by name: folders of their own, or files that share a name.
fn guests(folder: &Path, findings: &mut Vec<Finding>) -> Result<BTreeMap<String, Files>, Failure> {
    let mut guests: BTreeMap<String, Files> = BTreeMap::new();
    for (name, path) in listed(folder)? {
        if path.is_dir() {
            let files = guests.entry(name).or_default();
            let own = |names: &[&str]| -> Vec<PathBuf> {
                let paths = names.iter().map(|name| path.join(name));
                paths.filter(|path| path.exists()).collect()
            };
            files.records.extend(own(&OWN[..2]));
            files.signatures.extend(own(&OWN[2..]));
            continue;
        }
        let strip = |ends: &[&str]| {
            let bare = ends.iter().find_map(|end| name.strip_suffix(end));
            bare.filter(|bare| !bare.is_empty()).map(str::to_owned)
        };
        if let Some(guest) = strip(&RECORDS) {
            guests.entry(guest).or_default().records.push(path);
        } else if let Some(guest) = strip(&SIGNATURES) {
            guests.entry(guest).or_default().signatures.push(path);
        } else {
            findings.push(Finding::warning(
                messages::ENCRYPT_ATTESTATION,
                Place::at(path.display().to_string(), ""),
                "this is no file of a guest, and was not looked at",
                "name records NAME.txt or NAME.enc, and their signatures NAME.sig",
            ));
        }
    }
    if guests.len() > MOST_GUESTS {
        return Err(Failure::Usage(TOO_MANY));
    }
    Ok(guests)
}

/// The names in a folder with their paths, in order; hidden ones are left out.
fn listed(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Failure> {
    let unreadable = |source| Failure::Read {
        path: folder.to_owned(),
        source,
    };
    let mut listed = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        // A guest has two files at most, and perhaps a third that says nothing.
        if listed.len() == 3 * MOST_GUESTS {
            return Err(Failure::Usage(TOO_MANY));
        }
        listed.insert(name, entry.path());
    }
    Ok(listed)
}

/// The guests that must be there.
fn expected(
    arguments: &VerifyArguments,
    contracts: &Contracts<'_>,
) -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    if let Some(list) = &arguments.guests {
        let text = input::utf8(list)?;
        let lines = text.lines().map(str::trim);
        names.extend(
            lines
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(str::to_owned),
        );
    }
    if let Contracts::Each(folder) = contracts {
        let contracts = listed(folder)?.into_keys();
        names.extend(contracts.filter_map(|name| Some(name.strip_suffix(".yaml")?.to_owned())));
    }
    Ok(names)
}

fn digests(path: &Path) -> Result<Result<Digests, Vec<Finding>>, Failure> {
    Ok(Digests::of_contract(
        &input::contract(path)?,
        &input::name(path),
        None,
    ))
}

fn wrong(name: &str, cause: impl Into<String>, remedy: &str) -> Finding {
    let place = Place::at(name, "");
    Finding::new(messages::ENCRYPT_ATTESTATION, place, cause, remedy)
}

impl Judge<'_> {
    /// One guest; none where its record cannot be believed.
    fn guest(
        &self,
        name: &str,
        files: &Files,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<Guest>, Failure> {
        let (record, signature) = match (&files.records[..], &files.signatures[..]) {
            ([record], [signature]) => (record, signature),
            (records, signatures) => {
                for (files, what) in [(records, "record"), (signatures, "signature")] {
                    if files.len() != 1 {
                        let number = if files.is_empty() {
                            "no"
                        } else {
                            "more than one"
                        };
                        let cause = format!("there is {number} {what} of this guest");
                        findings.push(wrong(
                            name,
                            cause,
                            "keep one record and one signature of each guest",
                        ));
                    }
                }
                return Ok(None);
            }
        };
        let signature = input::key(signature)?;
        let checked = opened(&input::record(record)?, &self.opening)?.and_then(|text| {
            attestation::verify(&text, &signature, &self.certificate)?;
            Ok((
                Sha256::digest(text.as_bytes()).into(),
                attestation::parse(&text)?,
            ))
        });
        let (digest, checksums) = match checked {
            Ok(checked) => checked,
            Err(error) => {
                findings.push(error.at(Place::at(name, "")));
                return Ok(None);
            }
        };
        if checksums.development {
            findings.push(super::attestation::of_development(name));
        }
        self.contract(name, &checksums, findings)?;
        Ok(Some(Guest {
            name: name.to_owned(),
            record: digest,
            checksums,
        }))
    }

    fn contract(
        &self,
        name: &str,
        checksums: &Checksums,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Failure> {
        let own;
        let digests = match &self.contracts {
            Contracts::None => return Ok(()),
            Contracts::One(digests) => digests,
            Contracts::Each(folder) => {
                let path = folder.join(format!("{name}.yaml"));
                if !path.exists() {
                    let remedy = "give NAME.yaml of every guest, as it was sent";
                    findings.push(wrong(name, "there is no contract of this guest", remedy));
                    return Ok(());
                }
                own = match self::digests(&path)? {
                    Ok(digests) => digests,
                    Err(found) => {
                        findings.extend(found);
                        return Ok(());
                    }
                };
                &own
            }
        };
        findings.extend(foreign(name, &digests.compare(checksums)));
        Ok(())
    }
}

/// The table, a line a guest, and the same as JSON.
fn told(report: &mut Report, found: &BTreeMap<String, Files>, fleet: &[Guest]) {
    let good: BTreeMap<&str, &Guest> = fleet
        .iter()
        .map(|guest| (guest.name.as_str(), guest))
        .collect();
    let bad: BTreeSet<String> = report
        .findings
        .iter()
        .filter(|finding| finding.stops())
        .map(|finding| finding.place.file.clone())
        .collect();
    let width = found
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    let mut guests = Vec::new();
    for name in found.keys() {
        let guest = good.get(name.as_str());
        let is_good = guest.is_some() && !bad.contains(name);
        let version = guest.and_then(|guest| guest.checksums.version.as_deref());
        let hash = |subject: &str| guest.and_then(|guest| guest.checksums.hashes.get(subject));
        let image = hash(attestation::Subject::BaseImage.name()).map(hex::encode);
        report.notes.push(format!(
            "{} {name:width$}  image {:12}  {}",
            if is_good { "good" } else { "bad " },
            image
                .as_deref()
                .and_then(|image| image.get(..12))
                .unwrap_or("-"),
            version.unwrap_or("-"),
        ));
        let hashes = guest.map(|guest| {
            let hashes = guest.checksums.hashes.iter();
            hashes
                .map(|(name, hash)| (name.clone(), json!(hex::encode(hash))))
                .collect::<Map<_, _>>()
        });
        guests.push(json!({"name": name, "good": is_good, "version": version, "digests": hashes}));
    }
    report
        .facts
        .insert("guests".to_owned(), Value::Array(guests));
}
