#![allow(clippy::unwrap_used)]

use super::*;
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
