//! `hpcr-check`: tells the author of a contract what the guest would decide, before the contract is sealed.
//!
//! It calls the functions that the guest calls, so neither accepts what the other refuses. It runs on any machine, needs
//! no root and no network, writes no file, and never prints a value of a contract.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod contract;
mod input;
mod plan;
mod report;
mod validate;

/// Check contracts of the confidential container appliance.
///
/// Every problem is told with its place, its message code, its cause and a remedy; values of the contract are never
/// printed. Exit status: 0 the contract is good; 1 something is wrong with it; 2 the command was used wrongly, or a
/// file could not be read.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say whether a guest would run a contract, and what stops it
    ///
    /// The envelope, both sections against the schema, the signature and its key, the expiry, and every decision up to
    /// the containers of the compose file. Sealed sections need the private key of the image (a development image's, or
    /// one of your own that you sealed a trial for); without it only the envelope is checked, which is told.
    Validate(ContractArguments),
    /// Show what a guest would do with a contract
    ///
    /// Prints the plan: sink, volumes, registries, services with image digests, ports and mounts. Secrets are left out:
    /// passphrases, credentials, words of commands and values of environment variables.
    Plan(ContractArguments),
}

/// What both commands take.
#[derive(Debug, Args)]
struct ContractArguments {
    /// The contract (YAML); - reads standard input
    file: PathBuf,
    /// The RSA private key that opens sealed sections (PEM, not encrypted)
    #[arg(long, value_name = "PRIVATE.pem")]
    key: Option<PathBuf>,
    /// The time to judge expiry by, RFC 3339 (2026-11-21T12:00:00Z); now if left out
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    now: Option<i64>,
    /// Print JSON for programs
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let outcome = match &Cli::parse().command {
        Command::Validate(arguments) => validate::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(unusable) => {
            eprintln!("hpcr-check: {unusable}");
            ExitCode::from(2)
        }
    }
}
