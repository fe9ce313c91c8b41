//! The commands, one file each: its arguments, and what it does with them.

use crate::Verdict;
use crate::cli::Command;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) mod attestation;
pub(crate) mod completions;
pub(crate) mod decrypt;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod inspect;
pub(crate) mod man;
pub(crate) mod network;
pub(crate) mod plan;
pub(crate) mod schema;
pub(crate) mod tgz;
pub(crate) mod validate;

/// Carries a command out.
pub(crate) fn run(command: &Command, output: &Output) -> Result<Verdict, Failure> {
    match command {
        Command::Validate(arguments) => validate::run(arguments, output),
        Command::Decrypt(arguments) => decrypt::run(arguments, output),
        Command::Attestation(arguments) => attestation::run(arguments, output),
        Command::Diff(arguments) => diff::run(arguments, output),
        Command::Inspect(arguments) => inspect::run(arguments, output),
        Command::Network(arguments) => network::run(arguments, output),
        Command::Plan(arguments) => plan::run(arguments, output),
        Command::Tgz(arguments) => tgz::run(arguments, output),
        Command::Explain(arguments) => explain::run(arguments, output),
        Command::Schema(arguments) => schema::run(arguments, output),
        Command::Completions(arguments) => completions::run(arguments, output),
        Command::Man(arguments) => man::run(arguments, output),
    }
}
