//! Findings for people, in the manner of the Rust compiler.

use std::fmt::Write as _;

use hpcr_contract::finding::{Finding, Place};

use super::{Report, Severity, snippet};
use crate::output::plain;

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const RESET: &str = "\x1b[0m";

/// Every finding and the verdict, with colours.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    for (severity, finding) in report.told() {
        block(
            &mut text,
            severity,
            finding,
            report.sources.line(&finding.place),
        );
    }
    for note in &report.notes {
        let _ = writeln!(text, "{}", plain(note));
    }
    text + &report.summary() + "\n"
}

/// Writing to a string does not fail.
fn block(text: &mut String, severity: Severity, finding: &Finding, line: Option<&str>) {
    let colour = match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Note => BLUE,
    };
    let place = &finding.place;
    let number = place.line.map_or_else(String::new, |line| line.to_string());
    let gutter = " ".repeat(number.len().max(1));
    let _ = writeln!(
        text,
        "{colour}{}[{}]{RESET}{BOLD}: {}{RESET}",
        severity.name(),
        finding.code,
        plain(&finding.cause)
    );
    let _ = writeln!(text, "{gutter}{BLUE}-->{RESET} {}", plain(&position(place)));
    if let Some(line) = line {
        let shown = snippet::of(line, place);
        let mark = " ".repeat(shown.before) + &"^".repeat(shown.width);
        let _ = writeln!(text, "{gutter} {BLUE}|{RESET}");
        let _ = writeln!(text, "{BLUE}{number} |{RESET} {}", shown.text);
        let _ = writeln!(text, "{gutter} {BLUE}|{RESET} {colour}{mark}{RESET}");
    }
    let meaning = finding.code.entry().map_or("", |entry| entry.text);
    for (label, value) in [
        ("key", place.path.as_str()),
        ("why", meaning),
        ("help", &finding.remedy),
    ] {
        if !value.is_empty() {
            let _ = writeln!(
                text,
                "{gutter} {BLUE}={RESET} {BOLD}{label}:{RESET} {}",
                plain(value)
            );
        }
    }
    text.push('\n');
}

/// `contract.yaml:7:5`.
fn position(place: &Place) -> String {
    let place = Place {
        path: String::new(),
        ..place.clone()
    };
    place.to_string()
}
