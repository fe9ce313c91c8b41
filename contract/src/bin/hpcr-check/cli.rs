//! The command line as a whole: the commands, what all of them take, and the command that needs no name.

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    attestation, certificate, completions, decrypt, diff, encrypt, explain, inspect, keygen, man,
    network, new, plan, schema, sign, tgz, validate, verify,
};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  hpcr-check contract.yaml                          would a guest run it?
  hpcr-check new deployer > env.yaml                begin with a template
  hpcr-check --section env env.yaml                 check one half before the other is there
  hpcr-check encrypt --cert image.crt env.yaml      seal a section: one token on standard output
  hpcr-check encrypt --contract --cert image.crt --sign-key signing.pem --out sealed.yaml contract.yaml
  hpcr-check inspect sealed.yaml --key image.key    who can read what, and the digests that an auditor compares
  hpcr-check explain HPL08001E                      what a message of the console means

A command without a name is `validate`. Results go to standard output or --out, messages to standard error; - is
standard input. Exit status: 0 good; 1 something is wrong with what was given; 2 used wrongly, or a file could not be read.";

/// Check, seal, sign and inspect contracts of the confidential container appliance.
///
/// Every problem is told with its place, its message code, its cause and a remedy, all at once. Values of a contract
/// that may be secret are never shown.
#[derive(Debug, Parser)]
#[command(name = "hpcr-check", version, arg_required_else_help = true, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Validate(validate::Arguments),
    New(new::Arguments),
    Tgz(tgz::Arguments),
    Encrypt(encrypt::Arguments),
    Decrypt(decrypt::Arguments),
    Sign(sign::Arguments),
    Verify(verify::Arguments),
    Keygen(keygen::Arguments),
    Inspect(inspect::Arguments),
    Plan(plan::Arguments),
    Diff(diff::Arguments),
    Attestation(attestation::Arguments),
    Certificate(certificate::Arguments),
    Network(network::Arguments),
    Explain(explain::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Reads the command line; on wrong use it ends the process with 2.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Cli {
    let mut command = Cli::command();
    let arguments = named(arguments.collect(), &command);
    let matches = command
        .try_get_matches_from_mut(arguments)
        .unwrap_or_else(|error| error.exit());
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// Puts `validate` where the first argument names no command: `hpcr-check contract.yaml`.
fn named(mut arguments: Vec<OsString>, command: &clap::Command) -> Vec<OsString> {
    let names_one = arguments.get(1).is_none_or(|first| {
        ["help", "-h", "--help", "-V", "--version"]
            .iter()
            .any(|own| first == own)
            || command.find_subcommand(first).is_some()
    });
    if !names_one {
        arguments.insert(1, "validate".into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_holds_no_contradiction() {
        Cli::command().debug_assert();
    }
}
