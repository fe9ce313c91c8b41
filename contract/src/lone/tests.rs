#![allow(clippy::unwrap_used)]

use super::*;
use crate::certificate::PublicKey;
use crate::finding::Level;
use crate::testing::KeyPair;
use crate::token::openssl::{DecryptionKey, Prefix, seal};

const NOW: Horizon = Horizon { now: 0, days: 30 };

fn told(section: Section, text: &str) -> Vec<(Level, String)> {
    check(
        section,
        text.as_bytes(),
        "section.yaml",
        Product::Ccrt,
        Keys::default(),
        NOW,
    )
    .iter()
    .map(|finding| (finding.level, format!("{} {}", finding.code, finding.place)))
    .collect()
}

#[test]
fn a_section_on_its_own_is_checked_as_what_it_is_asked_to_be() {
    use Level::{Error, Limit, Warning};
    let workload = "type: workload\ncompose: {archive: AAAA}\n";
    for (section, text, expected) in [
        (
            Section::Env,
            "type: env\n",
            (Warning, "HPL01002W section.yaml:1:1"),
        ),
        (
            Section::Workload,
            workload,
            (Limit, "HPL06006E section.yaml:2:20 at compose.archive"),
        ),
        (
            Section::Env,
            workload,
            (Error, "HPL05001E section.yaml:1:7 at type"),
        ),
        (
            Section::Workload,
            "type: env\n",
            (Error, "HPL05001E section.yaml:1:1"),
        ),
        (
            Section::Workload,
            "workload: {type: workload}\n",
            (Error, "HPL05000E section.yaml"),
        ),
        (
            Section::Workload,
            "type: workload\nseed: FILL-IN\ncompose: {archive: AAAA, extra: 1}\n",
            (Limit, "HPL06006E section.yaml:3:20 at compose.archive"),
        ),
        (
            Section::Workload,
            "type: workload\nplay: {archive: H4sIAAAA}\nauths: 5\n",
            (Error, "HPL06006E section.yaml:2:17 at play.archive"),
        ),
        (
            Section::Env,
            "type: env\nenv: {A: FILL-IN}\nauths: 5\n",
            (Warning, "HPL05102W section.yaml:2:10 at env.A"),
        ),
        (Section::Env, "[", (Error, "HPL05000E section.yaml:1:1")),
        (
            Section::Env,
            "hyper-protect-basic.a.b",
            (Error, "HPL11001E section.yaml"),
        ),
    ] {
        let told = told(section, text);
        assert!(
            told.contains(&(expected.0, expected.1.to_owned())),
            "{text}: {told:?}"
        );
    }
}

#[test]
fn a_token_of_a_section_is_opened_and_its_places_lie_inside() {
    let pair = KeyPair::rsa(2048);
    let key = DecryptionKey::from_pem(&pair.private_pem).unwrap();
    let token = seal(
        b"type: env\nlogging: {syslog: {}}\n",
        &PublicKey::parse(&pair.public_pem).unwrap(),
        Prefix::ContractBasic,
    )
    .unwrap();
    let findings = check(
        Section::Env,
        token.as_bytes(),
        "env.token",
        Product::Ccrt,
        Some(&key),
        NOW,
    );
    assert_eq!(
        findings[0].place.to_string(),
        "env.token → env:2:19 at logging.syslog"
    );
}
