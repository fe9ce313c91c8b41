// A table of cases is as long as its cases.
#![allow(clippy::unwrap_used, clippy::too_many_lines)]
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use sha2::{Digest, Sha256};

use crate::certificate::PublicKey;
use crate::messages;
use crate::messages::Code;
use crate::private_key::PrivateKey;
use crate::product::Product;
use crate::signature::{self, Signed};
use crate::testing::{self, KeyPair};
use crate::token::openssl::DecryptionKey;
use crate::token::openssl::{Prefix, seal};

const WORKLOAD: &str = "type: workload\ncompose:\n  archive: H4sIAAAA\nvolumes:\n  data:\n    seed: workload-seed-hunter2\n";
const ENV: &str = "type: env\nlogging:\n  logRouter:\n    hostname: logs.example\n    iamApiKey: hunter2-key\nenv:\n  PASSWORD: hunter2-password\nvolumes:\n  data:\n    seed: deployers-seed-hunter2\n";

static IMAGE: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa(2048));
static SIGNER: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa(2048));
static KEY: LazyLock<DecryptionKey> =
    LazyLock::new(|| DecryptionKey::from_pem(&IMAGE.private_pem).unwrap());

fn token(text: &str) -> String {
    seal(
        text.as_bytes(),
        &PublicKey::parse(&IMAGE.public_pem).unwrap(),
        Prefix::HyperProtectBasic,
    )
    .unwrap()
}

fn block(text: &str, indent: usize) -> String {
    let indent = " ".repeat(indent);
    text.lines()
        .flat_map(|line| [&indent, line, "\n"])
        .collect()
}

/// A contract of tokens, one line each.
fn sealed(workload: &str, env: &str) -> String {
    format!("workload: {}\nenv: {}\n", token(workload), token(env))
}

fn with_signing_key(pem: &[u8]) -> String {
    format!(
        "{ENV}signingKey: {}\n",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pem)
    )
}

fn signature(workload: &str, env: &str) -> String {
    let key = PrivateKey::from_pem(&SIGNER.private_pem).unwrap();
    signature::sign(
        Signed {
            workload,
            env,
            tokens: true,
        },
        &key,
    )
    .unwrap()
}

fn open(contract: &str) -> Result<Opened, Rejection> {
    Sealed::parse(contract.as_bytes(), "contract.yaml")?.open(Some(&*KEY))
}

fn verify(contract: &str) -> Result<Verified, Rejection> {
    open(contract)?.verify(Product::Ccrt)
}

fn first(rejection: &Rejection) -> (Code, String) {
    let text = rejection.findings[0].to_string();
    assert!(!text.contains("hunter2"), "{text}");
    (rejection.findings[0].code, text)
}

#[test]
fn sections_are_read_as_token_literal_block_or_mapping() {
    let literal = format!(
        "workload: |\n{}env: |\n{}",
        block(WORKLOAD, 2),
        block(ENV, 2)
    );
    let mapping = format!("workload:\n{}env:\n{}", block(WORKLOAD, 2), block(ENV, 2));
    let mixed = format!("workload: {}\nenv:\n{}", token(WORKLOAD), block(ENV, 2));
    let wrapped = format!(
        "workload: |\n  {}\nenv: |\n  {}\n",
        token(WORKLOAD),
        token(ENV)
    );
    let hashes: Vec<_> = [sealed(WORKLOAD, ENV), literal, wrapped, mapping, mixed]
        .iter()
        .map(|contract| {
            let verified = verify(contract).unwrap();
            assert_eq!(verified.workload().volumes.len(), 1);
            assert!(verified.env().logging.is_some());
            (verified.evidence().workload, verified.evidence().env)
        })
        .collect();
    let expected: ([u8; 32], [u8; 32]) =
        (Sha256::digest(WORKLOAD).into(), Sha256::digest(ENV).into());
    assert_eq!(
        &hashes[..3],
        [expected; 3],
        "token and literal block are the same text"
    );
    assert_eq!(hashes[3].1, hashes[4].1, "a mapping has one hash");
}

#[test]
fn a_rejection_names_place_and_cause_and_knows_whether_there_were_tokens() {
    let plain = |workload: &str, env: &str| {
        format!(
            "workload: |\n{}env: |\n{}",
            block(workload, 2),
            block(env, 2)
        )
    };
    for (contract, code, text, is_sealed) in [
        (
            "hunter2".to_owned(),
            messages::INVALID_CONTRACT,
            "not a mapping",
            false,
        ),
        (
            "workload: a\nworkload: b\n".into(),
            messages::INVALID_CONTRACT,
            "contract.yaml:2:1: the key `workload` stands twice",
            false,
        ),
        (
            format!("workload: |\n{}", block(WORKLOAD, 2)),
            messages::INVALID_CONTRACT,
            "`env` is missing",
            false,
        ),
        (
            format!("workload: {}\n", token(WORKLOAD)),
            messages::INVALID_CONTRACT,
            "`env` is missing",
            true,
        ),
        (
            "workload: contract-basic.x\nenv: [".into(),
            messages::INVALID_CONTRACT,
            "contract.yaml:2",
            true,
        ),
        (
            "workload: 1\nenv: ''\n".into(),
            messages::INVALID_CONTRACT,
            "contract.yaml:1:11 at workload: a number stands where a section",
            false,
        ),
        (
            plain("type: [hunter2", ENV),
            messages::SCHEMA_PARSE_CONTRACT,
            "contract.yaml:2:9 at workload",
            false,
        ),
        (
            plain("type: env\ncompose: {archive: AAAA}\n", ENV),
            messages::SCHEMA_VALIDATE_CONTRACT,
            "contract.yaml:2:9 at workload.type",
            false,
        ),
        (
            plain(WORKLOAD, "type: env\n"),
            messages::SCHEMA_VALIDATE_CONTRACT,
            "`logging` is missing",
            false,
        ),
        (
            sealed(WORKLOAD, "type: env\n"),
            messages::SCHEMA_VALIDATE_CONTRACT,
            "`logging` is missing",
            true,
        ),
        (
            sealed("hunter2", ENV),
            messages::SCHEMA_VALIDATE_CONTRACT,
            "text stands where",
            true,
        ),
        (
            sealed(WORKLOAD, "a: \u{0}"),
            messages::SCHEMA_PARSE_CONTRACT,
            "env:1",
            true,
        ),
        (
            format!("{}attestationPublicKey: hunter2\n", plain(WORKLOAD, ENV)),
            messages::INVALID_CONTRACT,
            "at attestationPublicKey: the public key",
            false,
        ),
        (
            format!("{}attestationPublicKey: {{}}\n", plain(WORKLOAD, ENV)),
            messages::INVALID_CONTRACT,
            "a mapping stands where text",
            false,
        ),
    ] {
        let rejection = verify(&contract).unwrap_err();
        let (found, cause) = first(&rejection);
        assert!(cause.contains(text), "{text:?} is not in {cause:?}");
        assert_eq!(
            (found, rejection.sealed, rejection.authenticated),
            (code, is_sealed, false),
            "{cause}"
        );
    }
}

#[test]
fn an_envelope_is_bounded_and_must_be_text() {
    let large = vec![b'#'; crate::user_data::MAX_BYTES + 1];
    assert!(
        first(&Sealed::parse(&large, "c").unwrap_err())
            .1
            .contains("32 MiB")
    );
    assert!(
        first(&Sealed::parse(&[0xff], "c").unwrap_err())
            .1
            .contains("UTF-8")
    );
}

#[test]
fn unknown_top_level_keys_are_accepted_with_a_warning() {
    let contract = format!("{}other: 1\n", sealed(WORKLOAD, ENV));
    let parsed = Sealed::parse(contract.as_bytes(), "contract.yaml").unwrap();
    assert!(parsed.needs_key());
    assert_eq!(
        parsed.unknown_keys()[0].place.to_string(),
        "contract.yaml:3:1 at other"
    );
}

#[test]
fn tokens_need_the_right_key_and_every_failure_is_found() {
    let contract = sealed(WORKLOAD, ENV);
    let without = Sealed::parse(contract.as_bytes(), "c")
        .unwrap()
        .open(Keys::default())
        .unwrap_err();
    assert_eq!((without.findings.len(), without.sealed), (2, true));
    let other = DecryptionKey::from_pem(&KeyPair::rsa(2048).private_pem).unwrap();
    let wrong = Sealed::parse(contract.as_bytes(), "c")
        .unwrap()
        .open(Some(&other))
        .unwrap_err();
    assert_eq!(wrong.findings.len(), 2, "both tokens were tried");
    assert!(
        wrong
            .findings
            .iter()
            .all(|finding| finding.code == messages::INVALID_CONTRACT)
    );
}

#[test]
fn the_auditor_key_is_read_in_all_its_forms_and_hashed_as_pem() {
    let pem = String::from_utf8(SIGNER.public_pem.clone()).unwrap();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &pem);
    for value in [
        format!("|\n{}", block(&pem, 2)),
        format!("{base64}\n"),
        format!("{}\n", token(&pem)),
        format!("{}\n", token(&base64)),
    ] {
        let verified = verify(&format!(
            "{}attestationPublicKey: {value}",
            sealed(WORKLOAD, ENV)
        ))
        .unwrap();
        let auditor = verified.evidence().auditor.clone().unwrap();
        assert_eq!(auditor.public_key, pem.as_bytes());
        assert_eq!(auditor.hash, <[u8; 32]>::from(Sha256::digest(&pem)));
    }
}

#[test]
fn nothing_secret_prints_at_any_stage_or_is_left_after_redaction() {
    let contract = sealed(WORKLOAD, ENV);
    let parsed = Sealed::parse(contract.as_bytes(), "c").unwrap();
    let parsed_text = format!("{parsed:?}");
    let opened = parsed.open(Some(&*KEY)).unwrap();
    let opened_text = format!("{opened:?}");
    let verified = opened.verify(Product::Ccrt).unwrap();
    let redacted = verified.redacted().unwrap();
    let printed = format!("{parsed_text}{opened_text}{verified:?}{redacted}");
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn a_plan_that_cannot_be_made_is_authenticated_only_where_the_contract_is_signed() {
    let (workload, env) = (
        token(WORKLOAD),
        token(&with_signing_key(&SIGNER.public_pem)),
    );
    let signed = format!(
        "workload: {workload}\nenv: {env}\nenvWorkloadSignature: {}\n",
        signature(&workload, &env)
    );
    for (contract, authenticated) in [(sealed(WORKLOAD, ENV), false), (signed, true)] {
        let verified = verify(&contract).unwrap();
        let rejection = verified.agree().unwrap().plan().unwrap_err();
        assert_eq!(
            (rejection.sealed, rejection.authenticated),
            (true, authenticated)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_envelope_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Sealed::parse(&bytes, "c");
    }

    #[test]
    fn a_flipped_byte_anywhere_in_a_token_is_one_code_and_never_a_panic(at in 0_usize..100_000, flip in 1_u8..128) {
        let secret = token(WORKLOAD);
        let prefix = "hyper-protect-basic.".len();
        let mut bytes = secret.into_bytes();
        let at = prefix + at % (bytes.len() - prefix);
        bytes[at] ^= flip;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        let contract = serde_json::json!({"workload": text, "env": token(ENV)}).to_string();
        let rejection = verify(&contract).err();
        let told = rejection.map(|rejection| crate::disclosure::tell(&rejection, crate::image_config::ImageKind::Production));
        let other = crate::disclosure::tell(&verify(&sealed("type: env\n", ENV)).unwrap_err(), crate::image_config::ImageKind::Production);
        prop_assert_eq!(told, Some(other));
    }
}

mod agreement;
mod signatures;
