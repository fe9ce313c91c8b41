//! The command line as a whole: the commands, what all of them take, and the command that needs no name.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::commands::{
    attestation, certificate, completions, decrypt, diff, encrypt, explain, initdata, inspect,
    keygen, man, migrate, network, new, plan, schema, sealed_secret, sign, tgz, validate, verify,
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

A command without a name is `validate`. Results go to standard output or --out, messages to standard error; \
- is standard input. Exit status: 0 good; 1 something is wrong with what was given; 2 used wrongly, or a file could not \
be read.";

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
    Migrate(migrate::Arguments),
    Network(network::Arguments),
    Initdata(initdata::Arguments),
    SealedSecret(sealed_secret::Arguments),
    Explain(explain::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Reads the command line; on wrong use it ends the process with 2.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Cli {
    let mut command = Cli::command();
    let arguments = named(arguments.collect(), &command);
    if inputs(&arguments) > 1 {
        let text = "standard input is named twice, and can be read once; give a file for the one or the other";
        command.error(ErrorKind::ArgumentConflict, text).exit();
    }
    let matches = command
        .try_get_matches_from_mut(arguments)
        .unwrap_or_else(|error| error.exit());
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// Puts `validate` in front where no command is named: `hpcr-check contract.yaml`.
fn named(mut arguments: Vec<OsString>, command: &clap::Command) -> Vec<OsString> {
    let mut given = arguments.iter().skip(1);
    let mut first = given.next();
    // The one option that may stand before a command.
    while first.is_some_and(|option| option == "--out") {
        given.next();
        first = given.next();
    }
    let own = ["help", "-h", "--help", "-V", "--version"];
    let names_one = first.is_none_or(|first| {
        own.iter().any(|own| first == own)
            || command.find_subcommand(first).is_some()
            || is_misspelt(first)
    });
    if !names_one {
        arguments.insert(1, "validate".into());
    }
    arguments
}

/// How often standard input is named.
fn inputs(arguments: &[OsString]) -> usize {
    let mut before = OsStr::new("");
    let mut count = 0;
    for argument in arguments {
        let text = argument.to_str().unwrap_or_default();
        let is_option = text.starts_with("--") && text.ends_with("=-") && text != "--out=-";
        if is_option || (text == "-" && before != "--out") {
            count += 1;
        }
        before = argument;
    }
    count
}

/// A lone word that is no file was meant to be a command: clap knows which one is like it.
fn is_misspelt(word: &OsStr) -> bool {
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    word.to_str().is_some_and(is_word) && !Path::new(word).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_holds_no_contradiction() {
        Cli::command().debug_assert();
    }

    #[test]
    fn standard_input_is_counted_wherever_it_is_named() {
        for (given, expected) in [
            ("diff - -", 2),
            ("verify - --key=-", 2),
            ("validate --key - -", 2),
            ("encrypt - --out -", 1),
            ("encrypt - --out=-", 1),
            ("validate a.yaml", 0),
        ] {
            let words: Vec<OsString> = given.split(' ').map(OsString::from).collect();
            assert_eq!(inputs(&words), expected, "{given}");
        }
    }

    #[test]
    fn a_command_is_put_in_front_only_where_none_is_named() {
        let command = Cli::command();
        for (given, expected) in [
            ("a.yaml", "validate a.yaml"),
            ("--strict a.yaml", "validate --strict a.yaml"),
            ("-", "validate -"),
            ("--out r a.yaml", "validate --out r a.yaml"),
            ("--out r plan a.yaml", "--out r plan a.yaml"),
            ("plan a.yaml", "plan a.yaml"),
            ("encript a.yaml", "encript a.yaml"),
            ("--version", "--version"),
            ("", ""),
        ] {
            let words = |text: &str| -> Vec<OsString> {
                let all = std::iter::once("hpcr-check").chain(text.split_whitespace());
                all.map(OsString::from).collect()
            };
            assert_eq!(named(words(given), &command), words(expected), "{given}");
        }
    }
}
