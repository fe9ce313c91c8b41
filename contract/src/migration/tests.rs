#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::private_key::PrivateKey;
use crate::testing::{self, KeyPair};
use crate::token::openssl::DecryptionKey;

const IMAGE: &str =
    "r.example/web@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A workload section with these lines behind its compose archive.
fn workload(lines: &str) -> String {
    let compose =
        format!("services:\n  web:\n    image: {IMAGE}\n    volumes: [\"/mnt/data:/data\"]\n");
    let archive = testing::targz(&[("docker-compose.yaml", compose.as_bytes())]);
    format!(
        "type: workload\ncompose:\n  archive: {}\nvolumes:\n  data:\n    seed: workload-hunter2-1\n    mount: /mnt/data\n{lines}",
        STANDARD.encode(archive)
    )
}

fn env(logging: &str, lines: &str) -> String {
    format!(
        "type: env\nlogging:\n  {logging}\nvolumes:\n  data:\n    seed: deployer-hunter2-1\n{lines}"
    )
}

const ROUTER: &str = "logRouter: {hostname: logs.example, iamApiKey: hunter2hunter2}";

fn contract(workload: &str, env: &str) -> String {
    let block = |text: &str| -> String {
        let lines: Vec<_> = text.lines().map(|line| format!("  {line}\n")).collect();
        lines.concat()
    };
    format!("workload: |\n{}env: |\n{}", block(workload), block(env))
}

fn collector() -> Collector {
    let pair = KeyPair::rsa(2048);
    Collector {
        hostname: "collector.example".into(),
        port: Some(6515),
        server: String::from_utf8(testing::certificate(&pair, 0, 2_000_000_000)).unwrap(),
        client: None,
    }
}

fn moved(
    contract: &str,
    keys: Keys<'_>,
    collector: Option<&Collector>,
    signer: Option<Signer<'_>>,
) -> Moved {
    let target = Target {
        product: Product::Ccrt,
        collector,
        signer,
        is_sealed: false,
        name: "new.yaml",
    };
    let moved = migrate(contract, "old.yaml", keys, &target).unwrap();
    assert!(!format!("{moved:?}").contains("hunter2"));
    moved
}

fn steps(moved: &Moved) -> Vec<String> {
    let told = |step: &Step| format!("{} {}", step.fate.name(), step.key);
    moved.steps.iter().map(told).collect()
}

fn left(moved: &Moved) -> Vec<String> {
    let told = |one: &Finding| format!("{} {} {}", one.code, one.place.file, one.place.path);
    moved.left.iter().map(told).collect()
}

#[test]
fn a_plain_contract_runs_once_a_collector_is_named_and_its_workload_stays_byte_for_byte() {
    let old = contract(
        &workload(""),
        &env(ROUTER, "    volumeName: data\n    apiKey: hunter2hunter2\n"),
    );
    let without = moved(&old, Keys::default(), None, None);
    assert_eq!(left(&without), ["HPL05001E new.yaml env.logging.logRouter"]);
    let with = moved(&old, Keys::default(), Some(&collector()), None);
    assert!(with.left.is_empty(), "{:?}", with.left);
    assert_eq!(
        steps(&with),
        [
            "stays workload.compose.archive",
            "stays workload.volumes.data.seed",
            "stays workload.volumes.data.mount",
            "changes env.logging.logRouter",
            "stays env.volumes.data.seed",
            "stays env.volumes.data.volumeName",
            "goes env.volumes.data.apiKey",
        ]
    );
    assert_eq!(with.steps[0].place.line, Some(4));
    let new = Document::parse(
        with.text.as_ref().unwrap(),
        "new",
        messages::INVALID_CONTRACT,
    )
    .unwrap()
    .to_json();
    assert_eq!(new["workload"], workload(""));
    let env = new["env"].as_str().unwrap();
    for (part, is_there) in [
        ("collector.example", true),
        ("6515", true),
        ("deployer-hunter2-1", true),
        ("logRouter", false),
        ("apiKey", false),
    ] {
        assert_eq!(env.contains(part), is_there, "{part}: {env}");
    }
}

#[test]
fn what_this_guest_does_not_do_is_left_to_a_human_with_its_place() {
    let kms = "    kms: [{apiKey: hunter2hunter2, crn: \"crn:v1:bluemix:public:kms:us-south:a/b:c:key:d\"}]\n";
    let cases = [
        (
            workload("    filesystem: xfs\n"),
            env(ROUTER, ""),
            "HPL02121E new.yaml workload.volumes.data.filesystem",
        ),
        (
            workload(""),
            env(ROUTER, kms),
            "HPL02121E new.yaml env.volumes.data.kms",
        ),
        (
            workload("    previousSeed: workload-hunter2-0\n"),
            env(ROUTER, ""),
            "HPL02125E old.yaml workload.volumes.data.previousSeed",
        ),
        (
            workload(""),
            env(ROUTER, "    previousSeed: deployer-hunter2-0\n"),
            "HPL02125E old.yaml env.volumes.data.previousSeed",
        ),
        (
            workload(""),
            env(ROUTER, "other: 1\n"),
            "HPL05100W new.yaml env.other",
        ),
        (
            workload("    mount: /etc\n").replace("    mount: /mnt/data\n", ""),
            env(ROUTER, ""),
            "HPL02121E new.yaml workload.volumes.data.mount",
        ),
    ];
    for (workload, env, expected) in cases {
        let moved = moved(
            &contract(&workload, &env),
            Keys::default(),
            Some(&collector()),
            None,
        );
        assert!(
            left(&moved).contains(&expected.to_owned()),
            "{expected}: {:?}",
            left(&moved)
        );
        assert!(moved.text.is_some());
        let key = expected.rsplit(' ').next().unwrap();
        assert!(
            !steps(&moved).iter().any(|step| step.ends_with(key)),
            "{expected}"
        );
    }
}

#[test]
fn sealed_sections_are_opened_with_their_key_and_named_without_it() {
    let pair = KeyPair::rsa(2048);
    let to = crate::certificate::PublicKey::parse(&pair.public_pem).unwrap();
    let audience =
        crate::token::Audience::Certificate(&to, crate::token::openssl::Prefix::HyperProtectBasic);
    let old = contract(&workload(""), &env(ROUTER, ""));
    let sealed = authoring::seal(&old, "old.yaml", audience).unwrap().text;
    let key = DecryptionKey::from_pem(&pair.private_pem).unwrap();
    let open = moved(&sealed, Keys::from(Some(&key)), Some(&collector()), None);
    assert!(open.left.is_empty(), "{:?}", open.left);
    assert_eq!(steps(&open)[..2], ["changes workload", "changes env"]);
    let closed = moved(&sealed, Keys::default(), Some(&collector()), None);
    assert_eq!(
        left(&closed),
        ["HPL11001E old.yaml workload", "HPL11001E old.yaml env"]
    );
    assert!(closed.text.is_none());
    // One of them in the clear: what is wrong with it is told all the same.
    let token = Document::parse(&sealed, "x", messages::INVALID_CONTRACT)
        .unwrap()
        .to_json()["workload"]
        .as_str()
        .unwrap()
        .to_owned();
    let half = format!("workload: {token}\nenv: {{type: env, logging: {{{ROUTER}}}}}\n");
    let half = moved(&half, Keys::default(), None, None);
    assert_eq!(
        left(&half),
        [
            "HPL11001E old.yaml workload",
            "HPL05001E old.yaml env.logging.logRouter"
        ]
    );
}

#[test]
fn a_signature_is_made_anew_by_the_key_that_is_given() {
    let (former, now) = (
        PrivateKey::generate(2048).unwrap(),
        PrivateKey::generate(2048).unwrap(),
    );
    let old = contract(&workload(""), &env(ROUTER, ""));
    let signed = authoring::sign(&old, "old.yaml", &former).unwrap().text;
    let without = moved(&signed, Keys::default(), Some(&collector()), None);
    assert_eq!(left(&without), ["HPL12001E new.yaml env"]);
    let goes = &without.steps[0];
    let by = hex::encode(former.public_key().unwrap().fingerprint().unwrap());
    assert_eq!(
        (&*goes.key, goes.fate),
        ("envWorkloadSignature", Fate::Goes)
    );
    assert!(goes.why.contains(&by), "{}", goes.why);
    let with = moved(
        &signed,
        Keys::default(),
        Some(&collector()),
        Some(Signer::from(&now)),
    );
    assert!(with.left.is_empty(), "{:?}", with.left);
    assert!(steps(&with).contains(&"changes envWorkloadSignature".to_owned()));
    assert!(steps(&with).contains(&"changes env.signingKey".to_owned()));
    let by = authoring::verify(&with.text.unwrap(), "new.yaml", None, None).unwrap();
    assert!(by.is_same_key(&now.public_key().unwrap()));
}

#[test]
fn nothing_at_the_top_is_left_out_in_silence() {
    let auditor = String::from_utf8(KeyPair::rsa(2048).public_pem).unwrap();
    let auditor = serde_json::Value::from(auditor);
    let old = contract(&workload(""), &env(ROUTER, ""))
        + &format!("attestationPublicKey: {auditor}\nnotes: x\n");
    let moved = moved(&old, Keys::default(), Some(&collector()), None);
    assert!(moved.left.is_empty(), "{:?}", moved.left);
    assert_eq!(
        steps(&moved)[..2],
        ["goes notes", "stays attestationPublicKey"]
    );
    let text = moved.text.unwrap();
    assert!(text.contains("attestationPublicKey") && !text.contains("notes"));
}

#[test]
fn what_was_changed_after_it_was_signed_is_neither_signed_anew_nor_written() {
    let pair = KeyPair::rsa(2048);
    let to = crate::certificate::PublicKey::parse(&pair.public_pem).unwrap();
    let audience =
        crate::token::Audience::Certificate(&to, crate::token::openssl::Prefix::HyperProtectBasic);
    let image = DecryptionKey::from_pem(&pair.private_pem).unwrap();
    let author = PrivateKey::generate(2048).unwrap();
    let clear = |env: &str| contract(&workload(""), env);
    let good = authoring::sign(&clear(&env(ROUTER, "")), "old.yaml", &author).unwrap();
    let seal = |text: &str| authoring::seal_and_sign(text, "old.yaml", audience, &author);
    let sealed = seal(&clear(&env(ROUTER, ""))).unwrap().text;
    let read = |text: &str| {
        let document = Document::parse(text, "x", messages::INVALID_CONTRACT);
        document.unwrap().to_json()
    };
    // Whoever has the certificate can seal another env section.
    let key = read(&good.text)["env"]
        .as_str()
        .unwrap()
        .replace("logs.example", "evil.example");
    let other = authoring::seal(&clear(&key), "x", audience).unwrap().text;
    let mut substituted = read(&sealed);
    substituted["env"] = read(&other)["env"].clone();
    let unsigned = good
        .text
        .lines()
        .filter(|line| !line.starts_with("envWorkloadSignature"));
    let unsigned: Vec<_> = unsigned.collect();
    for (case, text, place) in [
        (
            "a collector",
            good.text.replace("logs.example", "evil.example"),
            "HPL12001E old.yaml envWorkloadSignature",
        ),
        (
            "a token",
            yaml::write(&substituted).unwrap(),
            "HPL12001E old.yaml envWorkloadSignature",
        ),
        (
            "no signature",
            unsigned.join("\n"),
            "HPL12001E old.yaml env.signingKey",
        ),
    ] {
        for signer in [None, Some(Signer::from(&author))] {
            let moved = moved(&text, Keys::from(Some(&image)), Some(&collector()), signer);
            assert!(
                left(&moved).contains(&place.to_owned()),
                "{case}: {moved:?}"
            );
            assert!(moved.text.is_none(), "{case}");
        }
    }
    let closed = moved(&sealed, Keys::default(), Some(&collector()), None);
    assert!(
        left(&closed).contains(&"HPL12001E old.yaml envWorkloadSignature".to_owned()),
        "{closed:?}"
    );
}

#[test]
fn keys_that_mean_nothing_beside_others_go() {
    let collector = collector();
    let server = serde_json::Value::from(collector.server.clone());
    let syslog = format!("syslog: {{hostname: logs.example, server: {server}}}");
    let lines = "  logDNA: {hostname: h, ingestionKey: hunter2hunter2}\nvolumes:\n  data:\n    seed: deployer-hunter2-1\n    kmsTimeout: 20\n";
    let env = format!("type: env\nlogging:\n  {syslog}\n{lines}");
    let moved = moved(&contract(&workload(""), &env), Keys::default(), None, None);
    assert!(moved.left.is_empty(), "{:?}", moved.left);
    for gone in [
        "goes env.logging.logDNA",
        "goes env.volumes.data.kmsTimeout",
    ] {
        assert!(
            steps(&moved).contains(&gone.to_owned()),
            "{gone}: {:?}",
            steps(&moved)
        );
    }
    let text = moved.text.unwrap();
    assert!(!text.contains("logDNA") && !text.contains("kmsTimeout"));
}

#[test]
fn a_mapping_stays_one_unless_it_is_signed_or_sealed() {
    let indented = |text: &str| {
        let lines: Vec<_> = text.lines().map(|line| format!("  {line}\n")).collect();
        lines.concat()
    };
    let env = env(ROUTER, "");
    let old = format!(
        "workload:\n{}env:\n{}",
        indented(&workload("")),
        indented(&env)
    );
    let read = |text: &str| {
        let document = Document::parse(text, "x", messages::INVALID_CONTRACT);
        document.unwrap().to_json()
    };
    let author = PrivateKey::generate(2048).unwrap();
    let kept = moved(&old, Keys::default(), Some(&collector()), None);
    assert_eq!(
        read(kept.text.as_ref().unwrap())["workload"],
        read(&old)["workload"]
    );
    assert!(!steps(&kept).contains(&"changes workload".to_owned()));
    let signer = Signer::from(&author);
    let written = moved(&old, Keys::default(), Some(&collector()), Some(signer));
    assert!(read(written.text.as_ref().unwrap())["workload"].is_string());
    assert!(steps(&written).contains(&"changes workload".to_owned()));
}
