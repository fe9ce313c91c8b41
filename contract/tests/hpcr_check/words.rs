//! What the tool says of itself and of the messages: `help`, `explain`, `schema`, `completions`, `man`.

use crate::desk::Desk;

#[test]
fn codes_are_explained_also_those_that_only_the_published_images_use() {
    let desk = Desk::new();
    for code in ["HPL08001E", "hpl11001e", "HPL10001I:"] {
        let ran = desk.hpcr(&["explain", code]);
        assert_eq!(ran.status, 0);
        for part in [&code.to_uppercase()[..9], "why: ", "what to do: "] {
            assert!(ran.out.contains(part), "{part}: {ran:?}");
        }
    }
    assert_eq!(desk.hpcr(&["explain", "HPL99999E"]).status, 2);
    assert!(desk.hpcr(&["explain"]).out.lines().count() > 100);
    assert_eq!(
        desk.hpcr(&["explain", "HPL08001E", "--format", "json"])
            .json()[0]["code"],
        "HPL08001E"
    );
}

#[test]
fn the_schema_of_each_product_is_json_schema() {
    let desk = Desk::new();
    // It speaks of private keys, and holds none.
    for platform in ["ccrt", "hpvs", "ccrv", "ccco"] {
        let schema = desk
            .hpcr_secretly(&["schema", "--platform", platform], b"")
            .json();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
    }
}

#[test]
fn every_command_has_a_page_and_examples_stand_in_the_help() {
    let desk = Desk::new();
    let help = desk.hpcr(&["--help"]);
    assert!(
        help.status == 0 && help.out.contains("Examples:") && help.out.contains("Exit status: 0"),
        "{help:?}"
    );
    let commands = help
        .out
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands.iter().filter(|command| **command != "help") {
        assert_eq!(desk.hpcr(&[command, "--help"]).status, 0, "{command}");
        assert!(
            desk.hpcr(&["man", command]).out.starts_with(".ie"),
            "{command}"
        );
    }
    assert!(desk.hpcr(&["man"]).out.contains("hpcr\\-check"));
    for (nested, name) in [
        (
            ["attestation", "verify"],
            "hpcr\\-check\\-attestation\\-verify",
        ),
        (
            ["certificate", "check"],
            "hpcr\\-check\\-certificate\\-check",
        ),
        (["initdata", "decode"], "hpcr\\-check\\-initdata\\-decode"),
        (
            ["sealed-secret", "open"],
            "hpcr\\-check\\-sealed\\-secret\\-open",
        ),
    ] {
        let page = desk.hpcr(&[&["man"], &nested[..]].concat());
        assert!(page.status == 0 && page.out.contains(name), "{page:?}");
    }
    for wrong in [&["man", "nothing"][..], &["man", "attestation", "nothing"]] {
        assert_eq!(desk.hpcr(wrong).status, 2, "{wrong:?}");
    }
    assert!(desk.hpcr(&["--version"]).out.starts_with("hpcr-check "));
}

#[test]
fn every_shell_gets_its_completions() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = desk.hpcr(&["completions", shell]);
        assert!(
            ran.status == 0 && ran.out.contains("attestation"),
            "{shell}"
        );
    }
}
