//! The book is true: what it names exists, and what exists is named.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use hpcr_contract::messages::{CATALOGUE, Code};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .into()
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// Everything between back-ticks in a page.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split('`').skip(1).step_by(2)
}

/// All of our Rust source in one string.
fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_specification_names_exists() {
    let mut code = String::new();
    sources(&root(), &mut code);
    let specification = page("SPECIFICATION.md");
    let names: Vec<_> = quoted(&specification)
        .filter(|name| name.len() > 15 && name.contains('_'))
        .collect();
    assert!(names.len() > 40, "only {} names were found", names.len());
    for name in names {
        assert!(code.contains(&format!("fn {name}(")), "{name} is no test");
    }
}

#[test]
fn every_benchmark_campaign_and_fuzz_target_that_the_specification_names_exists() {
    let specification = page("SPECIFICATION.md");
    let programs = [
        ("benchmark", page("tests/bin/bench/main.rs")),
        ("campaign", page("tests/bin/campaign.rs")),
    ];
    for (kind, program) in &programs {
        for name in named(&specification, kind) {
            assert!(program.contains(&format!("\"{name}\"")), "{kind} {name}");
        }
    }
    for name in named(&specification, "fuzz target") {
        let target = root().join("tests/fuzz/targets").join(name);
        assert!(target.with_extension("rs").is_file(), "fuzz target {name}");
    }
}

/// What a page names in back-ticks after the word for its kind; there is some.
fn named<'p>(page: &'p str, kind: &str) -> Vec<&'p str> {
    let lead = format!("{kind} `");
    let after = page.split(&lead).skip(1);
    let names: Vec<_> = after.map(|rest| rest.split('`').next().unwrap()).collect();
    assert!(!names.is_empty(), "no {kind} is named");
    names
}

#[test]
fn the_message_page_holds_the_whole_catalogue_and_nothing_else() {
    let page = page("docs/messages.md");
    let rows: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| HPL"))
        .map(|row| row.split_once(" | ").unwrap())
        .collect();
    assert_eq!(rows.len(), CATALOGUE.len());
    for entry in CATALOGUE {
        let code = code_text(entry.code);
        let row = rows.iter().find(|(name, _)| *name == code);
        let (_, rest) = row.unwrap_or_else(|| panic!("HPL{code} is not in the page"));
        assert!(
            rest.starts_with(&format!("{} |", entry.text)),
            "HPL{code} has another text in the page"
        );
    }
}

fn code_text(code: Code) -> String {
    code.to_string().trim_start_matches("HPL").to_owned()
}

#[test]
fn the_contract_reference_is_what_the_schema_says() {
    let written = page("docs/reference.md");
    let told = hpcr_contract::schema::page(hpcr_contract::product::Product::Ccrt);
    assert_eq!(
        written, told,
        "write it anew: hpcr-check schema --format markdown --out docs/reference.md"
    );
}
