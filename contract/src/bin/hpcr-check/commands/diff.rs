//! `hpcr-check diff`: what differs between two contracts.

use std::path::{Path, PathBuf};

use clap::Args;
use hpcr_contract::contents::{Change, Contents};
use hpcr_contract::finding::Finding;
use serde_json::{Value, json};

use crate::arguments::{OptionalKey, Shape};
use crate::failure::Failure;
use crate::output::{self, Output};
use crate::report::Report;
use crate::{Verdict, input, keys};

/// Show what differs between two contracts
///
/// By meaning, not by spelling: order and form of the YAML do not count, and archives are compared file by file. Values
/// that may be secret are hidden; that they differ is told. Exit status: 0 nothing differs, 1 something does.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The one contract
    #[arg(value_name = "A")]
    one: PathBuf,
    /// The other contract
    #[arg(value_name = "B")]
    other: PathBuf,
    #[command(flatten)]
    key: OptionalKey,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Shape,
}

/// Compares two contracts.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let key = keys::opening(&arguments.key)?;
    let read = |path: &Path| -> Result<Result<Contents, Vec<Finding>>, Failure> {
        Ok(Contents::read(
            &input::contract(path)?,
            &input::name(path),
            key.keys(),
        ))
    };
    let (one, other) = match (read(&arguments.one)?, read(&arguments.other)?) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(findings), _) => return Ok(Report::refuse(&input::name(&arguments.one), findings)),
        (_, Err(findings)) => return Ok(Report::refuse(&input::name(&arguments.other), findings)),
    };
    let changes = one.changes(&other);
    match arguments.format {
        Shape::Json => output.json(&changes.iter().map(told).collect())?,
        Shape::Text => {
            let lines: Vec<String> = changes.iter().map(|change| format!("{change}\n")).collect();
            output.coloured(&output::plain_lines(&lines.concat()))?;
        }
    }
    for (path, contents) in [(&arguments.one, &one), (&arguments.other, &other)] {
        let closed = contents.parts().iter().filter(|part| !part.open);
        let closed: Vec<_> = closed.map(|part| part.name).collect();
        if !closed.is_empty() {
            output::message(&format!(
                "hpcr-check: {}: {}: sealed, and compared as it stands; give the key with --key",
                output::plain(&input::name(path)),
                closed.join(", ")
            ));
        }
    }
    Ok(Verdict::of(changes.is_empty()))
}

fn told(change: &Change) -> Value {
    json!({"path": change.path, "before": change.before, "after": change.after})
}
