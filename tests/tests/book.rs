//! The book is true: what it names exists, and what exists is named.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

#[test]
fn every_error_has_the_form_of_the_rules() {
    let mut code = String::new();
    sources(&root(), &mut code);
    let texts = code.split("#[error(").skip(1);
    let texts = texts.filter_map(|rest| rest.split(")]").next()?.split('"').nth(1));
    let mut seen = 0;
    for text in texts {
        let text = text.replace("\\\n", "");
        let words: Vec<&str> = text.split_whitespace().collect();
        let begins_anew = |pair: &[&str]| {
            pair[0].ends_with('.') && pair[1].starts_with(|one: char| one.is_uppercase())
        };
        let is_one_line = !text.ends_with('.') && !words.windows(2).any(begins_anew);
        assert!(
            is_one_line,
            "`{text}`: the remedy follows a semicolon, and nothing its end"
        );
        seen += 1;
    }
    assert!(seen > 150, "only {seen} were found");
}

#[test]
fn folders_know_whom_the_picture_of_the_architecture_says_and_nobody_else() {
    let picture: [(&str, &[&str]); 7] = [
        ("contract", &[]),
        ("disk", &["contract"]),
        ("logging", &["contract"]),
        ("container", &["contract"]),
        ("bootstrap", &["container", "contract", "disk", "logging"]),
        ("image", &["contract"]),
        ("terraform", &["contract", "image"]),
    ];
    for (folder, known) in picture {
        let manifest = page(&format!("{folder}/Cargo.toml"));
        let tables = manifest.split("\n[").filter(|table| {
            let name = table.split(']').next().unwrap();
            name.ends_with("dependencies") && !name.starts_with("dev-")
        });
        let mut found: Vec<&str> = tables
            .flat_map(str::lines)
            .filter_map(|line| line.strip_prefix("hpcr-")?.split(['.', ' ']).next())
            .collect();
        found.sort_unstable();
        assert_eq!(found, known, "{folder}");
    }
}

/// Everything for people to read, by its path in the project.
fn book() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let mut paths: Vec<PathBuf> = docs.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    let beside = [
        "README.md",
        "SPECIFICATION.md",
        "CHANGELOG.md",
        "terraform/README.md",
        "terraform/examples/README.md",
    ];
    paths.extend(beside.map(|name| root().join(name)));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut links = 0;
    for (path, text) in book() {
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            if target.starts_with("https:") {
                continue;
            }
            links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                path.clone()
            } else {
                path.with_file_name(file)
            };
            let told = format!("{target} in {}", path.display());
            assert!(file.exists(), "{told}");
            let found = heading.is_empty()
                || headings(&fs::read_to_string(&file).unwrap()).any(|one| one == heading);
            assert!(found, "{told}");
        }
    }
    assert!(links > 60, "only {links} links were found");
}

/// The anchors of a page, as forges make them of its headings.
fn headings(page: &str) -> impl Iterator<Item = String> {
    let is_kept = |letter: &char| letter.is_alphanumeric() || "-_ ".contains(*letter);
    let lines = page.lines().filter(|line| line.starts_with('#'));
    lines.map(move |line| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        text.chars()
            .filter(is_kept)
            .collect::<String>()
            .replace(' ', "-")
    })
}

#[test]
fn every_page_is_in_the_index() {
    let index = page("docs/README.md");
    for (path, _) in book() {
        let name = path.strip_prefix(root().join("docs"));
        let name = name.ok().and_then(Path::to_str).unwrap_or("README.md");
        let is_listed = index.contains(&format!("]({name})"));
        assert!(
            is_listed || name == "README.md",
            "{name} is not in the index"
        );
    }
}

#[test]
fn every_command_and_option_that_the_book_names_exists() {
    for program in ["hpcr-check", "hpcr-image"] {
        let mut commands = 0;
        for (path, text) in book() {
            // A command may go on in the next line.
            let text = text.replace("\\\n", " ");
            let lead = format!("{program} ");
            for line in text.lines().flat_map(|line| line.split(&lead).skip(1)) {
                let line = line.split(|end| "`|<>#;".contains(end)).next().unwrap();
                assert!(
                    is_understood(program, line),
                    "`{program} {line}` in {}",
                    path.display()
                );
                commands += 1;
            }
        }
        assert!(commands > 15, "only {commands} of {program} were found");
    }
}

/// Whether the program has the command that this begins with, and that command its options.
fn is_understood(program: &str, line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_name = |word: &&&str| {
        word.chars()
            .all(|one| one.is_ascii_lowercase() || one == '-')
    };
    let is_option = |word: &&&str| word.starts_with("--");
    let named = words.iter().take(2).take_while(is_name);
    let named: Vec<_> = named.take_while(|word| !word.starts_with('-')).collect();
    let told: Option<String> = if named.is_empty() {
        // Without a name, the command is `validate` where there is one.
        let both = [help(program, &[]), help(program, &[&"validate"])];
        Some(both.into_iter().flatten().collect())
    } else {
        // The second may be what the command is given.
        let mut depths = (1..=named.len()).rev();
        depths.find_map(|depth| help(program, &named[..depth]))
    };
    let Some(told) = told else { return false };
    let mut options = words.iter().filter(is_option);
    options.all(|option| told.contains(option))
}

fn help(program: &str, command: &[&&str]) -> Option<String> {
    let told = Command::new(rig::place::program(program))
        .arg("help")
        .args(command)
        .output()
        .unwrap();
    told.status
        .success()
        .then(|| String::from_utf8(told.stdout).unwrap())
}
