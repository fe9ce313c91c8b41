//! `hpcr-check sealed-secret`: values that only the guest of a ccco contract opens, and that show who made them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hpcr_contract::confidential_containers::sealed_secret::{self, Party};
use hpcr_contract::error::ContractError;
use hpcr_contract::finding::Place;
use zeroize::Zeroizing;

use crate::arguments::{Passphrase, RequiredKey, Section};
use crate::failure::Failure;
use crate::output::{Output, Readers};
use crate::report::Report;
use crate::{Verdict, input, keys};

/// Make and open the sealed secrets of confidential containers (ccco)
///
/// The private key that opens and the public key that verifies stand in `confidential-containers.secret` of a section,
/// as decryptionKey and verificationKey. keygen makes both pairs.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Seal(SealArguments),
    Open(OpenArguments),
}

/// Seal a value: one line that begins with sealed.
#[derive(Debug, Args)]
struct SealArguments {
    /// The value, sealed byte for byte (1 MiB at most); - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The section whose keys are meant
    #[arg(long, value_name = "SECTION")]
    section: Section,
    /// The public half of that section's decryptionKey (PEM)
    #[arg(long, value_name = "KEY")]
    cert: PathBuf,
    /// The private half of that section's verificationKey (PEM)
    #[arg(long, value_name = "KEY")]
    sign_key: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Check who made a sealed secret, and print what it says, byte for byte
#[derive(Debug, Args)]
struct OpenArguments {
    /// The sealed secret; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The section whose keys are meant
    #[arg(long, value_name = "SECTION")]
    section: Section,
    #[command(flatten)]
    key: RequiredKey,
    /// That section's verificationKey: the public key of who made it (PEM)
    #[arg(long, value_name = "KEY")]
    signer: PathBuf,
}

/// Seals or opens a secret.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let (file, made) = match &arguments.command {
        Command::Seal(arguments) => (&arguments.file, seal(arguments)?),
        Command::Open(arguments) => (&arguments.file, open(arguments)?),
    };
    match made {
        Ok(bytes) => {
            output.write(&bytes, Readers::Owner)?;
            Ok(Verdict::Good)
        }
        Err(error) => {
            let name = input::name(file);
            Ok(Report::refuse(&name, vec![error.at(Place::at(&name, ""))]))
        }
    }
}

type Made = Result<Zeroizing<Vec<u8>>, ContractError>;

fn seal(arguments: &SealArguments) -> Result<Made, Failure> {
    let secret = input::text(&arguments.file)?;
    let to = keys::public(&arguments.cert)?;
    let signer = keys::private(&arguments.sign_key, &arguments.passphrase)?;
    let sealed = sealed_secret::seal(&secret, party(arguments.section), &to, &signer);
    Ok(sealed.map(|text| Zeroizing::new((text + "\n").into_bytes())))
}

fn open(arguments: &OpenArguments) -> Result<Made, Failure> {
    let text = input::utf8(&arguments.file)?;
    let key = keys::private(&arguments.key.key, &arguments.key.passphrase)?;
    let key = keys::decryption(&arguments.key.key, key)?;
    let signer = keys::public(&arguments.signer)?;
    Ok(sealed_secret::open(
        &text,
        party(arguments.section),
        &key,
        &signer,
    ))
}

fn party(section: Section) -> Party {
    match section {
        Section::Workload => Party::Workload,
        Section::Env => Party::Env,
    }
}
