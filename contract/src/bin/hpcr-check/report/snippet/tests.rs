#![allow(clippy::unwrap_used)]
use super::*;

fn shown(line: &str, path: &str, column: u32) -> (String, String) {
    let snippet = of(
        line,
        &Place::at("contract.yaml", path).with_position(1, column),
    );
    let mark = " ".repeat(snippet.before) + &"^".repeat(snippet.width);
    (snippet.text, mark)
}

#[test]
fn a_value_is_hidden_unless_its_path_is_known_to_be_public() {
    for (line, path, expected) in [
        (
            "    seed: hunter2hunter2",
            "workload.volumes.data.seed",
            "    seed: <hidden>",
        ),
        (
            "    mount: /hunter2",
            "workload.volumes.data.mount",
            "    mount: /hunter2",
        ),
        (
            "    mount: /mnt # hunter2",
            "workload.volumes.data.mount",
            "    mount: /mnt",
        ),
        ("  mount: hunter2", "env.env.mount", "  mount: <hidden>"),
        ("  type: hunter2", "env.env.type", "  type: <hidden>"),
        ("type: env", "", "type: env"),
        (
            "  data: {seed: hunter2, mount: /x/}",
            "workload.volumes.data.mount",
            "  data: <hidden>",
        ),
        (
            "    image: nginx:latest",
            "services.web.image",
            "    image: nginx:latest",
        ),
        (
            "    - \"8080:80\"",
            "services.web.ports[0]",
            "    - \"8080:80\"",
        ),
        (
            "    ports: [\"1:2\"]",
            "services.web.ports[0]",
            "    ports: [\"1:2\"]",
        ),
        (
            "    - PASSWORD=hunter2",
            "services.web.environment[0]",
            "    - <hidden>",
        ),
        (
            "    x-password: hunter2",
            "services.web.x-password",
            "    x-password: <hidden>",
        ),
        (
            "    command: run hunter2",
            "services.web.command",
            "    command: <hidden>",
        ),
        ("  - name: hunter2", "data", "  - name: <hidden>"),
        (
            "    - image: nginx",
            "spec.containers[0].image",
            "    - image: nginx",
        ),
        (
            "  -----BEGIN PRIVATE KEY-----",
            "env.logging.syslog.key",
            "  <hidden>",
        ),
        ("hunter2", "", "<hidden>"),
        ("seed:hunter2", "", "<hidden>"),
        ("password hunter2: x", "", "<hidden>"),
        ("{\"seed\": \"hunter2\"}", "", "<hidden>"),
        ("\"seed\": \"hunter2\"", "env.seed", "\"seed\": <hidden>"),
        ("workload: | # hunter2", "workload", "workload: <hidden>"),
        ("workload: |-", "workload", "workload: |-"),
        ("workload:", "workload", "workload:"),
        ("# hunter2: x", "", "<hidden>"),
        (
            "  https://bob:hunter2@reg.example: x",
            "workload.auths.https:<hidden>",
            "  https:<hidden>: <hidden>",
        ),
        (
            "      PASS=hunter2: x",
            "services.a.environment.PASS=<hidden>",
            "      <hidden>",
        ),
        (
            "    image: bob:hunter2@reg.example/x@sha256:ab",
            "services.a.image",
            "    image: <hidden>",
        ),
        ("", "", ""),
    ] {
        assert_eq!(shown(line, path, 1).0, expected, "{line} at {path}");
    }
}

#[test]
fn the_mark_stands_below_the_key_or_the_value_that_is_meant() {
    for (line, path, column, mark) in [
        ("    seed: hunter2", "volumes.data.seed", 5, "    ^^^^"),
        (
            "    seed: hunter2",
            "volumes.data.seed",
            11,
            "          ^^^^^^^^",
        ),
        ("    mount: /a/", "volumes.data.mount", 12, "           ^^^"),
        ("\tmount: /a/", "volumes.data.mount", 9, "        ^^^"),
        (
            "  - \"8080:80\"",
            "services.web.ports[0]",
            5,
            "    ^^^^^^^^^",
        ),
        ("seed:", "volumes.data.seed", 6, "     ^"),
        ("", "", 1, "^"),
        ("a", "", 4_000_000_000, "^^^^^^^^"),
        ("- - - a", "", 3, "  ^"),
    ] {
        assert_eq!(shown(line, path, column).1, mark, "{line} {column}");
    }
}

#[test]
fn no_line_moves_the_cursor_or_grows_without_bound() {
    let (text, _) = shown("    image: a\u{1b}[2J\u{202e}b", "services.web.image", 12);
    assert_eq!(text, "    image: a\u{fffd}[2J\u{fffd}b");
    let long = format!("    image: {}", "x".repeat(10_000));
    assert!(shown(&long, "services.web.image", 12).0.len() < 200);
}

#[test]
fn of_a_long_line_what_is_around_the_mark_is_shown() {
    let long = "- ".repeat(500_000);
    for (column, cut, mark) in [(1, false, 0), (97, false, 96), (1001, true, 41)] {
        let (text, marked) = shown(&long, "", column);
        assert_eq!(text.starts_with('…'), cut, "{column}");
        assert!(text.ends_with('…') && text.chars().count() <= 162);
        assert_eq!(marked, " ".repeat(mark) + "^", "{column}");
    }
    let long = format!("    image: {}", "x".repeat(10_000));
    let (text, marked) = shown(&long, "services.web.image", 12);
    assert_eq!(text.chars().count(), 161);
    assert!(marked.trim_start().chars().all(|letter| letter == '^'));
}

proptest::proptest! {
    #[test]
    fn a_value_that_is_not_public_never_shows(
        lead in "[ \t-]{0,6}", key in "[a-z\"' :{\\[]{0,12}", path in "[a-z.\\[\\]0-9]{0,20}", column in 0_u32..60,
    ) {
        let line = format!("{lead}{key}: hunter2-HUNTER2");
        let (text, _) = shown(&line, &path, column);
        proptest::prop_assert!(!text.contains("HUNTER2"), "{line:?} {path:?}: {text:?}");
    }
}
