#![allow(clippy::unwrap_used)]
use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::certificate::PublicKey;
use crate::testing::{self, KeyPair, targz};
use crate::token::openssl::{DecryptionKey, Prefix, seal};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const DAY: i64 = 86_400;

static IMAGE: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa(2048));
static KEY: LazyLock<DecryptionKey> =
    LazyLock::new(|| DecryptionKey::from_pem(&IMAGE.private_pem).unwrap());
/// A certificate that ends after two hundred days.
static CERTIFICATE: LazyLock<String> = LazyLock::new(|| {
    let pem = testing::certificate(&IMAGE, 0, 200 * DAY);
    STANDARD.encode(pem)
});

fn compose(lines: &str) -> String {
    let file = format!("services:\n  web:\n    image: r.example/web@{DIGEST}\n{lines}");
    let files = [
        ("docker-compose.yaml", file.as_bytes()),
        ("bad.env", b"A='hunter2\n"),
    ];
    format!("compose: {{archive: {}}}\n", STANDARD.encode(targz(&files)))
}

fn workload(lines: &str) -> String {
    format!(
        "type: workload\n{}volumes: {{data: {{seed: Xk29-vQz7Lp_wRthunter2}}}}\n",
        compose(lines)
    )
}

fn env() -> String {
    let server = &*CERTIFICATE;
    format!(
        "type: env\nlogging: {{syslog: {{hostname: logs.example, server: {server}}}}}\nvolumes: {{data: {{seed: 9c_QmT4-uBx81KdWhunter2}}}}\nenv: {{A: b}}\n"
    )
}

const KEEPS: &str = "    volumes: [\"/mnt/data:/data\"]\n";

/// Workload sections, nearly all of them faulty.
fn workloads() -> Vec<String> {
    let good = workload(KEEPS);
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let archive = compose(KEEPS);
    vec![
        good.clone(),
        with("Xk29-vQz7Lp_wRthunter2", "short"),
        with("Xk29-vQz7Lp_wRthunter2", "hunter2hunter2hunter2"),
        with(
            "Xk29-vQz7Lp_wRthunter2",
            "Xk29-vQz7Lp_wRt, filesystem: xfs, mount: /etc",
        ),
        with(&archive, "compose: {archive: FILL-IN}\n"),
        with(&archive, "play: {archive: FILL-IN}\n"),
        with(&archive, "compose: {archive: AAAA, more: 1}\n"),
        with(
            &archive,
            "play: {resources: [{kind: Pod, apiVersion: v1, metadata: {name: a}, spec: {containers: [{name: a, image: FILL-IN, env: [{name: TOKEN, value: hunter2}]}]}}]}\n",
        ),
        with(&archive, "confidential-containers: {}\n"),
        format!(
            "{good}auths: {{docker.io: {{username: abc, password: FILL-IN}}, \"https://index.docker.io/v1/\": {{username: FILL-IN, password: hunter2}}}}\n"
        ),
        format!("{good}auths: 5\nseed: FILL-IN\n"),
        workload(
            "    imaeg: FILL-IN\n    ports: [\"80:80\", \"80:81\"]\n    env_file: bad.env\n  db:\n    image: r.example/db:latest\n    env_file: [bad.env, none.env]\n",
        ),
        workload("    imaeg: 1\n").replace("Xk29-vQz7Lp_wRthunter2", "short"),
        "type: workload\n".to_owned(),
        "type: [".to_owned(),
    ]
}

/// Env sections, nearly all of them faulty.
fn envs() -> Vec<String> {
    let good = env();
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    vec![
        good.clone(),
        with("9c_QmT4-uBx81KdWhunter2", "hunter2hunter2hunter2"),
        with("9c_QmT4-uBx81KdWhunter2", "Xk29-vQz7Lp_wRthunter2"),
        with("9c_QmT4-uBx81KdWhunter2", "FILL-IN"),
        with(
            "9c_QmT4-uBx81KdWhunter2",
            "FILL-IN-9c_QmT4-uBx81KdW, kms: [], apiKey: hunter2hunter2",
        ),
        with("data:", "other:"),
        with(
            "hostname: logs.example",
            "port: 514, cert: 5, key: aHVudGVyMg==",
        ),
        with(
            "hostname: logs.example",
            "port: \"514\", hostname: \"a b\", cert: aHVudGVyMg==, key: aHVudGVyMg==",
        ),
        with(&CERTIFICATE, "FILL-IN"),
        with(&CERTIFICATE, "aHVudGVyMg=="),
        with("logging: {syslog", "logging: {logDNA: {}, syslog"),
        with(
            "syslog: {hostname: logs.example",
            "logRouter: {iamApiKey: hunter2hunter2, hostname: logs.example",
        ),
        format!("{good}signingKey: FILL-IN\ncacerts: [{{a: aHVudGVyMg==}}]\n"),
        format!("{good}auths: 5\ncacerts: [{{a: aHVudGVyMg==}}]\nsigninKey: FILL-IN\n"),
        "type: env\nlogging: {}\n".to_owned(),
        "type: [".to_owned(),
    ]
}

fn sealed(text: &str) -> String {
    let key = PublicKey::parse(&IMAGE.public_pem).unwrap();
    seal(text.as_bytes(), &key, Prefix::ContractBasic).unwrap()
}

fn block(text: &str) -> String {
    let lines = text.lines().flat_map(|line| ["  ", line, "\n"]);
    std::iter::once("|\n").chain(lines).collect()
}

fn review_of(workload: &str, env: &str, key: Option<&DecryptionKey>) -> Review {
    let contract = format!(
        "workload: {}\nenv: {}\n",
        workload.trim_end(),
        env.trim_end()
    );
    let horizon = Horizon {
        now: 190 * DAY,
        days: 30,
    };
    Review::of(
        contract.as_bytes(),
        "contract.yaml",
        key.into(),
        Product::Ccrt,
        horizon,
    )
}

/// Code and key of what is told of a section; in files of archives, the key within.
fn told(review: &Review, section: &str) -> BTreeSet<String> {
    let of_section = |finding: &&Finding| {
        let chain = finding.place.chain();
        chain
            .iter()
            .any(|place| place.path.starts_with(section) || place.file == section)
    };
    let told = review.findings.iter().filter(of_section);
    told.filter(|finding| finding.code != messages::NOT_OPENED)
        .map(|finding| format!("{} {} {}", finding.code, finding.place.path, finding.cause))
        .collect()
}

#[test]
fn no_finding_is_told_twice() {
    let both = |text: &String| (block(text), sealed(text));
    let workloads: Vec<_> = workloads().iter().map(both).collect();
    let envs: Vec<_> = envs().iter().map(both).collect();
    let mut most = 0;
    for workload in &workloads {
        for env in &envs {
            for (workload, env, key) in [
                (&workload.0, &env.0, None),
                (&workload.0, &env.1, None),
                (&workload.1, &env.0, None),
                (&workload.1, &env.0, Some(&*KEY)),
                (&workload.0, &env.1, Some(&*KEY)),
                (&workload.1, &env.1, Some(&*KEY)),
            ] {
                let findings = review_of(workload, env, key).findings;
                most = most.max(findings.len());
                for (index, finding) in findings.iter().enumerate() {
                    assert!(!finding.to_string().contains("hunter2"), "{finding}");
                    for other in &findings[index + 1..] {
                        let is_placeholder = [finding, other]
                            .iter()
                            .any(|one| one.code == messages::PLACEHOLDER);
                        let is_same = finding.place == other.place && finding.cause == other.cause
                            || is_placeholder && finding.place.is_same(&other.place);
                        assert!(!is_same, "{workload}{env}\n{finding}\n{other}");
                    }
                }
            }
        }
    }
    assert!(most > 8, "{most}");
}

#[test]
fn a_section_in_the_clear_is_told_of_in_full_whatever_the_other_one_is() {
    let (good_workload, good_env) = (workload(KEEPS), env());
    for env in envs() {
        let whole = review_of(&block(&good_workload), &block(&env), None);
        let mut expected = told(&whole, "env");
        // That takes both sections.
        expected.retain(|told| {
            !told.contains("both sections") && !told.contains("no volume of this name")
        });
        let lonely = review_of(&sealed(&good_workload), &block(&env), None);
        assert_eq!(told(&lonely, "env"), expected, "{env}");
        assert_eq!(lonely.closed, ["workload"]);
        assert!(lonely.open && lonely.plan.is_none());
    }
    for workload in workloads() {
        let whole = review_of(&block(&workload), &block(&good_env), None);
        let mut expected = told(&whole, "workload");
        expected.retain(|told| !told.contains("no volume of this name"));
        for env in [sealed(&good_env), block("type: [")] {
            let lonely = review_of(&block(&workload), &env, None);
            assert_eq!(told(&lonely, "workload"), expected, "{workload}");
        }
    }
}

#[test]
fn what_stays_closed_is_a_note_beside_what_is_open_and_a_wrong_key_is_an_error() {
    let note = |review: &Review| {
        let notes = review
            .findings
            .iter()
            .filter(|one| one.code == messages::NOT_OPENED);
        let notes: Vec<_> = notes
            .map(|one| (one.level, one.place.path.clone()))
            .collect();
        notes
    };
    let (workload, env) = (workload(KEEPS), env());
    let review = review_of(&sealed(&workload), &block(&env), None);
    assert_eq!(note(&review), [(Level::Note, "workload".to_owned())]);
    assert!(!review.findings.iter().any(Finding::stops));
    let review = review_of(&sealed(&workload), &sealed(&env), None);
    assert_eq!(
        (review.closed.as_slice(), review.open),
        (&["workload", "env"][..], false)
    );
    assert!(review.findings.is_empty(), "{:?}", review.findings);

    let other = DecryptionKey::from_pem(&KeyPair::rsa(2048).private_pem).unwrap();
    let faulty = env.replace("9c_QmT4-uBx81KdWhunter2", "short");
    let review = review_of(&sealed(&workload), &block(&faulty), Some(&other));
    assert!(review.closed.is_empty() && note(&review).is_empty());
    let stops = review.findings.iter().filter(|one| one.stops());
    let stops: Vec<_> = stops.map(|one| one.place.path.as_str()).collect();
    assert_eq!(stops, ["workload", "env.volumes.data.seed"]);
}

#[test]
fn a_section_is_told_of_also_where_the_other_one_is_missing_or_none() {
    let faulty = workload("    imaeg: 1\n").replace("Xk29-vQz7Lp_wRthunter2", "short");
    for rest in ["", "env: 5\n", "evn: {}\n"] {
        let contract = format!("workload: {}{rest}", block(&faulty));
        let horizon = Horizon { now: 0, days: 0 };
        let bytes = contract.as_bytes();
        let review = Review::of(bytes, "c", Keys::default(), Product::Ccrt, horizon);
        let stops = review.findings.iter().filter(|one| one.stops());
        let stops: Vec<_> = stops.map(|one| one.place.path.as_str()).collect();
        assert_eq!(stops.len(), 3, "{rest}: {:?}", review.findings);
        assert_eq!(
            stops[1..],
            ["workload.volumes.data.seed", "services.web.imaeg"],
            "{rest}"
        );
    }
    let alone = format!("{faulty}env: {{A: b}}\n");
    let horizon = Horizon { now: 0, days: 0 };
    let bytes = alone.as_bytes();
    let review = Review::of(bytes, "c", Keys::default(), Product::Ccrt, horizon);
    assert_eq!(review.findings.len(), 1, "{:?}", review.findings);
}

#[test]
fn a_collector_is_told_of_key_by_key() {
    let faulty = env().replace(
        "hostname: logs.example",
        "hostname: \"a b\", port: \"6514\", cert: aHVudGVyMg==, key: aHVudGVyMg==",
    );
    for env in [faulty.clone(), faulty.replace("\"6514\"", "6514")] {
        let review = review_of(&block(&workload(KEEPS)), &block(&env), None);
        let stops = review
            .findings
            .iter()
            .filter(|one| one.level > Level::Warning);
        let stops: BTreeSet<_> = stops.map(|one| one.place.path.as_str()).collect();
        let mut expected = BTreeSet::from(["hostname", "cert", "key"]);
        if env == faulty {
            expected.insert("port");
        }
        let paths = expected
            .iter()
            .map(|key| format!("env.logging.syslog.{key}"));
        let paths: Vec<_> = paths.collect();
        assert_eq!(stops.into_iter().collect::<Vec<_>>(), paths);
    }
}

#[test]
fn what_takes_a_variable_of_the_closed_env_is_not_judged() {
    let lines = "    user: ${USER}\n    command: [\"${A:?}\"]\n    profiles: [$MODE]\n    ports: [\"${PORT}:80\", \"90:x\"]\n    volumes: [\"${DATA:-/mnt/data}:/data\"]\n  db:\n    image: ${REGISTRY}/db:${TAG}\n    depends_on: [web]\n    configs: [{source: c, target: /c}]\n    environment: [PASSED]\nconfigs:\n  c: {environment: TEXT}\n";
    let review = review_of(&block(&workload(lines)), &sealed(&env()), None);
    let told = told(&review, "workload");
    let of_services = told
        .iter()
        .filter(|told| told.contains("services") || told.contains("configs"));
    let of_services: Vec<_> = of_services.collect();
    assert_eq!(of_services.len(), 1, "{of_services:?}");
    assert!(
        of_services[0].contains("services.web.ports[1]"),
        "{of_services:?}"
    );

    let pods = "type: workload\nplay:\n  templates:\n  - {kind: Pod, apiVersion: v1, metadata: {name: '{{ .Env.NAME }}'}, spec: {hostNetwork: true, containers: [{name: a, image: '{{ .Env.IMAGE | default \"b\" }}', envFrom: [{configMapRef: {name: contract.config.map}}], env: [{name: A, valueFrom: {configMapKeyRef: {name: contract.config.map, key: K}}}, {name: B, value: '{{ len .Env }}'}]}]}}\n";
    let review = review_of(&block(pods), &sealed(&env()), None);
    let told = self::told(&review, "workload");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told.iter().all(|told| told.contains("hostNetwork")),
        "{told:?}"
    );
}
