//! `hpcr-check initdata`: a contract as the annotation that confidential containers for OpenShift take, and back.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand, ValueEnum};
use hpcr_contract::confidential_containers::initdata::Initdata;
use hpcr_contract::error::ContractError;
use hpcr_contract::finding::Place;

use crate::failure::Failure;
use crate::output::{Output, Readers};
use crate::report::Report;
use crate::{Verdict, input};

/// How the header of a Secure Execution image begins; one that does not is base64 of it.
const HEADER: &[u8] = b"IBMSecEx";

/// Make and read initdata: contracts for confidential containers (ccco)
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Encode(EncodeArguments),
    Decode(DecodeArguments),
}

/// Print a contract as initdata
///
/// By default the annotation of a Pod: base64 of the compressed document, the same bytes for the same contract. Seal the
/// contract before: whoever sees the Pod reads its annotations.
#[derive(Debug, Args)]
struct EncodeArguments {
    /// The contract; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The header of the Secure Execution image, as it is or in base64: for guests on bare metal
    #[arg(long, value_name = "FILE")]
    se_header: Option<PathBuf>,
    /// What to print
    #[arg(long, value_name = "WHAT", default_value = "annotation")]
    print: What,
}

/// What of initdata is printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// The value of the annotation
    Annotation,
    /// The document inside of it (TOML)
    Document,
    /// SHA-384 of the document, which the evidence of a guest holds
    Digest,
}

/// Print the contract that an annotation holds
#[derive(Debug, Args)]
struct DecodeArguments {
    /// The value of the annotation; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Makes or reads initdata.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let (file, made) = match &arguments.command {
        Command::Encode(arguments) => (&arguments.file, encode(arguments)?),
        Command::Decode(arguments) => {
            let text = input::utf8(&arguments.file)?;
            let initdata = Initdata::decode(&text);
            (&arguments.file, initdata.map(|initdata| initdata.contract))
        }
    };
    match made {
        Ok(text) => {
            output.write(text.as_bytes(), Readers::Owner)?;
            Ok(Verdict::Good)
        }
        Err(error) => {
            let name = input::name(file);
            Ok(Report::refuse(&name, vec![error.at(Place::at(&name, ""))]))
        }
    }
}

fn encode(arguments: &EncodeArguments) -> Result<Result<String, ContractError>, Failure> {
    let initdata = Initdata {
        contract: input::utf8(&arguments.file)?.to_string(),
        header: arguments.se_header.as_deref().map(header).transpose()?,
    };
    Ok(match arguments.print {
        What::Annotation => initdata.encode().map(|text| text + "\n"),
        What::Document => initdata.document(),
        What::Digest => initdata.digest().map(|digest| hex::encode(digest) + "\n"),
    })
}

fn header(path: &Path) -> Result<String, Failure> {
    let bytes = input::text(path)?;
    if bytes.starts_with(HEADER) {
        return Ok(STANDARD.encode(&*bytes));
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.split_ascii_whitespace().collect())
}
