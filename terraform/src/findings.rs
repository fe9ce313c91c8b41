//! What the core finds in a contract, as diagnostics of the attribute that holds it.

use hpcr_contract::finding::{Finding, Level};
use hpcr_contract::messages::CONTRACT_EXPIRED;

use crate::diagnostic::{Diagnostic, Stage, sentence};
use crate::value::path::Path;

/// A finding at an attribute; `place` is where that is in words. What the guest of this version does not run is a
/// warning: another one may.
pub(crate) fn diagnostic(finding: &Finding, path: Path, place: &str) -> Diagnostic {
    let summary = format!("{}: {}", finding.code, finding.cause);
    let detail = format!("{}\n\nAt {place}.", sentence(&finding.remedy));
    match finding.level {
        // One that was made in time stays as it is.
        Level::Error if finding.code == CONTRACT_EXPIRED => {
            Diagnostic::error(path, &summary, detail).since(Stage::Plan)
        }
        Level::Error => Diagnostic::error(path, &summary, detail),
        _ => Diagnostic::warning(path, &summary, detail),
    }
}

/// Findings in a text that one attribute holds.
pub(crate) fn in_text(findings: &[Finding], attribute: &str) -> Vec<Diagnostic> {
    let told = |one: &Finding| diagnostic(one, Path::of(attribute), &one.place.to_string());
    findings.iter().map(told).collect()
}
