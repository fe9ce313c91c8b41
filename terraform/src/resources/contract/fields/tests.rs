#![allow(clippy::unwrap_used)]
use serde_json::json;

use super::*;
use crate::value::json::plain;

fn named<'f>(fields: &'f [Field], name: &str) -> &'f Field {
    fields.iter().find(|field| field.name == name).unwrap()
}

fn inner(field: &Field) -> &[Field] {
    match &field.shape {
        Shape::One(fields) | Shape::List(fields) | Shape::Map(fields) => fields,
        Shape::Value(_) => &[],
    }
}

#[test]
fn every_key_of_the_schema_is_an_attribute_in_terraforms_spelling() {
    let env = of(Section::Env);
    let logging = inner(named(env, "logging"));
    let router = inner(named(logging, "log_router"));
    for (fields, names) in [
        (
            env,
            &[
                "auths",
                "cacerts",
                "env",
                "host_attestation",
                "logging",
                "signing_key",
                "volumes",
            ][..],
        ),
        (logging, &["log_router", "syslog"]),
        (router, &["hostname", "iam_api_key", "port", "tags"]),
        (
            inner(named(env, "volumes")),
            &["grep11", "kms", "seed", "uv_secret_id", "volume_id"],
        ),
    ] {
        for name in names {
            named(fields, name);
        }
    }
    let workload = of(Section::Workload);
    assert!(workload.iter().all(|field| field.name != "type"));
    assert!(matches!(named(workload, "play").shape, Shape::One(_)));
    assert!(matches!(
        named(inner(named(workload, "play")), "resources").shape,
        Shape::Value(Kind::Dynamic)
    ));
}

#[test]
fn what_is_not_known_to_be_harmless_is_sensitive() {
    let all = attributes(of(Section::Env));
    let of_name = |attributes: &[Attribute], name: &str| {
        attributes
            .iter()
            .find(|one| one.name == name)
            .unwrap()
            .clone()
    };
    let nested = |attribute: Attribute| match attribute.form {
        Form::Nested(_, attributes) => attributes,
        Form::Value(_) => Vec::new(),
    };
    let volume = nested(of_name(&all, "volumes"));
    assert!(of_name(&volume, "seed").sensitive && !of_name(&volume, "create").sensitive);
    let syslog = nested(of_name(&nested(of_name(&all, "logging")), "syslog"));
    assert!(of_name(&syslog, "key").sensitive && !of_name(&syslog, "hostname").sensitive);
    assert!(of_name(&all, "env").sensitive);
}

#[test]
fn what_a_configuration_says_is_said_in_a_contracts_words() {
    let said = json!({
        "logging": {"log_router": {"hostname": "h", "iam_api_key": "k", "port": null}},
        "volumes": {"data": {"seed": "s", "volume_id": "v", "kms": [{"api_key": "a", "crn": "c"}]}},
        "cacerts": null,
        "env": {"A": "1"},
    });
    let Value::Map(said) = plain(&said) else {
        panic!()
    };
    assert_eq!(
        Json::Object(to_json(of(Section::Env), &said)),
        json!({
            "logging": {"logRouter": {"hostname": "h", "iamApiKey": "k"}},
            "volumes": {"data": {"seed": "s", "volumeID": "v", "kms": [{"apiKey": "a", "crn": "c"}]}},
            "env": {"A": "1"},
        })
    );
}

#[test]
fn a_key_path_leads_to_its_attribute() {
    let fields = of(Section::Env);
    let said = plain(&json!({
        "auths": {"registry.example:5000": {"username": "u"}},
        "volumes": {"data": {"kms": [{"crn": "x"}]}},
        "env": {"A.B": 1},
    }));
    for (place, expected) in [
        ("logging.syslog.hostname", "env.logging.syslog.hostname"),
        (
            "logging.logRouter.iamApiKey",
            "env.logging.log_router.iam_api_key",
        ),
        (
            "auths.registry.example:5000.username",
            r#"env.auths["registry.example:5000"].username"#,
        ),
        (
            "volumes.data.kms[0].crn",
            r#"env.volumes["data"].kms[0].crn"#,
        ),
        ("volumes.other", "env.volumes"),
        ("env.A.B", r#"env.env["A.B"]"#),
        ("type", "env"),
        ("", "env"),
    ] {
        assert_eq!(
            path(fields, &said, place, Path::of("env")).to_string(),
            expected
        );
    }
}

#[test]
fn findings_speak_of_keys_as_terraform_spells_them() {
    for (text, spoken) in [
        (
            "write exactly one of syslog and logRouter",
            "write exactly one of syslog and log_router",
        ),
        (
            "`logRouter.iamApiKey`, or uv-secret-id.",
            "`log_router.iam_api_key`, or uv_secret_id.",
        ),
        (
            "nothing of ours: iPhone, dm-crypt",
            "nothing of ours: iPhone, dm-crypt",
        ),
        ("", ""),
    ] {
        assert_eq!(super::spoken(of(Section::Env), text), spoken);
    }
}
