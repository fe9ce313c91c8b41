//! `hpcr-check network`: the network configuration that lies beside a contract on the seed disk.

use std::path::PathBuf;

use clap::Args;
use hpcr_contract::network;
use hpcr_contract::sources::Sources;

use crate::arguments::Format;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::Report;
use crate::{Verdict, input};

/// Check a network configuration (network-config)
///
/// By the published rules: YAML below `network`, each link named as IBM Z names it (enc1), with dhcp4 or with addresses.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Let links have any name, as those of other machines do (eth0)
    #[arg(long)]
    any_link: bool,
    /// How findings are told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Checks a configuration.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let name = input::name(&arguments.file);
    let bytes = input::text(&arguments.file)?;
    let report = Report {
        verdict: "valid".into(),
        sources: Sources::of_file(&bytes, &name),
        ..Report::about(&name, network::check(&bytes, &name, arguments.any_link))
    };
    report.write(arguments.format, output)?;
    Ok(Verdict::of(report.is_good()))
}
