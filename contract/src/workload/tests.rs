//! Workloads as authors write them (`contract/tests/workloads`): what runs, or everything that is wrong.
//!
//! The comments of each file say what is expected: `good:` with the containers, or `LINE:COLUMN cause` for each finding.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::finding::Place;
use crate::messages;
use crate::secret::SecretString;
use crate::yaml::Document;

fn variables() -> interpolation::Variables {
    [
        ("REGISTRY", "registry.example:5000"),
        ("DB_PASSWORD", "hunter2"),
        ("DB_NAME", "orders"),
        ("TOKEN", "hunter2"),
        ("MODE", "steady"),
        ("PORT", "8080"),
    ]
    .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
    .into()
}

/// Reads a file the way that its name says.
fn read(name: &str, text: &str) -> Outcome {
    let variables = variables();
    let given = Given {
        variables: &variables,
        is_open: false,
        volumes: &["/mnt/data".to_owned()],
        signed: &[],
    };
    let compose = "docker-compose.yaml";
    if name.ends_with(".compose.yaml") {
        let files = [(compose, text), ("nginx/default.conf", "server {}")]
            .map(|(path, text)| (path.to_owned(), File::plain(text.as_bytes().to_vec())));
        let archive = archive::Archive {
            files: files.into(),
            compose,
        };
        return compose::read(archive, &given, &Place::default());
    }
    let way = if name.ends_with(".template.yaml") {
        "templates"
    } else {
        "resources"
    };
    // Each document becomes an item, line by line, so that the places stay those of the file.
    let lines: Vec<_> = text
        .split("\n---\n")
        .flat_map(|document| {
            let mut lines: Vec<_> = document
                .lines()
                .map(|line| format!("   {line}\n"))
                .collect();
            let first = lines
                .iter()
                .position(|line| !line.starts_with("   #"))
                .unwrap();
            lines[first].replace_range(..3, " - ");
            lines.push("\n".into());
            lines
        })
        .collect();
    let section = format!("play:\n {way}:\n{}", lines.concat());
    let section = Document::parse(&section, "workload", messages::PODS_FAILED).unwrap();
    let (workload, findings) = pod::read(&section, &archive::Unpacked::default(), &given);
    let in_file = |mut finding: Finding| {
        finding.place.line = finding.place.line.map(|line| line - 2);
        finding.place.column = finding.place.column.map(|column| column - 3);
        finding
    };
    (workload, findings.into_iter().map(in_file).collect())
}

#[test]
fn workloads_as_they_are_written_get_the_verdict_that_their_authors_expect() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workloads");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 8);
    let mut wrong = Vec::new();
    for file in files {
        let (name, text) = (
            file.file_name().unwrap().to_str().unwrap(),
            std::fs::read_to_string(&file).unwrap(),
        );
        let (workload, findings) = read(name, &text);
        let told: Vec<_> = findings
            .iter()
            .filter(|finding| finding.stops())
            .map(|finding| {
                assert!(!finding.to_string().contains("hunter2"), "{finding}");
                let Place { line, column, .. } = finding.place;
                (
                    format!("{}:{}", line.unwrap(), column.unwrap()),
                    finding.cause.clone(),
                )
            })
            .collect();
        let comments: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .collect();
        if let Some(names) = comments[0].strip_prefix("good: ") {
            let services = workload
                .map(|workload| workload.services)
                .unwrap_or_default();
            let mut services: Vec<_> = services.into_iter().map(|service| service.name).collect();
            let mut names: Vec<_> = names.split(", ").collect();
            services.sort();
            names.sort_unstable();
            if !told.is_empty() || services != names {
                wrong.push(format!("{name}: {services:?} {told:#?}"));
            }
            continue;
        }
        let expected: Vec<_> = comments
            .iter()
            .filter(|line| line.starts_with(|c: char| c.is_ascii_digit()))
            .filter_map(|line| line.split_once(' '))
            .collect();
        let is_told = |(place, cause): &(&str, &str)| {
            told.iter()
                .any(|(at, why)| at == place && why.contains(cause))
        };
        if told.len() != expected.len() || !expected.iter().all(is_told) {
            wrong.push(format!("{name}: {told:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
