#![allow(clippy::unwrap_used)]

use super::*;
use crate::finding::Level;
use crate::secret::ExposeSecret as _;

fn environment(service: &Service) -> Vec<(&str, &str)> {
    service
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.expose_secret()))
        .collect()
}

#[test]
fn the_environment_holds_what_is_named_and_nothing_else() {
    let map = service(
        "environment:\n  HOST:\n  UNKNOWN:\n  URL: https://$HOST/\n  N: 1\n  NONE: $UNKNOWN\n",
    )
    .unwrap();
    assert_eq!(
        environment(&map),
        [
            ("HOST", "registry.example:5000"),
            ("N", "1"),
            ("NONE", ""),
            ("URL", "https://registry.example:5000/")
        ]
    );
    let list = service("environment: [HOST, UNKNOWN, \"A=b=$PORT\", EMPTY=]\n").unwrap();
    assert_eq!(
        environment(&list),
        [
            ("A", "b=8080"),
            ("EMPTY", ""),
            ("HOST", "registry.example:5000")
        ]
    );
    let file = service("env_file: ./web.env\nenvironment: {FROM_FILE: own}\n").unwrap();
    assert_eq!(
        environment(&file),
        [
            ("AGAIN", "file!"),
            ("BOTH", "$HOST"),
            ("FROM_FILE", "own"),
            ("GREETING", "hunter2"),
            ("QUOTED", "a registry.example:5000 $x"),
        ]
    );
    assert!(
        service("env_file: [{path: none.env, required: false}]\n")
            .unwrap()
            .environment
            .is_empty()
    );
    assert!(!format!("{file:?}").contains("hunter2"));
}

#[test]
fn fractions_and_truth_values_are_the_text_that_was_written() {
    let read = service(
        "environment: {RATIO: 0.50, BIG: 1e3, DEBUG: true, OFF: false, AGAIN: -1.10}\nsysctls: {net.core.x: 1.0}\n",
    )
    .unwrap();
    assert_eq!(
        environment(&read),
        [
            ("AGAIN", "-1.10"),
            ("BIG", "1e3"),
            ("DEBUG", "true"),
            ("OFF", "false"),
            ("RATIO", "0.50"),
        ]
    );
    assert_eq!(read.sysctls["net.core.x"], "1.0");
}

/// The first service of a compose file beside which further files lie, or what was found.
fn beside(files: &[(&str, &str)], lines: &str) -> Result<Service, Vec<Finding>> {
    let mut archive = archive(&format!("services: {{web: {{image: {IMAGE}, {lines}}}}}\n"));
    for (name, text) in files {
        let file = File::plain(text.as_bytes().to_vec());
        archive.files.insert((*name).to_owned(), file);
    }
    let variables = variables();
    let given = Given {
        variables: &variables,
        volumes: &[],
        signed: &[],
        is_open: false,
    };
    let (workload, findings) = read(archive, &given, &Place::default());
    workload
        .map(|mut workload| workload.services.remove(0))
        .ok_or(findings)
}

#[test]
fn a_file_beside_the_compose_file_gives_what_the_contract_does_not() {
    let file = "\u{feff}PORT=1\nNEW=\"new $HOST\"\nTWICE=$NEW!\n";
    let read = beside(&[(".env", file)], "environment: [PORT, NEW, \"A=$TWICE\"]").unwrap();
    assert_eq!(
        environment(&read),
        [
            ("A", "new registry.example:5000!"),
            ("NEW", "new registry.example:5000"),
            ("PORT", "8080"),
        ]
    );
    let findings = beside(&[(".env", "A=1\nB C=hunter2\n")], "").unwrap_err();
    assert_eq!(findings[0].place.to_string(), " \u{2192} .env:2:1");
    for (name, text) in [
        ("docker-compose.override.yml", "services: {}"),
        ("compose.override.yaml", ""),
    ] {
        let findings = beside(&[(name, text)], "").unwrap_err();
        assert_eq!(findings[0].level, Level::Limit);
        assert_eq!(findings[0].place.file, name);
    }
}

#[test]
fn a_value_with_yaml_in_it_stays_one_value() {
    let variables = [(
        "EVIL".to_owned(),
        SecretString::from("x\"\n    privileged: true\n    command: [\"evil\"]"),
    )]
    .into();
    let compose = format!(
        "services:\n  web:\n    image: {IMAGE}\n    hostname: a\n    environment:\n      A: \"${{EVIL}}\"\n"
    );
    let workload = read_with(&compose, &variables).unwrap();
    assert!(!workload.services[0].privileged && workload.services[0].command.is_none());
    assert!(
        workload.services[0].environment["A"]
            .expose_secret()
            .contains("privileged: true")
    );
}

#[test]
fn env_files_are_bounded_in_number_because_each_is_read_again() {
    let files = vec!["./web.env"; 65].join(", ");
    let findings = service(&format!("env_file: [{files}]\n")).unwrap_err();
    assert_eq!(&*findings[0].cause, "a service has more than 64 env files");
    let files = vec!["./web.env"; 64].join(", ");
    assert!(service(&format!("env_file: [{files}]\n")).is_ok());
}

#[test]
fn no_environment_and_no_command_is_larger_than_linux_takes() {
    let text = |bytes: usize| "x".repeat(bytes);
    let many = |count: usize| -> String {
        let lines: Vec<_> = (0..count)
            .map(|index| format!("\n  A{index}: {}", text(100_000)))
            .collect();
        format!("environment:{}", lines.concat())
    };
    for (lines, is_good) in [
        (format!("environment: {{A: {}}}", text(120 << 10)), true),
        (format!("environment: {{A: {}}}", text(128 << 10)), false),
        (many(20), true),
        (many(21), false),
        (format!("command: [a, {}]", text(120 << 10)), true),
        (format!("command: [a, {}]", text((128 << 10) + 1)), false),
        (format!("{}\ncommand: {}", many(20), text(100_000)), false),
    ] {
        match service(&lines) {
            Ok(_) => assert!(is_good),
            Err(findings) => {
                assert!(
                    !is_good && findings[0].cause.contains("larger than Linux takes"),
                    "{findings:?}"
                );
            }
        }
    }
}

#[test]
fn a_faulty_line_of_an_env_file_is_told_there_once_for_all_services() {
    let service = |name: &str| format!("  {name}:\n    image: {IMAGE}\n    env_file: bad.env\n");
    let compose = format!("services:\n{}{}", service("web"), service("db"));
    let findings = read_text(&compose).unwrap_err();
    let told: Vec<_> = findings
        .iter()
        .map(|finding| (finding.place.to_string(), &*finding.cause))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    let (place, cause) = &told[0];
    assert!(place.ends_with("bad.env:1:1"), "{place}");
    assert_eq!(*cause, "a quote is not closed");
}

#[test]
fn a_variable_that_is_not_set_is_told_once_with_its_name() {
    let compose = format!(
        "services:\n  web:\n    image: {IMAGE}\n    command: [\"$NONE\", \"${{NONE}}\", \"${{OTHER-}}\", \"${{HOST:-$UNUSED}}\", \"${{GONE:-$DEEP}}\"]\n    env_file: again.env\n"
    );
    let mut archive = archive(&compose);
    for (name, text) in [
        ("again.env", "A=$NONE $LATE\n"),
        ("compose.yml", "x: y"),
        (".env", "E=$FIRST\n"),
    ] {
        let file = File::plain(text.as_bytes().to_vec());
        archive.files.insert(name.to_owned(), file);
    }
    let variables = variables();
    for is_open in [false, true] {
        let given = Given {
            variables: &variables,
            volumes: &[],
            signed: &[],
            is_open,
        };
        let again = Archive {
            files: archive.files.clone(),
            compose: archive.compose,
        };
        let (workload, findings) = read(again, &given, &Place::default());
        let told: Vec<_> = findings
            .iter()
            .map(|finding| (finding.level, &*finding.cause))
            .collect();
        // What the other party may set is not judged.
        assert_eq!(workload.is_none(), is_open);
        if is_open {
            assert_eq!(told, []);
            continue;
        }
        assert_eq!(
            told,
            [
                (
                    Level::Warning,
                    "this file is not read: docker-compose.yaml counts"
                ),
                (
                    Level::Warning,
                    "the variable FIRST is not set, and is empty here"
                ),
                (
                    Level::Warning,
                    "the variable NONE is not set, and is empty here"
                ),
                (
                    Level::Warning,
                    "the variable DEEP is not set, and is empty here"
                ),
                (
                    Level::Warning,
                    "the variable LATE is not set, and is empty here"
                ),
            ]
        );
    }
}
