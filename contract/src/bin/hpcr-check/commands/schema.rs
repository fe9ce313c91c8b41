//! `hpcr-check schema`: what a contract may say, for editors.

use clap::Args;

use crate::Verdict;
use crate::failure::Failure;
use crate::output::{Output, Readers};

/// Print the JSON Schema of contracts (draft 2020-12)
///
/// Editors complete and explain keys with it; for the YAML language server, begin a contract with
/// # yaml-language-server: $schema=contract.json
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Prints the schema.
pub(crate) fn run(_: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    output.write(hpcr_contract::schema::TEXT.as_bytes(), Readers::Anyone)?;
    Ok(Verdict::Good)
}
