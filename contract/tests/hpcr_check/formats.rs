//! The formats of findings.

use serde_json::{Value, json};

use crate::desk::Desk;

/// A contract with an unknown key at the top and one below `volumes`.
fn findings(desk: &mut Desk) -> String {
    desk.workload = desk.workload.replace(
        "seed: workload-seed-0001",
        "seed: workload-seed-0001\n    sede: hunter2",
    );
    desk.clear() + "\"x,y:%\": 1\n"
}

#[test]
fn json_is_one_object_with_every_finding() {
    let mut desk = Desk::new();
    let contract = findings(&mut desk);
    let ran = desk.validate(&contract, &["--format", "json"]);
    let report = ran.json();
    assert_eq!(ran.status, 1);
    assert_eq!(
        (&report["valid"], &report["checked"], &report["file"]),
        (&json!(false), &json!("contract"), &json!("contract.yaml"))
    );
    let finding = &report["findings"][0];
    for (key, value) in [
        ("code", "HPL05001E"),
        ("severity", "error"),
        ("file", "contract.yaml"),
        ("path", "workload.volumes.data.sede"),
    ] {
        assert_eq!(finding[key], value);
    }
    assert_eq!(finding["line"], 12);
    assert_eq!(report["findings"][1]["severity"], "warning");
}

#[test]
fn sarif_names_rules_levels_and_regions() {
    let mut desk = Desk::new();
    let contract = findings(&mut desk);
    let ran = desk.validate(&contract, &["--format", "sarif"]);
    let log = ran.json();
    assert_eq!((ran.status, &log["version"]), (1, &json!("2.1.0")));
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!((rules.len(), results.len()), (3, 4));
    for result in results {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(
            rule["shortDescription"]["text"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        );
        assert!(matches!(
            result["level"].as_str(),
            Some("error" | "warning" | "note")
        ));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "contract.yaml");
        assert!(
            place["region"]["startLine"].as_u64() > Some(0)
                && place["region"]["startColumn"].as_u64() > Some(0)
        );
        assert!(result["message"]["text"].is_string());
    }
    let clean = Desk::new();
    let log = |contract: &str, arguments: &[&str]| {
        let arguments = [&["--format", "sarif"], arguments].concat();
        clean.validate(contract, &arguments).json()["runs"][0]["results"].clone()
    };
    let sealed = log(&clean.sealed_and_signed(), &["--key", "image.key"]);
    assert_eq!(sealed, Value::Array(Vec::new()));
    let notes = log(&clean.clear(), &["--strict"]);
    let levels: Vec<_> = notes
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["level"])
        .collect();
    assert_eq!(levels, ["note", "note"]);
}

#[test]
fn github_gets_one_command_a_finding_and_the_verdict_apart() {
    let mut desk = Desk::new();
    let contract = findings(&mut desk);
    let ran = desk.validate(&contract, &["--format", "github"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 4, "{ran:?}");
    assert!(
        lines[0].starts_with("::error file=contract.yaml,line=12,col="),
        "{ran:?}"
    );
    assert!(
        lines[0].contains(",title=HPL05001E::the key `sede` is not known here; "),
        "{ran:?}"
    );
    assert!(
        lines[1].starts_with("::warning file=contract.yaml,line="),
        "{ran:?}"
    );
    assert_eq!(
        ran.err,
        "contract.yaml: not valid: 1 error; 1 warning; 2 notes\n"
    );
}

#[test]
fn colours_are_for_terminals_and_files_are_plain() {
    let mut desk = Desk::new();
    let contract = findings(&mut desk);
    let ran = desk.validate(&contract, &[]);
    assert!(!ran.out.contains('\u{1b}'));
    for option in ["--out", "--output"] {
        let filed = desk.hpcr(&["contract.yaml", option, "report.txt"]);
        assert_eq!((filed.status, filed.out.as_str()), (1, ""));
        let report = desk.read("report.txt");
        assert_eq!(String::from_utf8(report).unwrap(), ran.out);
    }
}

#[test]
fn a_terminal_that_wants_colours_gets_them_and_one_that_does_not_gets_none() {
    let mut desk = Desk::new();
    let contract = findings(&mut desk);
    desk.write("contract.yaml", contract);
    for (variable, coloured) in [("CLICOLOR_FORCE", true), ("NO_COLOR", false)] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_hpcr-check"))
            .current_dir(desk.folder.path())
            .arg("contract.yaml")
            .env(variable, "1")
            .output()
            .unwrap();
        assert_eq!(output.stdout.contains(&b'\x1b'), coloured, "{variable}");
    }
}

#[test]
fn standard_input_is_no_file_for_a_viewer_to_look_for() {
    let mut desk = Desk::new();
    let contract = findings(&mut desk);
    let told = |format: &str| desk.hpcr_with(&["--format", format, "-"], contract.as_bytes());
    let log = told("sarif").json();
    for result in log["runs"][0]["results"].as_array().unwrap() {
        assert!(
            result["locations"][0].get("physicalLocation").is_none(),
            "{result}"
        );
        assert!(result["locations"][0]["logicalLocations"].is_array());
        assert!(
            result["message"]["text"]
                .as_str()
                .unwrap()
                .starts_with("standard input:")
        );
    }
    let github = told("github").out;
    assert!(
        !github.contains("file=") && !github.contains("line="),
        "{github}"
    );
    assert!(
        github.starts_with(
            "::error title=HPL05001E::standard input:12:7 at workload.volumes.data.sede: "
        ),
        "{github}"
    );
}
