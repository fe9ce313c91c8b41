//! `hpcr-check inspect`: what is in a contract, who could read what, and the digests that an auditor compares.

use std::fmt::Write as _;

use clap::Args;
use hpcr_contract::contents::{Contents, Described};
use hpcr_contract::finding::Finding;
use hpcr_contract::messages;
use serde_json::{Value, json};

use crate::Verdict;
use crate::arguments::{ContractArguments, Shape};
use crate::checked::{self, Checked};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::report::Report;

/// Show what is in a contract, who could read what, and its digests
///
/// Values that may be secret are hidden. The digests are those of the attestation record of a guest that boots this
/// very file. Sealed sections need the private key of the image; what stays closed is told.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    contract: ContractArguments,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Shape,
}

/// Looks into a contract.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let checked = checked::check(&arguments.contract)?;
    let contents = match checked.contents() {
        Ok(contents) => contents,
        Err(findings) => return Ok(Report::refuse(&checked.name, findings)),
    };
    match arguments.format {
        Shape::Json => output.json(&as_json(&checked, &contents))?,
        Shape::Text => output.coloured(&output::plain_lines(&as_text(&checked, &contents)?))?,
    }
    Ok(Verdict::Good)
}

fn as_json(checked: &Checked, contents: &Contents) -> Value {
    let parts = contents.parts().iter().map(|part| {
        json!({"name": part.name, "form": part.form, "sealed": part.sealed, "open": part.open, "readableBy": readers(part)})
    });
    json!({
        "file": checked.name,
        "parts": parts.collect::<Vec<_>>(),
        "signature": signature(checked),
        "digests": checked.digests().into_iter().collect::<serde_json::Map<_, _>>(),
        "content": contents.redacted(),
    })
}

fn as_text(checked: &Checked, contents: &Contents) -> Result<String, Failure> {
    let mut text = format!("{}\n\nWho can read what\n", checked.name);
    // Writing to a string does not fail.
    for part in contents.parts() {
        let closed = if part.open { "" } else { "; closed here" };
        let _ = writeln!(
            text,
            "  {:<22}{} ({}{closed})",
            part.name,
            readers(part),
            part.form
        );
    }
    let _ = writeln!(text, "  {:<22}{}", "signature", signature(checked));
    text.push_str("\nDigests, as the attestation record has them (SHA-256)\n");
    for (name, digest) in checked.digests() {
        let _ = writeln!(text, "  {} {name}", digest.as_str().unwrap_or_default());
    }
    text.push_str("\nWhat is in it\n");
    for line in contents.redacted_yaml()?.lines() {
        let _ = writeln!(text, "  {line}");
    }
    Ok(text)
}

fn readers(part: &Described) -> &'static str {
    match (part.name, part.sealed) {
        (_, true) => "the holder of the private key that it was sealed for: the image",
        ("attestationPublicKey", false) => "everyone, and it is no secret",
        (_, false) => "everyone who handles the file: both parties, and whoever runs the machine",
    }
}

fn signature(checked: &Checked) -> String {
    let Some(verified) = &checked.verified else {
        return judged(checked);
    };
    let Some(signer) = verified.signer() else {
        return "none".into();
    };
    match signer.fingerprint() {
        Ok(hash) => format!("good, by the key with SHA-256 {}", hex::encode(hash)),
        Err(error) => error.to_string(),
    }
}

/// The signature of a contract that did not come so far: it is good or not whatever else is wrong.
fn judged(checked: &Checked) -> String {
    let is_signed = checked
        .contents()
        .is_ok_and(|contents| contents.is_signed());
    if is_signed && !checked.closed.is_empty() {
        return "not checked: a section is sealed".into();
    }
    match checked.signer() {
        None => "none".into(),
        Some(Ok(signer)) => match signer.fingerprint() {
            Ok(hash) => format!(
                "good, by the key with SHA-256 {}; the contract is not valid for other reasons",
                hex::encode(hash)
            ),
            Err(error) => error.to_string(),
        },
        Some(Err(findings)) => {
            let is_wrong = |finding: &&Finding| finding.code == messages::SIGNATURE_INVALID;
            match (findings.iter().find(is_wrong), findings.first()) {
                (Some(finding), _) => format!("not good: {}", finding.cause),
                (None, Some(finding)) => format!("not checked: {}", finding.cause),
                (None, None) => "not checked".into(),
            }
        }
    }
}
