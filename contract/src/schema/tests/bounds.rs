//! Every key and its bounds, out of a table (`bounds.yaml`).

use super::*;

/// A sound section to add a key to.
fn with(section: Section) -> &'static str {
    match section {
        Section::Workload => "type: workload\ncompose: {archive: AAAA}\n",
        Section::Env => "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k}}\n",
    }
}

/// What stops a section, and its text.
fn stops(section: Section, around: &str, value: &Value) -> (String, Vec<String>) {
    let text = around.replace("VALUE", value.as_str().unwrap());
    let found = findings(section, &text).into_iter();
    let told = found
        .filter(Finding::stops)
        .map(|finding| format!("{}; {}", finding.cause, finding.remedy));
    let told = told.collect();
    (text, told)
}

#[test]
fn every_key_holds_its_bounds() {
    let table = include_str!("bounds.yaml");
    let table = Document::parse(table, "bounds", SCHEMA_PARSE_CONTRACT).unwrap();
    let (mut cases, mut wrong) = (0, Vec::new());
    for row in table.to_json().as_array().unwrap() {
        let section = if row["section"] == "env" {
            Section::Env
        } else {
            Section::Workload
        };
        let around = match row["in"].as_str() {
            Some(whole) => whole.to_owned(),
            None => format!("{}{}", with(section), row["with"].as_str().unwrap()),
        };
        for value in row["taken"].as_array().into_iter().flatten() {
            let (text, told) = stops(section, &around, value);
            if !told.is_empty() {
                wrong.push(format!("{text}: {told:?}"));
            }
            cases += 1;
        }
        for pair in row["refused"].as_array().into_iter().flatten() {
            let (text, told) = stops(section, &around, &pair[0]);
            let said = pair[1].as_str().unwrap();
            if !told.iter().any(|told| told.contains(said)) {
                wrong.push(format!("{text}: {said:?} is not in {told:?}"));
            }
            cases += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases > 250, "the table has only {cases} cases");
}
