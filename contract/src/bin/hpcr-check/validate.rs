//! `hpcr-check validate`.

use std::io::{self, Write as _};

use crate::input::Unusable;
use crate::{ContractArguments, contract, report};

/// Checks a contract and prints what was found; `true` where nothing stops it.
pub(crate) fn run(arguments: &ContractArguments) -> Result<bool, Unusable> {
    let checked = contract::check(arguments)?;
    let mut out = io::stdout().lock();
    if arguments.json {
        report::print_json(&mut out, &report::json(&checked))?;
    } else {
        report::text(&mut out, &checked)?;
    }
    out.flush()?;
    Ok(checked.errors.is_empty())
}
