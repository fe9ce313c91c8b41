//! `hpcr-check schema`: what a contract may say, for editors.

use clap::Args;
use hpcr_contract::schema;

use crate::Verdict;
use crate::arguments::Platform;
use crate::failure::Failure;
use crate::output::{Output, Readers};

/// Print the JSON Schema of contracts (draft 2020-12)
///
/// Editors complete and explain keys with it; for the YAML language server, begin a contract with
/// # yaml-language-server: $schema=contract.json
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    platform: Platform,
}

/// Prints the schema.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let text = schema::text(arguments.platform.product, None);
    output.write(text.as_bytes(), Readers::Anyone)?;
    Ok(Verdict::Good)
}
