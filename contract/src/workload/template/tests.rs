#![allow(clippy::unwrap_used)]

use super::*;
use crate::secret::SecretString;
use proptest::prelude::*;

/// What Go's own text/template makes of many templates (`tests/golden/template.go`).
const GOLDEN: &str = include_str!("../../../tests/golden/template.json");

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), SecretString::from(*value)))
        .collect()
}

fn some() -> Variables {
    variables(&[("NAME", "web"), ("SECRET", "hunter2"), ("EMPTY", "")])
}

fn render(text: &str) -> Result<String, Problem> {
    let variables = some();
    let rendered = Templates::new(&variables).render(text);
    rendered.map(|text| text.unwrap().to_string())
}

/// Templates that we take otherwise than Go does: see the page about workloads.
const OTHERWISE: &[(&str, Option<&str>)] = &[
    // Go writes `<no value>`, or nothing.
    ("{{ index .Env .Env.NAME }}|", None),
    // Go writes `<no value>` for what a map does not hold.
    ("{{ .Other.x.y }}", None),
    // Go passes over a pipe that leads to nothing.
    ("{{ print | }}", None),
    // Go writes `%!(NOVERB)` into the text.
    ("{{ printf \"100%\" }}", None),
];

#[test]
fn templates_write_what_go_writes() {
    let golden: serde_json::Value = serde_json::from_str(GOLDEN).unwrap();
    let env = golden["env"].as_object().unwrap();
    let pairs: Vec<_> = env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let variables = variables(&pairs);
    let vectors = golden["vectors"].as_array().unwrap();
    assert!(vectors.len() > 100);
    for vector in vectors {
        let template = vector["template"].as_str().unwrap();
        let ours = OTHERWISE.iter().find(|(other, _)| *other == template);
        let expected = ours.map_or(vector["output"].as_str(), |(_, output)| *output);
        let written = Templates::new(&variables).render(template);
        assert_eq!(
            written
                .as_ref()
                .ok()
                .and_then(|text| Some(text.as_ref()?.as_str())),
            expected,
            "{template}: {written:?}"
        );
    }
}

#[test]
fn what_cannot_be_carried_out_is_told_with_line_and_column() {
    for (text, place, cause) in [
        ("{{ .Env.NONE }}", (1, 4), "the variable NONE has no value"),
        (
            "a\n\u{fc}b {{ quote .Env.NONE }}",
            (2, 7),
            "the variable NONE has no value",
        ),
        (
            "{{ eq .Env.NONE \"x\" }}",
            (1, 4),
            "the variable NONE has no value",
        ),
        ("{{ upper .Env.NAME }}", (1, 4), "no function `upper`"),
        (
            "{{ if true }}\n{{ include \"x\" . }}{{ end }}",
            (2, 4),
            "no function `include`",
        ),
        (
            "{{ if false }}{{ upper 1 }}{{ end }}",
            (1, 18),
            "no function `upper`",
        ),
        (
            "{{ template \"x\" }}",
            (1, 1),
            "`template` is not supported",
        ),
        (
            "{{ range .Env }}{{ break }}{{ end }}",
            (1, 17),
            "`break` is not supported",
        ),
        ("{{ .Values.image }}", (1, 4), "there is no `.Values`"),
        (
            "{{ with .Env.NAME }}{{ .Env.NAME }}{{ end }}",
            (1, 24),
            "has no field `Env`",
        ),
        ("x {{ if .Env.NAME }}", (1, 3), "`if` has no `end`"),
        ("x {{ end }}", (1, 3), "nothing is open"),
        ("{{ $x }}", (1, 4), "no variable `$x`"),
        ("{{ 1.5 }}", (1, 4), "no whole number"),
        ("{{ .Env }}", (1, 4), "no single value"),
        ("{{ eq .Env.SECRET 3 }}", (1, 4), "cannot be compared"),
        ("{{ printf \"%5d\" 3 }}", (1, 4), "a verb"),
        ("{{ .Env.SECRET.x }}", (1, 4), "no field `x`"),
        (
            "{{ with .Env.NAME }}a{{ else if true }}{{ end }}",
            (1, 22),
            "only `else` alone",
        ),
    ] {
        let problem = render(text).unwrap_err();
        assert!(problem.cause.contains(cause), "{text}: {problem}");
        assert_eq!((problem.line, problem.column), place, "{text}: {problem}");
        assert!(!format!("{problem} {problem:?}").contains("hunter2"));
        assert!(!problem.remedy.is_empty());
    }
}

#[test]
fn a_value_is_never_a_template() {
    let variables = variables(&[("EVIL", "{{ .Env.SECRET }}"), ("SECRET", "hunter2")]);
    let written = Templates::new(&variables)
        .render("{{ .Env.EVIL }}")
        .unwrap();
    assert_eq!(written.unwrap().as_str(), "{{ .Env.SECRET }}");
}

#[test]
fn steps_depth_variables_and_output_are_bounded() {
    let cause = |text: &str| render(text).unwrap_err().cause;
    let nested =
        |depth: usize| format!("{}{}", "{{if true}}".repeat(depth), "{{end}}".repeat(depth));
    assert!(render(&nested(DEPTH)).is_ok());
    assert!(cause(&nested(100_000)).contains("deep"));
    let nested = |depth: usize| format!("{{{{ {}1{} }}}}", "(".repeat(depth), ")".repeat(depth));
    assert!(render(&nested(DEPTH)).is_ok());
    assert!(cause(&nested(100_000)).contains("deep"));
    assert!(cause(&"{{$x := 1}}".repeat(100_000)).contains("variables"));
    let loops = |depth: usize| {
        format!(
            "{}{}",
            "{{range $.Env}}".repeat(depth),
            "{{end}}".repeat(depth)
        )
    };
    assert!(cause(&loops(20)).contains("steps"));
    let many: Vec<_> = (0..1_000)
        .map(|number| (format!("V{number}"), "x".repeat(100)))
        .collect();
    let many: Vec<_> = many
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let variables = variables(&many);
    let wide = "{{range .Env}}{{range $.Env}}{{.}}{{end}}{{end}}";
    let problem = Templates::new(&variables).render(wide).unwrap_err();
    assert!(problem.cause.contains("too much"), "{problem}");
    let chain = format!(
        "{{{{if false}}}}{}{{{{end}}}}",
        "{{else if false}}".repeat(10_000)
    );
    assert_eq!(render(&chain).unwrap(), "");
}

proptest! {
    #[test]
    fn text_without_braces_is_left_alone(text in "[^{]{0,60}") {
        prop_assert_eq!(render(&text).unwrap(), text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}") {
        let _ = render(&text);
    }

    #[test]
    fn no_template_makes_it_panic(
        words in proptest::collection::vec(
            "(\\{\\{-? | -?\\}\\}|if |else |end|with |range |\\$x|:=|=|,|\\.Env|\\.NAME|\\.|\"a\"|`b`|eq |printf |default |quote|\\(|\\)| \\| |1|-| |nil|\u{fc}|\n|/\\*|\\*/)",
            0..24,
        ),
    ) {
        let _ = render(&words.concat());
    }
}
