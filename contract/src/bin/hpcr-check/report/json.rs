//! Findings for programs: one object.

use hpcr_contract::finding::{Finding, Place};
use serde_json::{Value, json};

use super::{Report, Severity};

/// The verdict and every finding.
pub(super) fn report(report: &Report) -> Value {
    let findings: Vec<_> = report.told().map(finding).collect();
    let mut object = report.facts.clone();
    object.insert("file".into(), json!(report.name));
    object.insert("valid".into(), json!(report.is_good()));
    object.insert("findings".into(), json!(findings));
    Value::Object(object)
}

fn finding((severity, finding): (Severity, &Finding)) -> Value {
    let mut outer = finding.place.chain();
    outer.pop();
    json!({
        "severity": severity.name(),
        "code": finding.code.to_string(),
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "path": finding.place.path,
        "inside": outer.iter().map(|outer| place(outer)).collect::<Vec<_>>(),
        "cause": finding.cause,
        "remedy": finding.remedy,
    })
}

/// What holds the file of a finding, outermost first: a token or an archive.
fn place(place: &Place) -> Value {
    json!({"file": place.file, "line": place.line, "column": place.column, "path": place.path})
}
