//! The commands, one file each: its arguments, and what it does with them.

use std::path::Path;

use hpcr_contract::authoring::Written;
use hpcr_contract::certificate::Certificate;
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::signature;

use crate::cli::Command;
use crate::failure::Failure;
use crate::output::{Output, Readers};
use crate::report::Report;
use crate::{Verdict, input, keys};

pub(crate) mod attestation;
pub(crate) mod certificate;
pub(crate) mod completions;
pub(crate) mod decrypt;
pub(crate) mod diff;
pub(crate) mod encrypt;
pub(crate) mod explain;
mod fleet;
pub(crate) mod initdata;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod network;
pub(crate) mod new;
pub(crate) mod plan;
pub(crate) mod schema;
pub(crate) mod sealed_secret;
pub(crate) mod sign;
pub(crate) mod tgz;
pub(crate) mod validate;
pub(crate) mod verify;

/// Carries a command out.
pub(crate) fn run(command: &Command, output: &Output) -> Result<Verdict, Failure> {
    match command {
        Command::Validate(arguments) => validate::run(arguments, output),
        Command::Decrypt(arguments) => decrypt::run(arguments, output),
        Command::Attestation(arguments) => attestation::run(arguments, output),
        Command::Diff(arguments) => diff::run(arguments, output),
        Command::Inspect(arguments) => inspect::run(arguments, output),
        Command::Initdata(arguments) => initdata::run(arguments, output),
        Command::SealedSecret(arguments) => sealed_secret::run(arguments, output),
        Command::Migrate(arguments) => migrate::run(arguments, output),
        Command::Network(arguments) => network::run(arguments, output),
        Command::Encrypt(arguments) => encrypt::run(arguments, output),
        Command::Sign(arguments) => sign::run(arguments, output),
        Command::Verify(arguments) => verify::run(arguments, output),
        Command::Keygen(arguments) => keygen::run(arguments, output),
        Command::New(arguments) => new::run(arguments, output),
        Command::Certificate(arguments) => certificate::run(arguments, output),
        Command::Plan(arguments) => plan::run(arguments, output),
        Command::Tgz(arguments) => tgz::run(arguments, output),
        Command::Explain(arguments) => explain::run(arguments, output),
        Command::Schema(arguments) => schema::run(arguments, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Man(arguments) => man::run(arguments, output),
    }
}

/// The certificate that a contract is to end with, where one is named; one that has ended is refused, as the contract would be.
fn signing_certificate(
    path: Option<&Path>,
    at: Option<i64>,
) -> Result<Result<Option<Certificate>, Finding>, Failure> {
    let Some(path) = path else {
        return Ok(Ok(None));
    };
    let certificate = keys::certificate(path)?;
    let place = Place::at(input::name(path), "");
    let ended = signature::ended(certificate.validity()?, input::now(at)?, place);
    Ok(ended.map_or(Ok(Some(certificate)), Err))
}

/// Writes a contract that was made, or tells why there is none. What was left out of it is told, too.
fn written(
    made: Result<Written, Vec<Finding>>,
    name: &str,
    output: &Output,
) -> Result<Verdict, Failure> {
    match made {
        Ok(written) => {
            output.write(written.text.as_bytes(), Readers::Owner)?;
            if !written.dropped.is_empty() {
                let mut report = Report::about(name, written.dropped);
                report.verdict = "written".into();
                report.tell();
            }
            Ok(Verdict::Good)
        }
        Err(findings) => Ok(Report::refuse(name, findings)),
    }
}
