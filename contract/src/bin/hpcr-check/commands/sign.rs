//! `hpcr-check sign`: adds the signature that covers both sections.

use std::path::PathBuf;

use clap::Args;
use hpcr_contract::authoring;

use crate::arguments::{RequiredKey, TimeArguments};
use crate::failure::Failure;
use crate::output::Output;
use crate::report::Report;
use crate::{Verdict, input, keys};

/// Sign a contract
///
/// Prints the contract with envWorkloadSignature, over the sections as they stand. Sign last: whoever changes or seals a
/// section afterwards breaks the signature. An env section in the clear gets signingKey where it has none; a sealed one
/// must hold it already (encrypt --contract --sign-key does all of it in one go).
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The contract; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    key: RequiredKey,
    /// A certificate of the key for env.signingKey: the contract ends with it
    #[arg(long, value_name = "CERT")]
    cert: Option<PathBuf>,
    #[command(flatten)]
    time: TimeArguments,
}

/// Signs a contract.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let key = keys::private(&arguments.key.key, &arguments.key.passphrase)?;
    let name = input::name(&arguments.file);
    let contract = input::utf8(&arguments.file)?;
    let (path, at) = (arguments.cert.as_deref(), arguments.time.at);
    let certificate = match super::signing_certificate(path, at)? {
        Ok(certificate) => certificate,
        Err(finding) => return Ok(Report::refuse(&name, vec![finding])),
    };
    let signer = keys::signer(&key, certificate.as_ref())?;
    super::written(authoring::sign(&contract, &name, signer), &name, output)
}
