#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn variables() -> Variables {
    [
        ("HOST", "registry.example"),
        ("EMPTY", ""),
        ("_x1", "y"),
        ("DOLLAR", "${HOST}"),
        ("QUOTE", "\"\n- b: ["),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
    .collect()
}

#[test]
fn every_form_gives_what_compose_gives() {
    let variables = variables();
    let mut interpolator = Interpolator::new(&variables);
    for (scalar, expected) in [
        ("", ""),
        ("plain {braces} }", "plain {braces} }"),
        ("$HOST/web", "registry.example/web"),
        ("${HOST}web", "registry.exampleweb"),
        ("$_x1-$NONE.", "y-."),
        ("$$HOST $${HOST}", "$HOST ${HOST}"),
        ("${NONE-d}${EMPTY-d}${HOST-d}", "dregistry.example"),
        ("${NONE:-d}${EMPTY:-d}${_x1:-d}", "ddy"),
        ("${NONE+r}${EMPTY+r}${_x1+r}", "rr"),
        ("${NONE:+r}${EMPTY:+r}${_x1:+r}", "r"),
        ("${EMPTY?e}${_x1?e}${_x1:?e}", "yy"),
        ("${NONE:-${EMPTY:-${HOST}}}", "registry.example"),
        ("${NONE:-a$$b}", "a$b"),
        ("${NONE:-{\"a\":{}}}!", "{\"a\":{}}!"),
        ("${NONE:-}|", "|"),
        ("$PWD/a ${PWD:-x}/a", "./a ./a"),
        ("${HOST:-${MISSING_BUT_WRITTEN-x}}", "registry.example"),
        ("\u{fc}$HOST\u{fc}", "\u{fc}registry.example\u{fc}"),
    ] {
        assert_eq!(
            interpolator
                .interpolate(scalar)
                .as_deref()
                .map(String::as_str),
            Ok(expected),
            "{scalar}"
        );
    }
}

#[test]
fn a_value_is_never_read_again() {
    let variables = variables();
    let mut interpolator = Interpolator::new(&variables);
    assert_eq!(
        interpolator.interpolate("$DOLLAR").unwrap().as_str(),
        "${HOST}"
    );
    assert_eq!(
        interpolator.interpolate("${QUOTE}").unwrap().as_str(),
        "\"\n- b: ["
    );
}

#[test]
fn what_is_malformed_or_missing_is_refused_without_a_value() {
    let mut variables = variables();
    variables.insert("SECRET".into(), SecretString::from("hunter2"));
    let required = |name: &str, message: &str| Problem::Required {
        name: name.into(),
        message: message.into(),
    };
    for (scalar, problem) in [
        ("$", Problem::Malformed),
        ("$1", Problem::Malformed),
        ("$(HOST)", Problem::Malformed),
        ("${}", Problem::Malformed),
        ("${HOST!}", Problem::Malformed),
        ("${HOST:}", Problem::Malformed),
        ("${HOST", Problem::Unclosed),
        ("${HOST:-x", Problem::Unclosed),
        ("${HOST:", Problem::Unclosed),
        ("${NONE:?}", required("NONE", "")),
        (
            "${EMPTY:?set it, not $SECRET}",
            required("EMPTY", "set it, not $SECRET"),
        ),
        ("${NONE?a\u{1b}b}", required("NONE", "a\u{fffd}b")),
    ] {
        let found = Interpolator::new(&variables)
            .interpolate(scalar)
            .unwrap_err();
        assert_eq!(found, problem, "{scalar}");
        assert!(!found.to_string().contains("hunter2"));
    }
}

#[test]
fn nesting_and_growth_are_bounded() {
    let variables: Variables = [("BIG".to_owned(), SecretString::from("x".repeat(1 << 20)))].into();
    let mut interpolator = Interpolator::new(&variables);
    assert!(interpolator.interpolate("$BIG$BIG").is_ok());
    assert_eq!(
        interpolator.interpolate("$BIG$BIG$BIG").unwrap_err(),
        Problem::TooLarge
    );

    let nested = |depth: usize| format!("{}{}", "${NONE:-".repeat(depth), "}".repeat(depth));
    assert!(
        Interpolator::new(&variables)
            .interpolate(&nested(DEPTH))
            .is_ok()
    );
    assert_eq!(
        Interpolator::new(&variables)
            .interpolate(&nested(100_000))
            .unwrap_err(),
        Problem::TooDeep
    );
}

proptest! {
    #[test]
    fn no_scalar_makes_it_panic(scalar in "[$:{}?+A-Z_x1\u{e9}-]{0,60}") {
        let _ = Interpolator::new(&variables()).interpolate(&scalar);
    }

    #[test]
    fn text_without_a_dollar_is_left_alone(scalar in "[^$]{0,60}") {
        let variables = variables();
        let output = Interpolator::new(&variables).interpolate(&scalar).unwrap();
        prop_assert_eq!(output.as_str(), scalar);
    }
}
