//! Findings for code scanning: SARIF 2.1.0 (OASIS).

use std::collections::BTreeSet;

use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages::Code;
use serde_json::{Map, Value, json};

use super::{Report, Severity, outermost};

/// A log of one run.
pub(super) fn report(report: &Report) -> Value {
    let codes: BTreeSet<Code> = report.findings.iter().map(|finding| finding.code).collect();
    let codes: Vec<Code> = codes.into_iter().collect();
    let results: Vec<_> = report
        .told()
        .map(|found| result(report, found, &codes))
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "hpcr-check",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": codes.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    let (name, text) = code
        .entry()
        .map_or(("", ""), |entry| (entry.name, entry.text));
    json!({
        "id": code.to_string(),
        "name": name,
        "shortDescription": {"text": text},
        "help": {"text": format!("hpcr-check explain {code}")},
    })
}

fn result(report: &Report, (severity, finding): (Severity, &Finding), codes: &[Code]) -> Value {
    let (place, message) = outermost(report, finding);
    json!({
        "ruleId": finding.code.to_string(),
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": severity.name(),
        "message": {"text": message},
        "locations": location(&place).into_iter().collect::<Vec<_>>(),
    })
}

/// Where it is, as far as there is a file or a key.
fn location(place: &Place) -> Option<Value> {
    let mut location = Map::new();
    if !place.file.is_empty() {
        let mut physical = Map::new();
        physical.insert("artifactLocation".into(), json!({"uri": uri(&place.file)}));
        if let Some(line) = place.line {
            let mut region = Map::new();
            region.insert("startLine".into(), json!(line));
            if let Some(column) = place.column {
                region.insert("startColumn".into(), json!(column.max(1)));
            }
            physical.insert("region".into(), Value::Object(region));
        }
        location.insert("physicalLocation".into(), Value::Object(physical));
    }
    if !place.path.is_empty() {
        location.insert(
            "logicalLocations".into(),
            json!([{"fullyQualifiedName": place.path}]),
        );
    }
    (!location.is_empty()).then_some(Value::Object(location))
}

/// A file name as a URI reference (RFC 3986): what is not plain is escaped.
fn uri(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_becomes_a_uri_reference() {
        assert_eq!(uri("a b/\u{e9}%:.yaml"), "a%20b/%C3%A9%25%3A.yaml");
    }
}
