//! `hpcr-check verify`: whether the signature of a contract holds, and whose it is.

use std::path::PathBuf;

use clap::Args;
use hpcr_contract::authoring;
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::contents::Contents;
use hpcr_contract::finding::{Finding, Level, Place};
use hpcr_contract::signature;
use hpcr_contract::stages::Keys;
use serde_json::{Map, json};

use crate::arguments::{Format, OptionalKey, Passphrase, TimeArguments};
use crate::failure::Failure;
use crate::keys::{KeyFile, Opening};
use crate::output::Output;
use crate::report::Report;
use crate::{Verdict, input, keys};

/// Check the signature of a contract
///
/// By the signingKey of the env section: where that is sealed, --key opens it. Without the image's key, --key may be the
/// signer's own: public key, certificate or private key.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The contract; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    key: OptionalKey,
    #[command(flatten)]
    time: TimeArguments,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Checks a signature.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let name = input::name(&arguments.file);
    let contract = input::utf8(&arguments.file)?;
    let key = arguments.key.key.as_deref();
    let signer = match key.map(KeyFile::read).transpose()? {
        None => by_env(&contract, &name, &Opening::default())?,
        Some(key) if key.is_age() => {
            let opening = key.opening(&arguments.key.passphrase)?;
            by_env(&contract, &name, &opening)?
        }
        Some(key) if key.is_private() => {
            by_private(&contract, &name, &key, &arguments.key.passphrase)?
        }
        Some(key) => authoring::verify(&contract, &name, Some(&key.public()?), None),
    };
    let report = match signer {
        Ok(signer) => {
            let hash = hex::encode(signer.fingerprint()?);
            let place = Place::at(&name, "env.signingKey");
            let ended = match signer.validity() {
                Some(validity) => signature::ended(validity, input::now(arguments.time.at)?, place),
                None => None,
            };
            // The signature is what was asked for, and it holds.
            let finding = ended.map(|finding| finding.with_level(Level::Warning));
            Report {
                verdict: format!("the signature is good; the key that made it has SHA-256 {hash}"),
                facts: Map::from_iter([("signer".to_owned(), json!(hash))]),
                ..Report::about(&name, finding.into_iter().collect())
            }
        }
        Err(findings) => Report::about(&name, findings),
    };
    report.write(arguments.format, output)?;
    Ok(Verdict::of(report.is_good()))
}

type Signer = Result<PublicKey, Vec<Finding>>;

/// By the key that the env section names, which takes the image's where that is sealed.
fn by_env(contract: &str, name: &str, opening: &Opening) -> Result<Signer, Failure> {
    if Contents::read(contract.as_bytes(), name, Keys::default())
        .is_ok_and(|contents| contents.is_signed())
    {
        opening.suits_parts(contract, &["env"])?;
    }
    Ok(authoring::verify(contract, name, None, opening.keys()))
}

/// The private key may be the signer's or the image's: the contract tells which.
fn by_private(
    contract: &str,
    name: &str,
    key: &KeyFile<'_>,
    passphrase: &Passphrase,
) -> Result<Signer, Failure> {
    let signer = key.private(passphrase)?;
    let by_signer = authoring::verify(contract, name, Some(&signer.public_key()?), None);
    if by_signer.is_ok() {
        return Ok(by_signer);
    }
    by_env(
        contract,
        name,
        &Opening::of_token(keys::decryption(key.path, signer)?),
    )
}
