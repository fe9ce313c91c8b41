//! `hpcr-check decrypt`: what a sealed section says.

use std::path::PathBuf;

use clap::Args;
use hpcr_contract::finding::Place;
use hpcr_contract::token::openssl::Token;

use crate::arguments::RequiredKey;
use crate::failure::Failure;
use crate::output::{Output, Readers};
use crate::report::Report;
use crate::{Verdict, input, keys};

/// Open a sealed section
///
/// Prints what the token says, byte for byte: it is the one command that shows secrets. A file that it writes is
/// readable by its owner alone.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The token; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    key: RequiredKey,
}

/// Opens a token.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let key = keys::opener(&arguments.key)?;
    let name = input::name(&arguments.file);
    let bytes = input::text(&arguments.file)?;
    let text = String::from_utf8_lossy(&bytes);
    match Token::parse(&text).and_then(|token| token.open(&key)) {
        Ok(plain) => output.write(&plain, Readers::Owner)?,
        Err(error) => return Ok(Report::refuse(&name, vec![error.at(Place::at(&name, ""))])),
    }
    Ok(Verdict::Good)
}
