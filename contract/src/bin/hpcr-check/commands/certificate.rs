//! `hpcr-check certificate check`: whether the certificate of an image stands on an authority that one trusts.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hpcr_contract::certificate::chain::{Chain, Step};
use hpcr_contract::certificate::{Certificate, RevocationList};
use hpcr_contract::error::ContractError;
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages;
use serde_json::{Map, json};

use crate::arguments::{Format, TimeArguments};
use crate::failure::Failure;
use crate::output::Output;
use crate::report::Report;
use crate::{Verdict, input};

/// Check the encryption or attestation certificate of an image
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(CheckArguments),
}

/// Say whether a certificate is valid: key, dates, every signature up to a trusted root, revocation
///
/// Nothing is fetched: give the authorities and lists that the publisher of the image names.
#[derive(Debug, Args)]
struct CheckArguments {
    /// The certificate (PEM or DER); - reads standard input
    #[arg(value_name = "CERT")]
    certificate: PathBuf,
    /// An authority that is trusted; may be given more than once
    #[arg(
        long = "root",
        visible_alias = "ca",
        value_name = "CERT",
        required = true
    )]
    roots: Vec<PathBuf>,
    /// An authority in between; may be given more than once
    #[arg(long = "intermediate", value_name = "CERT")]
    intermediates: Vec<PathBuf>,
    /// A revocation list; may be given more than once
    #[arg(long = "crl", value_name = "CRL")]
    lists: Vec<PathBuf>,
    #[command(flatten)]
    time: TimeArguments,
    /// Warn where the certificate ends within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    expires_within: u32,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Checks a certificate.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let Command::Check(arguments) = &arguments.command;
    let name = input::name(&arguments.certificate);
    let bundle = read(&arguments.certificate, Certificate::parse_all)?;
    let Some((leaf, bundled)) = bundle.split_first() else {
        return Err(Failure::Usage(
            "there is no certificate in the file; check that it is the right one",
        ));
    };
    let mut intermediates = all(&arguments.intermediates)?;
    intermediates.extend(bundled.iter().cloned());
    let roots = all(&arguments.roots)?;
    let lists: Vec<_> = arguments
        .lists
        .iter()
        .map(|path| list(path))
        .collect::<Result<_, _>>()?;
    let chain = Chain {
        leaf,
        intermediates: &intermediates,
        roots: &roots,
        lists: &lists,
    };
    let found = chain.check(input::now(arguments.time.at)?)?;

    let mut report = Report::about(&name, Vec::new());
    for step in &found.steps {
        report.notes.push(told(step));
        report
            .subjects
            .extend(step.fault.iter().map(|fault| fault.place.file.clone()));
        report.findings.extend(step.fault.clone());
    }
    if (0..i64::from(arguments.expires_within)).contains(&found.days_left) {
        report.findings.push(Finding::warning(
            messages::CERTIFICATE_INVALID,
            Place::at(&name, ""),
            format!("the certificate ends in {} days", found.days_left),
            "take that of a newer image in time",
        ));
    }
    report.verdict = format!("good for {} days", found.days_left);
    report.facts = Map::from_iter([
        ("subject".to_owned(), json!(leaf.subject())),
        ("daysLeft".to_owned(), json!(found.days_left)),
        (
            "steps".to_owned(),
            found
                .steps
                .iter()
                .map(|step| json!({"name": step.name, "good": step.fault.is_none()}))
                .collect(),
        ),
    ]);
    report.write(arguments.format, output)?;
    Ok(Verdict::of(report.is_good()))
}

/// A step in a line. What is wrong is told in place of what the step would have shown.
fn told(step: &Step) -> String {
    let Some(fault) = &step.fault else {
        return format!("good  {}", step.name);
    };
    let what = step.name.split(':').next().unwrap_or_default();
    format!("wrong {what}: {}: {}", fault.place.file, fault.cause)
}

fn all(paths: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    let mut certificates = Vec::new();
    for path in paths {
        certificates.extend(read(path, Certificate::parse_all)?);
    }
    Ok(certificates)
}

fn list(path: &Path) -> Result<RevocationList, Failure> {
    let bytes = input::text(path)?;
    RevocationList::parse(&bytes).map_err(|source| Failure::Key {
        path: path.to_owned(),
        source,
    })
}

fn read<T>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, ContractError>,
) -> Result<T, Failure> {
    parse(&input::key(path)?).map_err(|source| Failure::Key {
        path: path.to_owned(),
        source,
    })
}
