//! Findings for programs: one object.

use hpcr_contract::finding::Finding;
use serde_json::{Value, json};

use super::{Report, Severity};

/// The verdict and every finding.
pub(super) fn report(report: &Report) -> Value {
    let findings: Vec<_> = report.findings.iter().map(finding).collect();
    let mut object = report.facts.clone();
    object.insert("file".into(), json!(report.name));
    object.insert("valid".into(), json!(report.is_good()));
    object.insert("findings".into(), json!(findings));
    Value::Object(object)
}

fn finding((severity, finding): &(Severity, Finding)) -> Value {
    json!({
        "severity": severity.name(),
        "code": finding.code.to_string(),
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "path": finding.place.path,
        "cause": finding.cause,
        "remedy": finding.remedy,
    })
}
