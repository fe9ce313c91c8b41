#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::messages::SCHEMA_PARSE_CONTRACT;

fn parse(text: &str) -> Result<Document, Finding> {
    Document::parse(text, "contract.yaml", SCHEMA_PARSE_CONTRACT)
}

#[test]
fn scalars_follow_the_core_schema() {
    let document = parse(
        "a: 'no'\nb: no\nc: yes\nd: 443\ne: \"443\"\nf: 1_000\ng: true\nh: ~\ni: 1.5\nj: on\nk:\n",
    )
    .unwrap();
    assert_eq!(
        document.to_json(),
        json!({"a": "no", "b": "no", "c": "yes", "d": 443, "e": "443", "f": "1_000", "g": true, "h": null, "i": 1.5, "j": "on", "k": null})
    );
}

#[test]
fn what_could_be_read_two_ways_is_refused_with_its_place() {
    for (text, line, cause) in [
        ("a: 1\na: 2\n", 2, "`a` stands twice"),
        ("a: {b: 1,\n b: 2}\n", 2, "`b` stands twice"),
        ("a: &x 1\nb: *x\n", 1, "anchors and aliases"),
        ("a: {b: 1}\nc:\n  <<: {d: 1}\n", 3, "merge keys"),
        ("a: !secret hunter2\n", 1, "tag"),
        ("b: 1\na: !!binary aHVudGVyMg==\n", 2, "tag"),
        ("a: !!str hunter2\n", 1, "tag"),
        ("a: !!int \"5\"\n", 1, "tag"),
        ("a: !!int hunter2\n", 1, "tag"),
        ("a: ! 5\n", 1, "tag"),
        ("a: !!null hunter2\n", 1, "tag"),
        ("b: 1\n!!str a: hunter2\n", 2, "tag"),
        ("b: [1, !!map {}]\n", 1, "tag"),
        ("a: !<tag:yaml.org,2002:binary> aHVudGVyMg==\n", 1, "tag"),
        ("1: a\n", 1, "a key is not text"),
        ("a: 1\n---\nb: 2\n", 2, "more than one"),
        ("a: .inf\n", 1, "not finite"),
        ("a: 'hunter2\n", 2, "quote is opened"),
        ("a: \"hunter2\nb: x\n", 3, "quote is opened"),
        ("a: 'b' hunter2\n", 1, "follows a quote"),
        ("a: \"b\\q\"\n", 1, "backslash"),
        ("a: *.sh\n", 1, "anchor"),
        ("a: b: hunter2\n", 1, "`:` stands"),
        ("a: x\nb:hunter2\nc: y\n", 3, "neither a key"),
        ("a:\n  b: x\n c: hunter2\n", 3, "indented"),
        ("a: [b, c\nd: hunter2\n", 2, "brackets"),
        ("a: [b]]\n", 1, "brackets"),
        ("a: @hunter2\n", 1, "no text begins"),
        ("a: `hunter2`\n", 1, "no text begins"),
        ("a: |b\n  x\n", 1, "behind `|`"),
        ("a: {{ .Env.X }}\n", 1, "action of a template"),
        ("a:\n- {{ .Env.X }}\n", 2, "action of a template"),
        ("a: b\n{{- if .Env.X }}\nc: d\n", 2, "action of a template"),
        ("a: [1, 2\nb: 3\n", 2, ""),
        ("a:\n\tb: hunter2\n", 2, "tab"),
    ] {
        let finding = parse(text)
            .err()
            .unwrap_or_else(|| panic!("{text:?} was accepted"));
        assert!(finding.cause.contains(cause), "{text:?}: {finding}");
        assert!(!finding.to_string().contains("hunter2"), "{finding}");
        assert!(
            finding
                .place
                .line
                .is_some_and(|found| found.abs_diff(line) <= 1),
            "{text:?}: {finding}"
        );
    }
}

#[test]
fn depth_and_number_are_bounded() {
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    assert!(parse(&deep).is_err());
    let deep_block: String = (0..60).fold(String::new(), |text, level| {
        text + &" ".repeat(level) + "a:\n"
    });
    assert!(parse(&deep_block).unwrap_err().cause.contains("deeper"));
    let wide = "- 1\n".repeat(MAX_NODES + 1);
    assert!(parse(&wide).unwrap_err().cause.contains("more than"));
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Service {
    image: String,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    restart: Option<Restart>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Restart {
    No,
    Always,
}

#[test]
fn typed_reading_names_key_line_and_column_and_never_the_value() {
    let services = |text: &str| {
        parse(text)
            .unwrap()
            .read::<BTreeMap<String, Vec<Service>>>()
    };
    let good = services("web:\n- image: nginx\n  ports: [80]\n  restart: always\n").unwrap();
    assert_eq!(
        good["web"][0],
        Service {
            image: "nginx".into(),
            ports: vec![80],
            restart: Some(Restart::Always)
        }
    );
    for (text, place, cause) in [
        (
            "web:\n- image: 4242\n",
            "contract.yaml:2:10 at web[0].image",
            "a number stands where text",
        ),
        (
            "web:\n- image: a\n  ports: [80, hunter2]\n",
            "contract.yaml:3:15 at web[0].ports[1]",
            "text stands where a whole number",
        ),
        (
            "web:\n- image: a\n  ports: [70000]\n",
            "contract.yaml:3:11 at web[0].ports[0]",
            "out of bounds",
        ),
        (
            "web:\n- image: a\n  imagee: hunter2\n",
            "contract.yaml:3:3 at web[0].imagee",
            "`imagee` is not known",
        ),
        (
            "web:\n- ports: []\n",
            "contract.yaml:2:3 at web[0]",
            "`image` is missing",
        ),
        (
            "web:\n- image: a\n  restart: hunter2\n",
            "contract.yaml:3:12 at web[0].restart",
            "none of those",
        ),
        (
            "web:\n- image: a\n  restart: [1]\n",
            "contract.yaml:3:12 at web[0].restart",
            "not a choice",
        ),
    ] {
        let finding = services(text).unwrap_err();
        assert_eq!(finding.place.to_string(), place, "{text}");
        assert!(finding.cause.contains(cause), "{finding}");
        assert!(
            !finding.to_string().contains("hunter2") && !finding.to_string().contains("4242"),
            "{finding}"
        );
    }
}

#[test]
fn a_pointer_leads_to_line_column_and_dotted_path() {
    let mut document =
        parse("env:\n  volumes:\n    data:\n      seed: x\n  list:\n  - a\n  - b: 1\n").unwrap();
    for (pointer, place) in [
        (
            "/env/volumes/data/seed",
            "contract.yaml:4:13 at env.volumes.data.seed",
        ),
        ("/env/list/1/b", "contract.yaml:7:8 at env.list[1].b"),
        (
            "/env/volumes/nothing/here",
            "contract.yaml:2:3 at env.volumes",
        ),
    ] {
        assert_eq!(document.place(pointer).to_string(), place);
    }
    let env = document.detach("env").unwrap();
    assert_eq!(
        env.place("/volumes/data/seed").to_string(),
        "contract.yaml:4:13 at env.volumes.data.seed"
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_yaml_like_text_makes_the_parser_panic(text in "([ a-c:\\-\\[\\]{},&*!|>'\"#\n\t%@<~0-9.]){0,120}") {
        if let Ok(document) = parse(&text) {
            let mut json = document.to_json();
            wipe(&mut json);
        }
    }
}

#[test]
fn what_is_wrong_in_a_literal_block_is_placed_in_the_file_that_holds_it() {
    for (source, place) in [
        (
            "b: 1\na: |\n  x: 1\n  y: 2\n",
            Some("contract.yaml:4:6 at a.y"),
        ),
        (
            "a: |-\n\n    x: 1\n\n    y: 2\n",
            Some("contract.yaml:5:8 at a.y"),
        ),
        (
            "a: |2\n    x: 1\n    y: 2\n",
            Some("contract.yaml:3:8 at a.y"),
        ),
        ("a: >\n  x: 1\n\n  y: 2\n", None),
        ("a: \"x: 1\\ny: 2\"\n", None),
    ] {
        let mut outer = parse(source).unwrap();
        let scalar = outer.detach("a").unwrap();
        let text = scalar.root().text().unwrap();
        let origin = scalar.literal_origin(source);
        assert_eq!(origin.is_some(), place.is_some(), "{source:?}");
        if let (Some(origin), Some(place)) = (origin, place) {
            let inner = Document::parse_from(text, origin).unwrap();
            assert_eq!(inner.place("/y").to_string(), place);
        }
    }
    let source = "a: |\n  x: [1\n";
    let scalar = parse(source).unwrap().detach("a").unwrap();
    let error =
        Document::parse_from("x: [1\n", scalar.literal_origin(source).unwrap()).unwrap_err();
    assert_eq!(error.place.to_string(), "contract.yaml:2:6 at a");
}
