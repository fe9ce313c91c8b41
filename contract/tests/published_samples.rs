//! Samples that the makers of the format published, and the verdicts that the specification gives of them (section 9).
//!
//! They lie beside the repository and are never copied into it; where they are absent, each test says that it skips.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use hpcr_contract::attestation;
use hpcr_contract::authoring;
use hpcr_contract::certificate::chain::Chain;
use hpcr_contract::certificate::{Certificate, PublicKey};
use hpcr_contract::error::ContractError;
use hpcr_contract::finding::Level;
use hpcr_contract::lone;
use hpcr_contract::messages;
use hpcr_contract::preflight::Horizon;
use hpcr_contract::private_key::PrivateKey;
use hpcr_contract::product::Product;
use hpcr_contract::schema::Section;
use hpcr_contract::secret::SecretString;
use hpcr_contract::stages::{Keys, Rejection, Sealed, Verified};
use hpcr_contract::token::openssl::{DecryptionKey, Token};
use sha2::{Digest, Sha256};

/// The samples by path, or nothing.
fn samples() -> Option<BTreeMap<String, Vec<u8>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testdata.tar.gz");
    let Ok(file) = File::open(path) else {
        println!("skipped: there are no published samples beside the repository");
        return None;
    };
    let mut samples = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry
            .path()
            .unwrap()
            .to_string_lossy()
            .replacen("testdata/", "", 1);
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        samples.insert(path, bytes);
    }
    Some(samples)
}

fn text(samples: &BTreeMap<String, Vec<u8>>, path: &str) -> String {
    String::from_utf8(samples[path].clone()).unwrap()
}

fn verify(contract: &[u8]) -> Result<Verified, Rejection> {
    Sealed::parse(contract, "contract.yaml")?
        .open(Keys::default())?
        .verify(Product::Ccrt)
}

/// The way of hpcr-check: valid where nothing but limits of our guest stops it.
fn is_valid(contract: &[u8], product: Product) -> bool {
    let way = || {
        let verified = Sealed::parse(contract, "contract.yaml")?
            .open(Keys::default())?
            .verify(product)?;
        verified.agree()?.plan().map(drop)
    };
    way()
        .err()
        .is_none_or(|rejection: Rejection| rejection.is_limit())
}

/// The same for a section on its own.
fn is_valid_section(section: Section, bytes: &[u8]) -> bool {
    let findings = lone::check(
        section,
        bytes,
        "s.yaml",
        Product::Ccrt,
        Keys::default(),
        Horizon { now: 0, days: 0 },
    );
    findings.iter().all(|finding| finding.level < Level::Error)
}

#[test]
fn the_published_token_with_a_newline_in_its_password_opens() {
    let Some(samples) = samples() else { return };
    let key = DecryptionKey::from_pem(&samples["decrypt/private.key"]).unwrap();
    let opened = Token::parse(&text(&samples, "decrypt/encrypt.txt"))
        .unwrap()
        .open(&key)
        .unwrap();
    assert_eq!(opened.as_slice(), b"hello-world");
    let error = Token::parse(&text(&samples, "decrypt/encrypt.invalid.txt"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("its second part is not base64"), "{error}");
}

#[test]
fn the_published_signature_vector_is_reproduced() {
    let Some(samples) = samples() else { return };
    let contract = text(&samples, "sign/contract.enc.yaml");
    let key = PrivateKey::from_pem(&samples["encrypt/private.pem"]).unwrap();
    let signed = authoring::sign(&contract, "contract.enc.yaml", &key).unwrap();
    assert_eq!(
        hex::encode(Sha256::digest(&signed.text)),
        "001e7c38bf6f34c80e0c1f7ca42ef420667f09687038bbe0233badda9cc210af"
    );
    let public = PublicKey::parse(&samples["encrypt/public.pem"]).unwrap();
    authoring::verify(&signed.text, "signed", Some(&public), None).unwrap();
}

#[test]
fn published_keys_belong_together_and_take_their_passphrase() {
    let Some(samples) = samples() else { return };
    let public = |name: &str| PublicKey::parse(&samples[&format!("encrypt/{name}.pem")]).unwrap();
    let key = PrivateKey::from_pem(&samples["encrypt/private.pem"]).unwrap();
    assert!(key.public_key().unwrap().is_same_key(&public("public")));
    let encrypted = &samples["encrypt/private_encrypted.pem"];
    assert!(PrivateKey::from_pem(encrypted).is_err());
    let opened =
        |text: &str| PrivateKey::from_pem_with_passphrase(encrypted, &SecretString::from(text));
    let key = opened("testpassword").unwrap();
    assert!(
        key.public_key()
            .unwrap()
            .is_same_key(&public("public_encrypted"))
    );
    assert!(matches!(
        opened("other"),
        Err(ContractError::PassphraseWrong)
    ));
}

#[test]
fn published_chains_get_the_published_verdicts() {
    let Some(samples) = samples() else { return };
    // 2026-06-01; the valid leaf ends in March 2027.
    let (then, later) = (1_780_272_000, 1_805_000_000);
    let causes = |folder: &str, leaf: &str, intermediate: &str, at: i64| -> Vec<String> {
        let all = |name: &str| {
            Certificate::parse_all(&samples[&format!("certificate-chain/{folder}/{name}.crt")])
                .unwrap()
        };
        let chain = Chain {
            leaf: &all(leaf)[0],
            intermediates: &all(intermediate),
            roots: &all("root"),
            lists: &[],
        };
        let report = chain.check(at).unwrap();
        report
            .findings()
            .map(|finding| finding.cause.to_string())
            .collect()
    };
    assert!(causes("valid-chain", "encryption", "intermediate", then).is_empty());
    assert_eq!(
        causes("valid-chain", "encryption", "intermediate", later),
        ["the certificate has expired"]
    );
    assert_eq!(
        causes("expired-chain", "expired_encryption", "intermediate", then),
        ["the certificate has expired"]
    );
    assert_eq!(
        causes("invalid-chain", "encryption", "wrong_intermediate", then),
        ["no certificate that was given is of its issuer"]
    );
}

#[test]
fn published_contracts_get_the_published_verdicts_for_every_product() {
    let Some(samples) = samples() else { return };
    // ccrt, hpvs, ccrv, ccco.
    for (name, verdicts) in [
        ("simple_contract.yaml", [true, true, false, true]),
        ("attest_pub_key_contract.yaml", [true, true, false, true]),
        ("simple_contract_invalid.yaml", [false; 4]),
        ("workload.yaml", [false; 4]),
        ("env_only.yaml", [false; 4]),
    ] {
        for (product, valid) in Product::ALL.into_iter().zip(verdicts) {
            assert_eq!(
                is_valid(&samples[name], product),
                valid,
                "{name} for {product}"
            );
        }
    }
    for (name, workload, env) in [
        ("workload.yaml", true, false),
        ("env_only.yaml", false, true),
        ("simple_contract.yaml", false, false),
    ] {
        assert_eq!(
            is_valid_section(Section::Workload, &samples[name]),
            workload,
            "{name}"
        );
        assert_eq!(
            is_valid_section(Section::Env, &samples[name]),
            env,
            "{name}"
        );
    }
}

#[test]
fn what_only_our_guest_does_not_do_is_told_with_the_code_it_stops_with() {
    let Some(samples) = samples() else { return };
    let verified = verify(&samples["simple_contract.yaml"]).unwrap();
    let rejection = verified.agree().unwrap().plan().unwrap_err();
    let told: Vec<_> = rejection
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{:?} {} {}",
                finding.level, finding.code, finding.place.path
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "Limit HPL05001E env.logging.logRouter",
            "Limit HPL06006E workload.compose.archive"
        ]
    );
}

#[test]
fn what_is_wrong_with_published_contracts_is_told_at_its_place() {
    let Some(samples) = samples() else { return };
    verify(&samples["simple_contract.yaml"]).unwrap();
    let with_auditor = verify(&samples["attest_pub_key_contract.yaml"]).unwrap();
    assert!(with_auditor.evidence().auditor.is_some());

    let rejection = verify(&samples["simple_contract_invalid.yaml"]).unwrap_err();
    let places: Vec<_> = rejection
        .findings
        .iter()
        .map(|finding| finding.place.to_string())
        .collect();
    assert_eq!(
        places,
        [
            "contract.yaml:10:12 at workload.compose.archive",
            "contract.yaml:6:16 at env.logging.logRouter.iamApiKey"
        ]
    );
    assert!(
        rejection
            .findings
            .iter()
            .all(|finding| finding.code == messages::SCHEMA_VALIDATE_CONTRACT)
    );
    assert!(!rejection.sealed);

    for section in ["workload.yaml", "env_only.yaml"] {
        let rejection = verify(&samples[section]).unwrap_err();
        assert!(
            rejection.findings[0].cause.contains("is missing"),
            "a section is no contract"
        );
    }
}

#[test]
fn the_published_attestation_record_opens_and_proves_the_hash_of_the_auditors_key() {
    let Some(samples) = samples() else { return };
    let key = DecryptionKey::from_pem(&samples["attestation/private.pem"]).unwrap();
    let opened =
        attestation::open(&text(&samples, "attestation/se-checksums.txt.enc"), &key).unwrap();
    let record = attestation::parse(&opened).unwrap();
    assert_eq!(record.version.as_deref(), Some("24.3.3"));
    assert_eq!(record.hashes.len(), 9);
    assert!(!record.development);
    let auditor = <[u8; 32]>::from(Sha256::digest(&samples["attestation/public.pem"]));
    assert_eq!(record.hashes["contract:attestationPublicKey"], auditor);
    assert!(
        record.hashes.contains_key("contract:workload")
            && record.hashes.contains_key("contract:env")
    );
}

#[test]
fn published_encryption_certificates_are_usable() {
    let Some(samples) = samples() else { return };
    for name in [
        "ibm-confidential-computing-container-runtime-26.7.2",
        "ibm-hyper-protect-container-runtime-1-0-s390x-29",
    ] {
        let key = PublicKey::parse(&samples[&format!("encryption/{name}-encrypt.crt")]).unwrap();
        assert!(
            key.validity()
                .is_some_and(|validity| validity.not_before < validity.not_after)
        );
    }
}
