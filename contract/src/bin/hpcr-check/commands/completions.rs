//! `hpcr-check completions`: what a shell needs to complete our words.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::Verdict;
use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::{Output, Readers};

/// Print the completions for a shell
///
/// For bash: hpcr-check completions bash > ~/.local/share/bash-completion/completions/hpcr-check
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Cli::command(),
        "hpcr-check",
        &mut script,
    );
    output.write(&script, Readers::Anyone)?;
    Ok(Verdict::Good)
}
