#![allow(clippy::unwrap_used)]
use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::certificate::issue::{self, Subject};
use crate::private_key::PrivateKey;
use crate::product::Product;
use crate::stages::{Sealed, Verified};
use crate::testing::{self, KeyPair};
use crate::token::age::Identity;
use crate::token::openssl::{DecryptionKey, Prefix};

static IMAGE: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa(2048));
static IMAGE_KEY: LazyLock<DecryptionKey> =
    LazyLock::new(|| DecryptionKey::from_pem(&IMAGE.private_pem).unwrap());
static IMAGE_PUBLIC: LazyLock<PublicKey> =
    LazyLock::new(|| PublicKey::parse(&IMAGE.public_pem).unwrap());
static SIGNER: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa(2048));
static SIGNER_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::from_pem(&SIGNER.private_pem).unwrap());

const WORKLOAD: &str = "type: workload\ncompose: {archive: H4sIAAAA}\n";
const ENV: &str =
    "type: env # mine\nlogging: {logRouter: {hostname: logs.example, iamApiKey: key}}\n";

fn to() -> Audience<'static> {
    Audience::Certificate(&IMAGE_PUBLIC, Prefix::ContractBasic)
}

fn block(text: &str) -> String {
    text.lines()
        .fold("|\n".to_owned(), |all, line| all + "  " + line + "\n")
}

fn literal(workload: &str, env: &str) -> String {
    format!("workload: {}env: {}", block(workload), block(env))
}

fn verified(contract: &str) -> Verified {
    Sealed::parse(contract.as_bytes(), "c.yaml")
        .unwrap()
        .open(Some(&*IMAGE_KEY))
        .unwrap()
        .verify(Product::Ccrt)
        .unwrap()
}

fn signed_by(contract: &str) -> PublicKey {
    let signer = verify(contract, "c.yaml", None, Some(&*IMAGE_KEY)).unwrap();
    assert!(verified(contract).signer().unwrap().is_same_key(&signer));
    let public = SIGNER_KEY.public_key().unwrap();
    verify(contract, "c.yaml", Some(&public), None).unwrap();
    assert!(verify(contract, "c.yaml", Some(&IMAGE_PUBLIC), None).is_err());
    signer
}

fn cause(result: Result<Written, Vec<Finding>>) -> String {
    result
        .unwrap_err()
        .iter()
        .map(|found| found.cause.clone())
        .collect()
}

#[test]
fn tokens_are_signed_as_they_stand_under_sorted_keys_in_one_line_each() {
    let contract = "workload: contract-basic.a.b\nenv: contract-basic.c.d\nextra: 1\nattestationPublicKey: k\n";
    let written = sign(contract, "c.yaml", &*SIGNER_KEY).unwrap();
    let signature = signature::sign(
        Signed {
            workload: "contract-basic.a.b",
            env: "contract-basic.c.d",
            tokens: true,
        },
        &SIGNER_KEY,
    )
    .unwrap();
    assert_eq!(
        *written.text,
        format!(
            "attestationPublicKey: k\nenv: contract-basic.c.d\nenvWorkloadSignature: {signature}\nworkload: contract-basic.a.b\n"
        )
    );
    assert_eq!(written.dropped[0].place.path, "extra");
    let again = sign(&written.text, "c.yaml", &*SIGNER_KEY).unwrap();
    assert_eq!(again.text, written.text, "signing twice changes nothing");
    assert!(!format!("{written:?}").contains("contract-basic"));
}

#[test]
fn sections_in_the_clear_get_the_signing_key_and_keep_the_rest_of_their_text() {
    let written = sign(&literal(WORKLOAD, ENV), "c.yaml", &*SIGNER_KEY).unwrap();
    assert!(written.text.contains("type: env # mine"));
    signed_by(&written.text);
    // A flow mapping takes no line at its end.
    let flow = format!(
        "{{{}}}",
        "type: env, logging: {logRouter: {hostname: a.b, iamApiKey: k}}"
    );
    signed_by(
        &sign(&literal(WORKLOAD, &flow), "c.yaml", &*SIGNER_KEY)
            .unwrap()
            .text,
    );
}

#[test]
fn a_contract_is_sealed_and_signed_in_one_step_whatever_its_sections_are_written_as() {
    let auditor = KeyPair::rsa(2048);
    let workload = to().seal(WORKLOAD.as_bytes()).unwrap();
    for contract in [
        literal(WORKLOAD, ENV),
        format!("workload: {workload}\nenv: {}", block(ENV)),
        "workload: {type: workload, compose: {archive: H4sIAAAA}}\nenv: {type: env, logging: {logRouter: {hostname: a.b, iamApiKey: k}}}\n".into(),
    ] {
        let key = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &auditor.public_pem);
        let contract = format!("{contract}attestationPublicKey: {key}\n");
        let written = seal_and_sign(&contract, "c.yaml", to(), &*SIGNER_KEY).unwrap().text;
        assert_eq!(written.matches("contract-basic.").count(), 3);
        signed_by(&written);
        assert_eq!(verified(&written).evidence().auditor.as_ref().unwrap().public_key, auditor.public_pem);
        assert!(verify(&written, "c.yaml", None, None).is_err(), "the key is sealed");
    }
}

#[test]
fn a_contract_is_sealed_to_an_age_recipient_and_signed() {
    let identity = Identity::generate();
    let recipient = identity.recipient();
    let written = seal_and_sign(
        &literal(WORKLOAD, ENV),
        "c.yaml",
        Audience::Recipient(&recipient),
        &*SIGNER_KEY,
    )
    .unwrap()
    .text;
    assert_eq!(written.matches("BEGIN AGE ENCRYPTED FILE").count(), 2);
    let keys = Keys {
        age: Some(&identity),
        ..Keys::default()
    };
    let signer = verify(&written, "c.yaml", None, keys).unwrap();
    assert!(signer.is_same_key(&SIGNER_KEY.public_key().unwrap()));
    assert!(verify(&written, "c.yaml", None, Some(&*IMAGE_KEY)).is_err());
}

#[test]
fn a_certificate_of_the_same_key_stays_and_another_key_is_never_overwritten() {
    let certificate = String::from_utf8(testing::certificate(&SIGNER, 10, 2_000_000_000)).unwrap();
    let env = format!(
        "{ENV}signingKey: |\n  {}\n",
        certificate.trim_end().replace('\n', "\n  ")
    );
    let written = seal_and_sign(&literal(WORKLOAD, &env), "c.yaml", to(), &*SIGNER_KEY).unwrap();
    assert_eq!(
        signed_by(&written.text).validity().unwrap().not_after,
        2_000_000_000
    );
    let other = PrivateKey::generate(2048).unwrap();
    assert!(cause(sign(&literal(WORKLOAD, &env), "c.yaml", &other)).contains("another key"));
}

#[test]
fn a_contract_expires_with_the_certificate_of_its_signer() {
    let from = 1_790_000_000;
    let certificate = issue::self_signed(&SIGNER_KEY, &Subject::default(), 30, from).unwrap();
    let signer = Signer::with_certificate(&SIGNER_KEY, &certificate).unwrap();
    let first = sign(&literal(WORKLOAD, ENV), "c.yaml", &*SIGNER_KEY).unwrap();
    for contract in [literal(WORKLOAD, ENV), first.text.to_string()] {
        let written = seal_and_sign(&contract, "c.yaml", to(), signer).unwrap();
        let validity = signed_by(&written.text).validity().unwrap();
        assert_eq!(validity.not_after, from + 30 * 24 * 60 * 60);
    }
    let other = PrivateKey::generate(2048).unwrap();
    assert!(Signer::with_certificate(&other, &certificate).is_err());
}

#[test]
fn what_cannot_be_signed_or_verified_is_refused_for_what_it_is() {
    let maps = "workload: {type: workload}\nenv: {type: env}\n";
    assert_eq!(
        cause(sign(maps, "c.yaml", &*SIGNER_KEY))
            .matches("mapping")
            .count(),
        2,
        "both at once"
    );
    assert!(
        cause(sign(&literal(WORKLOAD, "- a"), "c.yaml", &*SIGNER_KEY)).contains("not a mapping")
    );
    assert!(cause(sign("env: a\n", "c.yaml", &*SIGNER_KEY)).contains("`workload` is missing"));
    let told = |contract: &str| {
        verify(contract, "c.yaml", None, None).unwrap_err()[0]
            .cause
            .clone()
    };
    assert!(told(&literal(WORKLOAD, ENV)).contains("no signature"));
    assert!(
        told(&format!(
            "{}envWorkloadSignature: AAAA\n",
            literal(WORKLOAD, ENV)
        ))
        .contains("no signingKey")
    );
    let signed = sign(&literal(WORKLOAD, ENV), "c.yaml", &*SIGNER_KEY)
        .unwrap()
        .text;
    assert!(told(&signed.replace("H4sI", "H4sJ")).contains("does not match"));
}

#[test]
fn sealing_alone_drops_a_signature_and_leaves_no_key() {
    let signed = sign(&literal(WORKLOAD, ENV), "c.yaml", &*SIGNER_KEY)
        .unwrap()
        .text;
    let written = seal(&signed, "c.yaml", to()).unwrap().text;
    assert!(!written.contains("envWorkloadSignature"));
    let sealed = seal(&literal(WORKLOAD, ENV), "c.yaml", to()).unwrap().text;
    assert!(verified(&sealed).signer().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_signed_verifies_and_any_other_text_does_not(values in proptest::collection::vec("[ -~]{0,40}", 0..4), at in any::<prop::sample::Index>()) {
        let mut extra = String::new();
        for (at, value) in values.iter().enumerate() {
            writeln!(extra, "  K{at}: '{}'", value.replace('\'', "''")).unwrap();
        }
        let workload = format!("{WORKLOAD}env:\n{extra}");
        let signed = sign(&literal(&workload, ENV), "c.yaml", &*SIGNER_KEY).unwrap().text;
        verify(&signed, "c.yaml", None, None).unwrap();
        let at = signed.find("type: workload").unwrap() + at.index("type: workload".len());
        let mut changed = signed.clone();
        changed.replace_range(at..=at, "X");
        prop_assert!(verify(&changed, "c.yaml", None, None).is_err());
    }
}
