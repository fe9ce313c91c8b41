//! `hpcr-check schema`: what a contract may say, for editors.

use clap::{Args, ValueEnum};
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
    /// The schema itself, or a page for people with a row for each key.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    #[command(flatten)]
    platform: Platform,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Markdown,
}

/// Prints the schema.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let product = arguments.platform.product;
    let text = match arguments.format {
        Format::Json => schema::text(product, None),
        Format::Markdown => schema::page(product),
    };
    output.write(text.as_bytes(), Readers::Anyone)?;
    Ok(Verdict::Good)
}
