#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::messages::SCHEMA_PARSE_CONTRACT;
use crate::testing::{self, KeyPair, targz};
use crate::workload::archive::Unpacked;

const DAY: i64 = 86_400;

/// Code and place of what is told.
fn told(workload: &str, env: &str, in_the_clear: (bool, bool), now: i64) -> Vec<String> {
    let document = |text: &str, name| Document::parse(text, name, SCHEMA_PARSE_CONTRACT).unwrap();
    let documents = (document(workload, "workload"), document(env, "env"));
    let workload = Part {
        section: &documents.0.read::<WorkloadSection>().unwrap(),
        document: &documents.0,
        unpacked: &Unpacked::default(),
    };
    let env = Part {
        section: &documents.1.read::<EnvSection>().unwrap(),
        document: &documents.1,
        unpacked: &Unpacked::default(),
    };
    let secrets = |is_clear: bool| is_clear.then_some(Level::Warning);
    let horizon = Horizon { now, days: 30 };
    let mut findings = of_workload(&workload, secrets(in_the_clear.0));
    findings.extend(of_env(&env, secrets(in_the_clear.1), horizon));
    findings.extend(of_both(&workload, &env));
    findings
        .iter()
        .map(|finding| {
            assert!(!finding.stops());
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
            let place = &finding.place;
            format!("{} {} {}", finding.code, place.file, place.path)
        })
        .collect()
}

#[test]
fn weak_seeds_are_told_wherever_they_stand() {
    let weak = "volumes: {a: {seed: hunter2hunter2hunter2}}";
    let good = "volumes: {a: {seed: Xk29-vQz7Lp_wRthunter2}}";
    let same = "volumes: {a: {seed: Xk29-vQz7Lp_wRthunter2, previousSeed: Xk29-vQz7Lp_wRthunter2}}";
    let other = "volumes: {a: {seed: 9c_QmT4-uBx81KdWhunter2}}";
    for (workload, env, expected) in [
        (good, other, &[][..]),
        (weak, other, &["HPL07100W workload volumes.a.seed"]),
        (other, weak, &["HPL07100W env volumes.a.seed"]),
        (good, good, &["HPL07100W env volumes.a.seed"]),
        (other, same, &["HPL07100W env volumes.a.previousSeed"]),
    ] {
        assert_eq!(
            told(workload, env, (false, false), 0),
            expected,
            "{workload} {env}"
        );
    }
}

#[test]
fn secrets_in_the_clear_are_told_once_a_section() {
    let workload = "auths: {r.example: {username: abc, password: hunter2}}\nvolumes: {}";
    let env = "logging: {logRouter: {hostname: h, iamApiKey: hunter2}}";
    let empty = "env: {A: b}";
    for (workload, env, clear, expected) in [
        (
            workload,
            env,
            (true, true),
            &[
                "HPL05101W workload auths",
                "HPL05101W env logging.logRouter.iamApiKey",
            ][..],
        ),
        (
            workload,
            env,
            (false, true),
            &["HPL05101W env logging.logRouter.iamApiKey"],
        ),
        (workload, env, (false, false), &[]),
        (
            "env: {MODE: a, DB_PASSWORD: hunter2, EMPTY_TOKEN: ''}",
            empty,
            (true, true),
            &["HPL05101W workload env.DB_PASSWORD"],
        ),
        (
            "play: {resources: [{kind: Pod, spec: {containers: [{env: [{name: MODE, value: a}, {name: DB_PASSWORD, value: hunter2}]}]}}]}",
            "confidential-containers: {secret: {decryptionKey: hunter2}}",
            (true, true),
            &[
                "HPL05101W workload play.resources[0].spec.containers[0].env[1].value",
                "HPL05101W env confidential-containers.secret.decryptionKey",
            ],
        ),
        (empty, empty, (true, true), &[]),
    ] {
        assert_eq!(
            told(workload, env, clear, 0),
            expected,
            "{workload} {clear:?}"
        );
    }
}

#[test]
fn the_keys_of_all_secrets_in_the_clear_are_named() {
    let document = Document::parse(
        "volumes: {a: {seed: hunter2-hunter2}}\nauths: {r.example: {username: abc, password: hunter2}}\nenv: {API_KEY: hunter2}\n",
        "workload",
        SCHEMA_PARSE_CONTRACT,
    )
    .unwrap();
    let section = document.read::<WorkloadSection>().unwrap();
    let part = Part {
        section: &section,
        document: &document,
        unpacked: &Unpacked::default(),
    };
    let cause = plain::of_workload(&part).unwrap().cause;
    assert_eq!(
        &*cause,
        "the section is not sealed: `volumes`, `auths`, `env.API_KEY` can be read by anybody who holds the contract"
    );
}

#[test]
fn secrets_of_containers_are_found_in_templates_and_archives_too() {
    let packed = |file: &str, text: &str| STANDARD.encode(targz(&[(file, text.as_bytes())]));
    let pod = "kind: Pod\nspec: {containers: [{env: [{name: DB_PASSWORD, value: hunter2}, {name: TOKEN, value: $(OTHER)}]}]}\n---\nkind: ConfigMap\n";
    let compose = "services:\n  web: {environment: {API_KEY: hunter2, TOKEN: \"${TOKEN}\", PASSWORD: }}\n  db: {environment: [MODE=a, DB_PASSWORD=hunter2]}\n";
    for (section, expected) in [
        (
            format!("play: {{archive: {}}}", packed("pod.yaml", pod)),
            "`play.archive → pod.yaml: spec.containers.0.env.0.value`",
        ),
        (
            format!("compose: {{archive: {}}}", packed("docker-compose.yaml", compose)),
            "`compose.archive → docker-compose.yaml: services.web.environment.API_KEY`, `compose.archive → docker-compose.yaml: services.db.environment.DB_PASSWORD`",
        ),
        (
            "play: {templates: [{spec: {initContainers: [{env: [{name: TOKEN, value: '{{ .Env.T }}'}, {name: KEY, value: hunter2}]}]}}]}".to_owned(),
            "`play.templates.0.spec.initContainers.0.env.1.value`",
        ),
    ] {
        let document = Document::parse(&section, "workload", SCHEMA_PARSE_CONTRACT).unwrap();
        let part = Part {
            section: &document.read::<WorkloadSection>().unwrap(),
            document: &document,
            unpacked: &Unpacked::default(),
        };
        let finding = plain::of_workload(&part).unwrap();
        let told = format!("the section is not sealed: {expected} can be read");
        assert!(finding.cause.starts_with(&told), "{finding}");
        assert!(!finding.to_string().contains("hunter2") && finding.place.line == Some(1));
    }
}

#[test]
fn placeholders_are_told_wherever_they_stand() {
    let workload = "auths: {r.example: {username: FILL-IN, password: FILL-IN}}\nenv: {A/B: x-FILL-IN, C: filled}\n";
    assert_eq!(
        told(workload, "env: {D: FILL-IN}", (false, false), 0),
        [
            "HPL05102W workload auths.r.example.username",
            "HPL05102W workload auths.r.example.password",
            "HPL05102W workload env.A/B",
            "HPL05102W env env.D",
        ]
    );
}

#[test]
fn certificates_that_end_are_told_with_their_place() {
    let pair = KeyPair::rsa(2048);
    let pem = String::from_utf8(testing::certificate(&pair, 100 * DAY, 200 * DAY)).unwrap();
    let text = serde_json::Value::from(pem);
    let env = format!(
        "logging: {{syslog: {{hostname: h, server: {text}, cert: {text}}}}}\ncacerts: [{{a/b: {text}}}]\n"
    );
    let all = [
        "HPL01100W env logging.syslog.server",
        "HPL01100W env logging.syslog.cert",
        "HPL01100W env cacerts[0].a/b",
    ];
    for (day, expected) in [
        (99, &all[..]),
        (101, &[]),
        (169, &[]),
        (171, &all),
        (201, &all),
    ] {
        let now = day * DAY;
        assert_eq!(told("a: 1", &env, (false, false), now), expected, "{day}");
    }
}
