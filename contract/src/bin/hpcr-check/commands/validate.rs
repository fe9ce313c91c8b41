//! `hpcr-check [validate]`: would a guest run this contract?

use clap::Args;
use hpcr_contract::lone;
use hpcr_contract::schema;
use hpcr_contract::sources::Sources;
use serde_json::{Map, json};

use crate::arguments::{ContractArguments, Format, Section};
use crate::failure::Failure;
use crate::output::Output;
use crate::report::Report;
use crate::{Verdict, checked, input, keys};

/// Say whether a guest would run a contract, and what stops it
///
/// The envelope, both sections against the schema, the signature and its key, the expiry, and every decision up to the
/// containers. Sealed sections need the private key of the image (a development image's, or one of your own that you
/// sealed a trial for); without it only the envelope is checked, which is told. What the contract may ask for and the
/// guest of this version does not do is a warning.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    contract: ContractArguments,
    /// The file is one section on its own, from its `type:` on
    #[arg(long, value_name = "SECTION")]
    section: Option<Section>,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
    /// How findings are told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Checks a contract or a section and tells what was found.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let report = match arguments.section {
        Some(Section::Workload) => alone(schema::Section::Workload, arguments)?,
        Some(Section::Env) => alone(schema::Section::Env, arguments)?,
        None => checked::check(&arguments.contract)?.report(arguments.strict),
    };
    report.write(arguments.format, output)?;
    Ok(Verdict::of(report.is_good()))
}

fn alone(section: schema::Section, arguments: &Arguments) -> Result<Report, Failure> {
    let contract = &arguments.contract;
    let key = keys::opening(&contract.key)?;
    let name = input::name(&contract.file);
    let bytes = input::contract(&contract.file)?;
    key.suits(std::str::from_utf8(&bytes).unwrap_or_default())?;
    let findings = lone::check(
        section,
        &bytes,
        &name,
        contract.platform.product,
        key.keys(),
        contract.horizon()?,
    );
    let sources = Sources::of_section(section, &bytes, &name, key.keys());
    let facts = Map::from_iter([("checked".to_owned(), json!(section.name()))]);
    Ok(Report {
        name,
        verdict: format!("a valid {} section", section.name()),
        facts,
        sources,
        findings,
        strict: arguments.strict,
        ..Report::default()
    })
}
