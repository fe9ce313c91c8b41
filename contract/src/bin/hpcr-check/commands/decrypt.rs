//! `hpcr-check decrypt`: what a sealed section says.

use std::path::PathBuf;

use clap::Args;
use hpcr_contract::authoring;
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages;
use hpcr_contract::stages::Keys;
use hpcr_contract::token::openssl::Token;
use hpcr_contract::token::{age, is_sealed};

use crate::arguments::RequiredKey;
use crate::failure::Failure;
use crate::output::{Output, Readers};
use crate::report::Report;
use crate::{Verdict, input, keys};

/// Open a sealed section, or all of a contract
///
/// Prints what the token or age file says, byte for byte: like keygen and sign, it shows secrets. A file that it writes is
/// readable by its owner alone.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The token, age file or contract; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    key: RequiredKey,
    /// The file is a contract: print it with its sections in the clear, and without the signature of the sealed ones
    #[arg(long)]
    contract: bool,
}

/// Opens a token or an age file.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let name = input::name(&arguments.file);
    let text = input::utf8(&arguments.file)?;
    let opening = keys::opening_by(&arguments.key.key, &arguments.key.passphrase)?;
    if arguments.contract {
        opening.suits_parts(&text, &["workload", "env", "attestationPublicKey"])?;
        return super::written(authoring::open(&text, &name, opening.keys()), &name, output);
    }
    // Editors put a mark in front of text that says nothing here.
    let text = text.trim_start_matches('\u{feff}');
    if !is_sealed(text) {
        let finding = Finding::new(
            messages::INVALID_CONTRACT,
            Place::at(&name, ""),
            "it is neither a token nor an age file",
            "give one sealed section; for a whole contract add --contract",
        );
        return Ok(Report::refuse(&name, vec![finding]));
    }
    opening.suits(text)?;
    let opened = match opening.keys() {
        Keys {
            age: Some(identity),
            ..
        } => age::open(text, identity),
        Keys {
            token: Some(key), ..
        } => Token::parse(text)
            .and_then(|token| token.open(key))
            .map(|plain| plain.clone()),
        Keys { .. } => return Err(Failure::Usage("no key was given; give it with --key")),
    };
    match opened {
        Ok(plain) => output.write(&plain, Readers::Owner)?,
        Err(error) => return Ok(Report::refuse(&name, vec![error.at(Place::at(&name, ""))])),
    }
    Ok(Verdict::Good)
}
