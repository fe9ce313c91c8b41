//! `hpcr-check migrate`: a contract of the published images, key by key, and the one that this appliance runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use hpcr_contract::authoring;
use hpcr_contract::finding::{Finding, Level};
use hpcr_contract::migration::{self, Collector, Moved, Step, Target};
use hpcr_contract::secret::SecretString;
use hpcr_contract::sources::Sources;
use hpcr_contract::stages::Keys;
use hpcr_contract::token::openssl::Prefix;
use hpcr_contract::token::{Audience, age};
use hpcr_contract::workload::archive::Unpacked;
use serde_json::{Map, json};

use crate::arguments::{Format, OptionalKey, Platform};
use crate::failure::Failure;
use crate::output::{self, Output, Readers};
use crate::report::Report;
use crate::{Verdict, input, keys};

/// Move a contract of HPVS, HPCR or CCRT to this appliance
///
/// Says of every key whether it stays, changes, goes, or needs a human, and why. With --out FILE the new contract is
/// written: sealed for the new image with --cert or --recipient if nothing is left to do, else in the clear, to be finished.
/// With --out - it goes to standard output, and what is said of it to standard error.
/// Exit status: 0 it runs, 1 something needs a human.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The contract, best in the clear; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    platform: Platform,
    #[command(flatten)]
    key: OptionalKey,
    /// The collector that lines go to from now on
    #[arg(long, value_name = "HOST[:PORT]", requires = "server_ca", value_parser = collector)]
    syslog: Option<(String, Option<u16>)>,
    /// The authorities that vouch for the collector (PEM)
    #[arg(long, value_name = "FILE", requires = "syslog")]
    server_ca: Option<PathBuf>,
    /// The guest's own certificate for the collector (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["syslog", "client_key"])]
    client_cert: Option<PathBuf>,
    /// The key of that certificate (PEM, not encrypted)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
    /// Seal the new contract: the new image's encryption certificate, or its public key (PEM)
    #[arg(long, value_name = "CERT", conflicts_with = "recipient")]
    cert: Option<PathBuf>,
    /// Seal the new contract: the new image's age recipient (age1...)
    #[arg(long, value_name = "AGE")]
    recipient: Option<String>,
    /// Sign the new contract with this private key (PEM)
    #[arg(long, value_name = "KEY")]
    sign_key: Option<PathBuf>,
    /// A certificate of that key for env.signingKey: the contract ends with it
    #[arg(long, value_name = "CERT", requires = "sign_key")]
    sign_cert: Option<PathBuf>,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// What findings call a new contract that has no file.
const NEW: &str = "the new contract";

/// Moves a contract and tells what became of it.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let is_sealed = arguments.cert.is_some() || arguments.recipient.is_some();
    let is_written = output.path().is_some() || output.is_standard();
    if is_sealed && !is_written {
        return Err(Failure::Usage(
            "nobody asked for the sealed contract; name its file with --out, or - for standard output",
        ));
    }
    let name = input::name(&arguments.file);
    let opening = keys::opening(&arguments.key)?;
    let collector = collector_of(arguments)?;
    let passphrase = &arguments.key.passphrase;
    let sign_key = arguments.sign_key.as_deref();
    let sign_key = sign_key
        .map(|path| keys::private(path, passphrase))
        .transpose()?;
    let certificate = arguments
        .sign_cert
        .as_deref()
        .map(keys::certificate)
        .transpose()?;
    let signer = sign_key
        .as_ref()
        .map(|key| keys::signer(key, certificate.as_ref()));
    let signer = signer.transpose()?;
    let to = output.path().map_or_else(|| NEW.to_owned(), input::name);
    let target = Target {
        product: arguments.platform.product,
        collector: collector.as_ref(),
        signer,
        is_sealed,
        name: &to,
    };
    let contract = input::utf8(&arguments.file)?;
    let mut moved = match migration::migrate(&contract, &name, opening.keys(), &target) {
        Ok(moved) => moved,
        Err(findings) => return Ok(Report::refuse(&name, findings)),
    };
    let is_done = !moved.left.iter().any(Finding::stops);
    let mut verdict = "it runs".to_owned();
    if let Some(text) = moved.text.as_ref().filter(|_| is_written) {
        let sealed = if is_done {
            sealed(text, &to, &target, arguments)?
        } else {
            None
        };
        let form = if sealed.is_some() {
            "sealed"
        } else {
            "in the clear"
        };
        verdict = format!("it runs; {to} is written, {form}");
        if !is_done {
            output::message(&format!(
                "hpcr-check: {} is written in the clear: finish it, then check and seal it",
                output::plain(&to)
            ));
        }
        let text = sealed.as_ref().unwrap_or(text);
        output.write(text.as_bytes(), Readers::Owner)?;
    }
    let report = report(name, &mut moved, &contract, verdict, &target);
    if output.is_standard() {
        report.tell_in(arguments.format);
    } else {
        report.write(arguments.format, &Output::default())?;
    }
    Ok(Verdict::of(report.is_good()))
}

type Text = zeroize::Zeroizing<String>;

/// The new contract sealed, where somebody is named to seal it for.
fn sealed(
    text: &Text,
    name: &str,
    target: &Target<'_>,
    arguments: &Arguments,
) -> Result<Option<Text>, Failure> {
    let recipient = arguments.recipient.as_deref();
    let recipient = recipient.map(age::Recipient::from_text).transpose()?;
    let certificate = arguments.cert.as_deref().map(keys::public).transpose()?;
    let audience = match (&certificate, &recipient) {
        (Some(certificate), _) => Audience::Certificate(certificate, Prefix::HyperProtectBasic),
        (None, Some(recipient)) => Audience::Recipient(recipient),
        (None, None) => return Ok(None),
    };
    let written = match target.signer {
        Some(signer) => authoring::seal_and_sign(text, name, audience, signer),
        None => authoring::seal(text, name, audience),
    };
    // What can be read and runs can be sealed, unless the library fails.
    written.map(|written| Some(written.text)).map_err(|_| {
        Failure::Usage("the new contract could not be sealed; check --cert and --sign-key")
    })
}

fn report(
    name: String,
    moved: &mut Moved,
    contract: &str,
    verdict: String,
    target: &Target<'_>,
) -> Report {
    let told = |step: &Step| format!("{:<8} {}: {}", step.fate.name(), step.key, step.why);
    let steps = moved.steps.iter().map(|step| {
        json!({"key": step.key, "line": step.place.line, "fate": step.fate.name(), "why": step.why})
    });
    let facts = Map::from_iter([("keys".to_owned(), steps.collect())]);
    let notes = moved.steps.iter().map(told).collect();
    // A limit of the guest is an error to whoever moves to it.
    let findings: Vec<Finding> = std::mem::take(&mut moved.left)
        .into_iter()
        .map(|finding| {
            let level = if finding.stops() {
                Level::Error
            } else {
                finding.level
            };
            finding.with_level(level)
        })
        .collect();
    let texts = |text: &str, name: &str| {
        let nothing = Unpacked::default();
        Sources::of_contract(text.as_bytes(), name, Keys::default(), &findings, &nothing)
    };
    let mut sources = texts(contract, &name);
    if let Some(text) = &moved.text {
        sources.join(texts(text, target.name));
    }
    Report {
        name,
        findings,
        verdict,
        refusal: Some("it needs a human"),
        notes,
        facts,
        sources,
        subjects: BTreeSet::from([NEW.to_owned()]),
        ..Report::default()
    }
}

fn collector_of(arguments: &Arguments) -> Result<Option<Collector>, Failure> {
    let (Some((hostname, port)), Some(server)) = (&arguments.syslog, &arguments.server_ca) else {
        return Ok(None);
    };
    let pem = |path: &Path| -> Result<String, Failure> {
        Ok(String::from_utf8_lossy(&input::key(path)?).into_owned())
    };
    let client = match (&arguments.client_cert, &arguments.client_key) {
        (Some(certificate), Some(key)) => Some((
            pem(certificate)?,
            SecretString::from(input::utf8(key)?.as_str()),
        )),
        _ => None,
    };
    Ok(Some(Collector {
        hostname: hostname.clone(),
        port: *port,
        server: pem(server)?,
        client,
    }))
}

/// `HOST`, `HOST:PORT`, `[ADDRESS]:PORT`.
fn collector(text: &str) -> Result<(String, Option<u16>), String> {
    let wrong =
        || "write a host name or address, with :PORT behind it if it is not 6514".to_owned();
    let (host, port) = match text.rsplit_once(':') {
        // An address of IPv6 without a port has colons of its own.
        Some((host, _)) if host.contains(':') && !host.ends_with(']') => (text, None),
        Some((host, port)) => (host, Some(port.parse().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || port == Some(0) {
        return Err(wrong());
    }
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::collector;

    #[test]
    fn a_collector_is_a_host_with_a_port_or_without() {
        for (text, expected) in [
            ("logs.example", Some(("logs.example", None))),
            ("logs.example:6515", Some(("logs.example", Some(6515)))),
            ("[2001:db8::1]:6515", Some(("2001:db8::1", Some(6515)))),
            ("2001:db8::1", Some(("2001:db8::1", None))),
            ("logs.example:", None),
            ("logs.example:0", None),
            ("logs.example:x", None),
            (":6514", None),
        ] {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(collector(text).ok(), expected, "{text}");
        }
    }
}
