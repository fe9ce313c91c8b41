// A table of cases is as long as its cases.
#![allow(clippy::unwrap_used, clippy::too_many_lines)]
use super::*;
use crate::messages::{SCHEMA_PARSE_CONTRACT, SCHEMA_VALIDATE_CONTRACT};

const SEED: &str = "0123456789-abcdef";

fn findings(section: Section, text: &str) -> Vec<Finding> {
    check(
        section,
        Scope::Contract,
        Product::Ccrt,
        &Document::parse(text, section.name(), SCHEMA_PARSE_CONTRACT).unwrap(),
    )
}

/// A section that is valid, with one more key.
fn workload(extra: &str) -> String {
    format!("type: workload\ncompose:\n  archive: H4sIAAAA\n{extra}")
}

fn env(extra: &str) -> String {
    format!("type: env\nlogging:\n  syslog:\n    hostname: logs.example\n    server: QUJD\n{extra}")
}

#[test]
fn what_the_specification_allows_is_accepted() {
    let volume = format!(
        "volumes:\n  data:\n    seed: {SEED}\n    mount: /mnt/data\n    filesystem: xfs\n    create: never\n    headerRecord: require\n"
    );
    for text in [
        workload(""),
        workload("env: {A_1: x, _b: '1'}\n"),
        workload(&volume),
        workload(
            "auths: {\"registry.example:5000\": {username: abc, password: abc}, 10.0.2.2: {username: abc, password: abc}, \"https://index.docker.io/v1/\": {username: abc, password: abc}}\n",
        ),
        workload(
            "images: {rhs: {\"registry.example/a/b:1.0\": {publicKey: QUJD}}, dct: {registry.example/name/space: {notary: https://n, publicKey: QUJD}}}\n",
        ),
        workload(
            "contractId: 0123456789abcdef\nenvPolicy: {signers: [AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa], collectors: ['*.logs.example', 192.0.2.1], environment: [], privileged: false}\n",
        ),
        "type: workload\nplay: {resources: [{apiVersion: v1, kind: Pod}, {kind: ConfigMap}]}\n".into(),
        "type: workload\nplay: {templates: [{apiVersion: ~, kind: Pod, spec: {containers: [{name: a, image: ~}]}}]}\n".into(),
    ] {
        assert_eq!(findings(Section::Workload, &text), [], "{text}");
    }
    for text in [
        env(""),
        "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k, port: 443}, logDNA: {}}\n".into(),
        "type: env\nlogging: {logDNA: {hostname: h, ingestionKey: k, port: 443, tags: [a]}}\n".into(),
        env(&format!("volumes:\n  data: {{seed: '{SEED}', volumeID: abc, kmsTimeout: 20, kms: [{{apiKey: 0123456789, crn: 'crn:v1:bluemix:public:kms:us:a/1:2:key:3'}}]}}\n").replace("0123456789,", "'0123456789',")),
        env("volumes:\n  data: {uv-secret-id: index-1, uv-previous-secret-id: index-8}\n"),
        env("cacerts: [{any name: QUJDRA==}]\nsigningKey: |\n  -----BEGIN PUBLIC KEY-----\n  AAAA\n  -----END PUBLIC KEY-----\n"),
    ] {
        assert_eq!(findings(Section::Env, &text), [], "{text}");
    }
}

#[test]
fn what_it_does_not_allow_is_found_with_its_place() {
    let workload_cases = [
        (
            "play: {resources: []}\n".to_owned(),
            "workload:1:1: more than one",
        ),
        (
            "type: env\n".replace("type", "env: {A: 1}\n#"),
            "workload:4:10 at env.A: a number stands",
        ),
        (
            "env: {'a-b': x}\n".into(),
            "workload:4:7 at env.a-b: the key is not of the allowed form; expected here: a mapping of variable names",
        ),
        (
            "auths: {reg.example/path: {username: abc, password: abc}}\n".into(),
            "auths.reg.example/path: the key is not",
        ),
        (
            "auths: {reg.example: {username: ab, password: hunter2}}\n".into(),
            "auths.reg.example.username: the value is shorter than 3",
        ),
        (
            "auths: {reg.example: {username: abc}}\n".into(),
            "auths.reg.example: the key `password` is missing",
        ),
        (
            "volumes: {data: {mount: /x}}\n".into(),
            "volumes.data: the key `seed` is missing",
        ),
        (
            "volumes: {data: {seed: hunter2hunter2}}\n".into(),
            "volumes.data.seed: the value is shorter than 15",
        ),
        (
            "volumes: {data: {seed: 'hunter2 hunter2 hunter2'}}\n".into(),
            "volumes.data.seed: the value is not of the form",
        ),
        (
            format!("volumes: {{data: {{seed: '{SEED}', mount: /}}}}\n"),
            "volumes.data.mount: the value is not",
        ),
        (
            format!("volumes: {{data: {{seed: '{SEED}', mount: /a/}}}}\n"),
            "volumes.data.mount: the value is not",
        ),
        (
            format!("volumes: {{data: {{seed: '{SEED}', filesystem: zfs}}}}\n"),
            "filesystem: the value is none of those that are allowed; expected here: ext4, xfs or btrfs",
        ),
        (
            format!("volumes: {{data: {{seed: '{SEED}', sed: hunter2}}}}\n"),
            "volumes.data.sed: the key `sed` is not known here; write `seed` if that is meant; known keys: create, filesystem",
        ),
        (
            format!("volumes: {{Data: {{seed: '{SEED}'}}}}\n"),
            "volumes.Data: the key is not",
        ),
        (
            "images: {dct: {a: {notary: x, publicKey: QUJD}}}\n".into(),
            "images.dct.a: the key is not",
        ),
    ];
    only(
        &findings(Section::Workload, "type: workload\nplay: {}\n"),
        "play: the mapping is empty",
    );
    for (extra, expected) in workload_cases {
        only(&findings(Section::Workload, &workload(&extra)), expected);
    }
    let env_cases = [
        (
            env("signingKey: '!hunter2!'\n"),
            "signingKey: the value is not of the form",
        ),
        (
            env("volumes: {data: {}}\n"),
            "volumes.data: none of the alternatives",
        ),
        (
            env(&format!(
                "volumes: {{data: {{seed: '{SEED}', uv-secret-id: index-1}}}}\n"
            )),
            "volumes.data: more than one",
        ),
        (
            env("cacerts: [{a: QUJD}, {b: QUJD}]\n"),
            "cacerts: there are more than 1 items",
        ),
        ("type: env\n".into(), "the key `logging` is missing"),
        (
            "type: env\nlogging: {logDNA: {hostname: h}}\n".into(),
            "logging.logDNA: the key `ingestionKey` is missing",
        ),
        (
            "type: env\nlogging: {}\n".into(),
            "logging: none of the alternatives",
        ),
        (
            "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: ~}}\n".into(),
            "logging.logRouter.iamApiKey: nothing stands where",
        ),
        (
            "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k, port: '443'}}\n".into(),
            "port: text stands where",
        ),
        (
            "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k, port: 0}}\n".into(),
            "port: the number is out of range",
        ),
        (
            "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k, tags: []}}\n".into(),
            "the key `tags` is not known",
        ),
        (
            "type: environment\nlogging: {logRouter: {hostname: h, iamApiKey: k}}\n".into(),
            "type: the value is none of those",
        ),
        ("- 1\n".into(), "a list stands where"),
    ];
    for (text, expected) in env_cases {
        only(&findings(Section::Env, &text), expected);
    }
}

#[test]
fn one_slip_is_told_once() {
    let deployment =
        "type: workload\nplay: {resources: [{apiVersion: apps/v1, kind: Deployment, spec: {}}]}\n";
    let expected = "workload:2:48 at play.resources[0].kind: the value is none";
    only(&findings(Section::Workload, deployment), expected);
    for empty in ["", "[]", "x"] {
        let text = format!("type: env\nlogging: {empty}\n");
        let found = findings(Section::Env, &text);
        only(
            &found,
            "stands where something else belongs; expected here: a mapping with exactly one of",
        );
    }
    let volume = env("volumes: {data: }\n");
    only(
        &findings(Section::Env, &volume),
        "expected here: a mapping with either",
    );
    for server in ["' '", "\"\\n\""] {
        let text = env("").replace("QUJD", server);
        only(
            &findings(Section::Env, &text),
            "server: the value is not of the form",
        );
    }
}

fn only(found: &[Finding], expected: &str) {
    assert_eq!(found.len(), 1, "{expected}: {found:?}");
    let text = found[0].to_string();
    assert!(text.contains(expected), "{expected:?} is not in {text:?}");
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!(found[0].code, SCHEMA_VALIDATE_CONTRACT);
}

#[test]
fn every_fault_is_told_at_once_and_in_order() {
    let found = findings(
        Section::Workload,
        "type: env\ncompose: {archive: '', other: 1}\nenv: {A: 1}\n",
    );
    let lines: Vec<_> = found
        .iter()
        .map(|finding| finding.place.line.unwrap())
        .collect();
    assert_eq!(lines, [1, 2, 2, 3], "{found:?}");
}

#[test]
fn a_large_archive_is_judged_in_linear_time() {
    let text = format!(
        "type: workload\ncompose:\n  archive: {}!\n",
        "A".repeat(8 << 20)
    );
    only(
        &findings(Section::Workload, &text),
        "compose.archive: the value is not of the form",
    );
}

#[test]
fn products_differ_where_the_specification_says_so() {
    let compose = "type: workload\ncompose: {archive: AAAA}\n";
    let typed = "type: workload\nconfidential-containers: {regoValidator: {policy: cA==}, config: {cosign: {a: {publicKey: k}}}, \
                 allowedContainers: {web: {allowedImages: {imageNames: [a]}}}}\n";
    let tags = "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k, tags: [a]}}\n";
    let hosts = "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k}}\nhost-attestation: {h: {description: d, host-key-doc: QQ==}}\n";
    let uv = "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k}}\nvolumes: {a: {uv-secret-id: index-1}}\n";
    let half = "type: env\nlogging: {logRouter: {hostname: h, iamApiKey: k}}\nconfidential-containers: {secret: {verificationKey: k}}\n";
    let opaque = "type: workload\nconfidential-containers: {any: thing}\n";
    // A warning counts as accepted.
    for (section, text, verdicts) in [
        (Section::Workload, compose, [true, true, false, true]),
        (Section::Workload, typed, [true; 4]),
        (Section::Workload, opaque, [true, true, true, false]),
        (Section::Env, "type: env\n", [false, false, false, true]),
        (Section::Env, half, [true, true, true, false]),
        (Section::Env, tags, [false, false, false, true]),
        (Section::Env, hosts, [true; 4]),
        (Section::Env, uv, [true, true, true, false]),
    ] {
        for (product, accepted) in Product::ALL.into_iter().zip(verdicts) {
            let document = Document::parse(text, "s", SCHEMA_PARSE_CONTRACT).unwrap();
            let found = check(section, Scope::Contract, product, &document);
            let stops = found.iter().any(Finding::stops);
            assert_eq!(!stops, accepted, "{product} {text} {found:?}");
        }
    }
}

#[test]
fn keys_that_mean_nothing_are_warnings_at_the_tolerant_levels() {
    let text =
        env("loging: 1\nhost-attestation: {}\n").replace("  syslog:", "  sysloog: 1\n  syslog:");
    let found = findings(Section::Env, &text);
    let told: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert!(found.iter().all(|finding| !finding.stops()));
    for (told, expected) in told.iter().zip([
        "HPL05100W: env:3:3 at logging.sysloog: the key means nothing here and is not read; write `syslog` if that is meant",
        "HPL05100W: env:7:1 at loging: the key means nothing here and is not read; write `logging` if that is meant; known keys: auths, cacerts, ",
        "HPL05100W: env:8:1 at host-attestation: the key means nothing here and is not read; known keys: ",
    ]) {
        assert!(told.starts_with(expected), "{told}");
    }
    assert_eq!(told.len(), 3);
}

#[test]
fn the_schema_of_every_product_is_valid_for_editors() {
    for product in Product::ALL {
        for section in [None, Some(Section::Workload), Some(Section::Env)] {
            let schema: Value = serde_json::from_str(&text(product, section)).unwrap();
            jsonschema::draft202012::meta::validate(&schema).unwrap();
            let validator = jsonschema::validator_for(&schema).unwrap();
            let whole = json!({"workload": "hyper-protect-basic.a.b", "env": {"type": "env", "logging": {"logRouter": {"hostname": "h", "iamApiKey": "k"}}}});
            match section {
                None => {
                    assert!(validator.is_valid(&whole));
                    assert!(!validator.is_valid(&json!({"workload": "x"})));
                }
                Some(section) => {
                    assert_eq!(validator.is_valid(&whole["env"]), section == Section::Env);
                }
            }
        }
    }
}

#[test]
fn every_definition_tells_a_reader_what_it_is() {
    for (name, definition) in SCHEMA["$defs"].as_object().unwrap() {
        assert!(
            definition["description"].is_string()
                || definition["$ref"].is_string()
                || name.ends_with("Common"),
            "{name} has no description"
        );
    }
}

mod bounds;
