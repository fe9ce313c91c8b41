//! `hpcr-check man`: the manual page, made of the same words as `--help`.

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;

use crate::Verdict;
use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::{Output, Readers};

/// Print the manual page, or that of one command (roff)
///
/// To read it: hpcr-check man | man -l -; of a command within a command: hpcr-check man attestation verify
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The command, word by word; without one, the page of the whole
    command: Vec<String>,
}

/// Prints the page.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let mut whole = Cli::command();
    whole.build();
    let mut page = &whole;
    for name in &arguments.command {
        page = page.find_subcommand(name).ok_or(Failure::Usage(
            "there is no such command; hpcr-check --help lists them",
        ))?;
    }
    let mut roff = Vec::new();
    Man::new(page.clone())
        .render(&mut roff)
        .map_err(|source| Failure::Write {
            path: "the page".into(),
            source,
        })?;
    output.write(&roff, Readers::Anyone)?;
    Ok(Verdict::Good)
}
