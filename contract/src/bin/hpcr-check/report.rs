//! Prints findings: a block each for people, one JSON object for programs. Key names of a contract are hostile text and
//! cannot move the cursor of the terminal that they are printed on.

use std::io::{self, Write};

use hpcr_contract::finding::Finding;
use serde_json::{Value, json};

use crate::contract::Checked;

/// The verdict and every finding, for people.
pub(crate) fn text(out: &mut impl Write, checked: &Checked) -> io::Result<()> {
    for (kind, finding) in findings(checked) {
        let text = finding.code.entry().map_or("", |entry| entry.text);
        writeln!(out, "{kind}: {}", plain(&finding.place.to_string()))?;
        writeln!(out, "    code: {} ({text})", finding.code)?;
        writeln!(out, "   cause: {}", plain(&finding.cause))?;
        writeln!(out, "  remedy: {}\n", plain(&finding.remedy))?;
    }
    writeln!(out, "{}: {}", plain(&checked.name), verdict(checked))
}

/// The same for programs.
pub(crate) fn json(checked: &Checked) -> Value {
    let findings: Vec<Value> = findings(checked)
        .map(|(severity, finding)| {
            json!({
                "severity": severity,
                "code": finding.code.to_string(),
                "file": finding.place.file,
                "line": finding.place.line,
                "column": finding.place.column,
                "path": finding.place.path,
                "cause": finding.cause,
                "remedy": finding.remedy,
            })
        })
        .collect();
    json!({
        "file": checked.name,
        "valid": checked.errors.is_empty(),
        "checked": if checked.closed { "envelope" } else { "contract" },
        "signed": checked.signed,
        "findings": findings,
    })
}

/// Writes a JSON value and a line end.
pub(crate) fn print_json(out: &mut impl Write, value: &Value) -> io::Result<()> {
    writeln!(out, "{value:#}")
}

fn findings(checked: &Checked) -> impl Iterator<Item = (&'static str, &Finding)> {
    let errors = checked.errors.iter().map(|finding| ("error", finding));
    errors.chain(checked.warnings.iter().map(|finding| ("warning", finding)))
}

fn verdict(checked: &Checked) -> String {
    match (checked.errors.len(), checked.closed) {
        (0, true) => "the envelope is valid; the sections are sealed and were not checked: give their key with --key".into(),
        (0, false) if checked.signed => "valid, and signed".into(),
        (0, false) => "valid, and not signed".into(),
        (1, _) => "not valid: 1 error".into(),
        (errors, _) => format!("not valid: {errors} errors"),
    }
}

fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if letter.is_control() {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}
