#![allow(clippy::unwrap_used)]

use super::*;
use crate::messages::SCHEMA_PARSE_CONTRACT;
use crate::testing::KeyPair;
use crate::workload::archive::Unpacked;

/// What is refused: the keys of the places.
fn refused(workload: &str, env: &str, parties: Parties<'_>) -> Vec<String> {
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
    let findings = refusals(&workload, &env, parties);
    findings
        .iter()
        .map(|finding| {
            assert_eq!(finding.code, messages::CONSENT_REFUSED);
            assert!(!finding.to_string().contains("hunter2"), "{finding}");
            format!("{} {}", finding.place.file, finding.place.path)
        })
        .collect()
}

const NOBODY: Parties<'_> = Parties {
    signer: None,
    auditor: None,
};

#[test]
fn both_sections_name_one_contract_id_or_none() {
    for (workload, env, expected) in [
        ("a: 1", "a: 1", &[][..]),
        ("contractId: hunter2-id", "contractId: hunter2-id", &[]),
        (
            "contractId: hunter2-id",
            "contractId: hunter2-other",
            &["env contractId"],
        ),
        ("contractId: hunter2-id", "a: 1", &["env "]),
        ("a: 1", "contractId: hunter2-id", &["workload "]),
    ] {
        assert_eq!(refused(workload, env, NOBODY), expected, "{workload} {env}");
    }
}

#[test]
fn a_host_that_signs_its_own_env_beside_a_stolen_workload_is_refused() {
    let key = |pair: &KeyPair| PublicKey::parse(&pair.public_pem).unwrap();
    let (author, host) = (key(&KeyPair::rsa(2048)), key(&KeyPair::rsa(2048)));
    let pinned = hex::encode(author.fingerprint().unwrap());
    let workload = format!("envPolicy: {{signers: [{}, {pinned}]}}", "0".repeat(64));
    let by = |signer| Parties {
        signer,
        auditor: None,
    };
    assert!(refused(&workload, "a: 1", by(Some(&author))).is_empty());
    for signer in [Some(&host), None] {
        assert_eq!(
            refused(&workload, "a: 1", by(signer)),
            ["workload envPolicy.signers"]
        );
    }
}

#[test]
fn lines_go_only_to_collectors_that_the_workload_allows() {
    let workload = "envPolicy: {collectors: ['*.good.example', 192.0.2.7]}";
    for (host, allowed) in [
        ("logs.good.example", true),
        ("A.B.GOOD.EXAMPLE", true),
        ("192.0.2.7", true),
        ("good.example", false),
        (".good.example", false),
        ("evilgood.example", false),
        ("logs.good.example.evil", false),
        ("192.0.2.70", false),
    ] {
        for (sink, secret) in [("syslog", "server"), ("logRouter", "iamApiKey")] {
            let env = format!("logging: {{{sink}: {{hostname: {host}, {secret}: hunter2}}}}");
            let expected = if allowed {
                Vec::new()
            } else {
                vec![format!("env logging.{sink}.hostname")]
            };
            assert_eq!(refused(workload, &env, NOBODY), expected, "{host}");
        }
    }
    let former = "logging: {logDNA: {hostname: logs.good.example}}";
    assert_eq!(refused(workload, former, NOBODY), ["env logging"]);
}

#[test]
fn the_deployer_sets_no_variable_that_the_workload_does_not_know() {
    let env = "env: {ALLOWED: hunter2, LD_PRELOAD: hunter2, PATH: hunter2}";
    let workload = "envPolicy: {environment: [ALLOWED, OTHER]}";
    assert_eq!(
        refused(workload, env, NOBODY),
        ["env env.LD_PRELOAD", "env env.PATH"]
    );
    let none = "envPolicy: {environment: []}";
    assert_eq!(refused(none, env, NOBODY).len(), 3);
    assert!(refused("envPolicy: {privileged: true}", env, NOBODY).is_empty());
}

#[test]
fn the_auditor_is_the_one_that_is_pinned() {
    let auditor = Auditor {
        hash: [0xab; 32],
        public_key: Vec::new(),
    };
    let by = |auditor| Parties {
        signer: None,
        auditor,
    };
    let pin = |byte: &str| format!("envPolicy: {{auditorKeyHash: {}}}", byte.repeat(32));
    assert!(refused(&pin("aB"), "a: 1", by(Some(&auditor))).is_empty());
    for (pinned, auditor) in [(pin("ac"), Some(&auditor)), (pin("ab"), None)] {
        assert_eq!(
            refused(&pinned, "a: 1", by(auditor)),
            ["workload envPolicy.auditorKeyHash"]
        );
    }
}
