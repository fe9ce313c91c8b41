//! Options that several commands share, each defined once.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use hpcr_contract::preflight::Horizon;
use hpcr_contract::product::Product;

use crate::failure::Failure;
use crate::input;

/// A contract, and how it is to be looked at.
#[derive(Debug, Args)]
pub(crate) struct ContractArguments {
    /// The contract (YAML); - reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) platform: Platform,
    #[command(flatten)]
    pub(crate) key: OptionalKey,
    #[command(flatten)]
    pub(crate) time: TimeArguments,
    /// Warn of certificates in the contract that end within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) expires_within: u32,
}

impl ContractArguments {
    /// Until when certificates must last.
    pub(crate) fn horizon(&self) -> Result<Horizon, Failure> {
        Ok(Horizon {
            now: input::now(self.time.at)?,
            days: self.expires_within,
        })
    }
}

/// Which product.
#[derive(Debug, Default, Args)]
pub(crate) struct Platform {
    /// The product that the contract is for
    #[arg(long = "platform", value_name = "PLATFORM", default_value = "ccrt", value_parser = product())]
    pub(crate) product: Product,
}

fn product() -> impl TypedValueParser<Value = Product> {
    PossibleValuesParser::new(Product::ALL.map(Product::name))
        .try_map(|name| Product::from_name(&name).ok_or("no such product"))
}

/// A private key that need not be given.
#[derive(Debug, Default, Args)]
pub(crate) struct OptionalKey {
    /// The private key that opens sealed sections (PEM, or that of age files); - reads standard input
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// A private key that must be given.
#[derive(Debug, Args)]
pub(crate) struct RequiredKey {
    /// The private key (PEM); - reads standard input
    #[arg(long, value_name = "KEY")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) passphrase: Passphrase,
}

/// Where the passphrase of a private key comes from.
#[derive(Debug, Default, Args)]
pub(crate) struct Passphrase {
    /// The passphrase of the private key is the first line of this file; without it a terminal is asked
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
}

/// When.
#[derive(Debug, Args)]
pub(crate) struct TimeArguments {
    /// The time to judge certificates by, RFC 3339 (2026-11-21T12:00:00Z); now if left out
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    pub(crate) at: Option<i64>,
}

/// The sections.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Section {
    /// The workload provider's
    Workload,
    /// The deployer's
    Env,
}

/// How findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: the line with the place underlined, why, and what to do
    Text,
    /// For programs: one object with every finding
    Json,
    /// For code scanning: SARIF 2.1.0
    Sarif,
    /// For GitHub: workflow commands that annotate the file
    Github,
}

/// How a result that is no list of findings is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    /// For people
    Text,
    /// For programs
    Json,
}
