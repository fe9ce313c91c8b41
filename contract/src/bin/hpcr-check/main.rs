//! `hpcr-check`: tells the author of a contract what the guest would decide, before the contract is sealed, and does
//! what authors and auditors do with contracts: seal, open, sign, verify, look inside.
//!
//! It calls the functions that the guest calls, so neither accepts what the other refuses. It runs on any machine, needs
//! no root and no network, and shows no value of a contract that may be secret unless `decrypt` is what was asked for.
#![forbid(unsafe_code)]

use std::process::ExitCode;

mod arguments;
mod checked;
mod cli;
mod commands;
mod failure;
mod input;
mod keys;
mod output;
mod report;

/// What a command found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// All is well, or the work is done.
    Good,
    /// Something is wrong with what was given; it has been told.
    Bad,
}

impl Verdict {
    fn of(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }
}

fn main() -> ExitCode {
    let cli = cli::parse(std::env::args_os());
    match commands::run(&cli.command, &cli.output) {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::from(1),
        Err(failure) => {
            output::message(&format!("hpcr-check: {failure}"));
            ExitCode::from(failure.status())
        }
    }
}
