//! `hpcr-check encrypt`: seals a section, or all of a contract.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hpcr_contract::authoring;
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages;
use hpcr_contract::token::openssl::Prefix;
use hpcr_contract::token::{Audience, age};

use crate::arguments::{Passphrase, TimeArguments};
use crate::failure::Failure;
use crate::output::{Output, Readers};
use crate::report::Report;
use crate::{Verdict, input, keys};

/// Seal a section or any text for an image: one token
///
/// The text is sealed byte for byte. With --contract, each section of a contract becomes a token; sections that are
/// sealed already stay as they are. Sign last: --sign-key signs what was sealed.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The text or contract to seal; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    audience: AudienceArguments,
    /// How the token begins; every image reads both
    #[arg(
        long,
        value_name = "PREFIX",
        default_value = "hyper-protect-basic",
        conflicts_with = "recipient"
    )]
    prefix: PrefixName,
    /// The file is a contract: seal its sections
    #[arg(long)]
    contract: bool,
    /// Sign the sealed contract with this private key (PEM), whose public half goes into env.signingKey
    #[arg(long, value_name = "KEY", requires = "contract")]
    sign_key: Option<PathBuf>,
    /// A certificate of that key for env.signingKey: the contract ends with it
    #[arg(long, value_name = "CERT", requires = "sign_key")]
    sign_cert: Option<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
    #[command(flatten)]
    time: TimeArguments,
}

/// Whom to seal for.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct AudienceArguments {
    /// The image's encryption certificate, or its public key (PEM)
    #[arg(long, value_name = "CERT")]
    cert: Option<PathBuf>,
    /// The image's age recipient (age1...): authenticated, read by this appliance alone
    #[arg(long, value_name = "AGE")]
    recipient: Option<String>,
}

/// How a token begins.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PrefixName {
    /// What every image reads
    HyperProtectBasic,
    /// What newer images write
    ContractBasic,
}

/// Seals a text or a contract.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let prefix = match arguments.prefix {
        PrefixName::HyperProtectBasic => Prefix::HyperProtectBasic,
        PrefixName::ContractBasic => Prefix::ContractBasic,
    };
    let recipient = arguments
        .audience
        .recipient
        .as_deref()
        .map(age::Recipient::from_text)
        .transpose()?;
    let certificate = arguments
        .audience
        .cert
        .as_deref()
        .map(keys::public)
        .transpose()?;
    let audience = match (&certificate, &recipient) {
        (Some(certificate), _) => Audience::Certificate(certificate, prefix),
        (None, Some(recipient)) => Audience::Recipient(recipient),
        (None, None) => {
            return Err(Failure::Usage(
                "nobody is named to seal for; give --cert or --recipient",
            ));
        }
    };
    if let Some(certificate) = &certificate
        && let Some(finding) = ended(certificate, arguments)?
    {
        let name = finding.place.file.clone();
        return Ok(Report::refuse(&name, vec![finding]));
    }
    if arguments.contract {
        contract(arguments, audience, output)
    } else {
        let token = audience.seal(&input::text(&arguments.file)?)?;
        output.write(
            (token.trim_end().to_owned() + "\n").as_bytes(),
            Readers::Anyone,
        )?;
        Ok(Verdict::Good)
    }
}

fn contract(
    arguments: &Arguments,
    audience: Audience<'_>,
    output: &Output,
) -> Result<Verdict, Failure> {
    let name = input::name(&arguments.file);
    let contract = input::utf8(&arguments.file)?;
    let key = arguments
        .sign_key
        .as_deref()
        .map(|path| keys::private(path, &arguments.passphrase))
        .transpose()?;
    let (path, at) = (arguments.sign_cert.as_deref(), arguments.time.at);
    let certificate = match super::signing_certificate(path, at)? {
        Ok(certificate) => certificate,
        Err(finding) => return Ok(Report::refuse(&name, vec![finding])),
    };
    let written = match &key {
        Some(key) => {
            let signer = keys::signer(key, certificate.as_ref())?;
            authoring::seal_and_sign(&contract, &name, audience, signer)
        }
        None => authoring::seal(&contract, &name, audience),
    };
    super::written(written, &name, output)
}

/// What is to be said of a certificate that has ended: an image that new has no key for it.
fn ended(certificate: &PublicKey, arguments: &Arguments) -> Result<Option<Finding>, Failure> {
    let Some(validity) = certificate.validity() else {
        return Ok(None);
    };
    let has_ended = input::has_ended(validity, arguments.time.at)?;
    let name = arguments
        .audience
        .cert
        .as_deref()
        .map(input::name)
        .unwrap_or_default();
    Ok(has_ended.then(|| {
        Finding::new(
            messages::CERTIFICATE_INVALID,
            Place::at(name, ""),
            format!(
                "the encryption certificate has ended, at {}",
                input::written(validity.not_after)
            ),
            "take the certificate of a current image; --at seals for the time that you give",
        )
    }))
}
