#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::checksums::MAX_BYTES;
use super::record::date;
use super::*;
use crate::testing::KeyPair;

fn record() -> Record {
    Record {
        version: "26.7.1".into(),
        machine: Some("8562/02/4C598".into()),
        image_age_days: 10,
        encryption_certificate_expires: 1_814_856_281,
        attestation_certificate_expires: Some(1_814_876_939),
        development: false,
        privileged: Vec::new(),
        hashes: [
            Subject::AuditorKey,
            Subject::Env,
            Subject::Workload,
            Subject::VendorData,
            Subject::UserData,
            Subject::MetaData,
            Subject::CidataDevice,
            Subject::Sbom,
            Subject::BaseImage,
            Subject::RootArchive,
            Subject::CertificateExpiry,
        ]
        .into_iter()
        .map(|subject| (subject, [0xab; 32]))
        .collect(),
    }
}

#[test]
fn the_text_is_that_of_version_26_7_1() {
    let hash = "ab".repeat(32);
    let expected = format!(
        "26.7.1\nMachine Type/Plant/Serial: 8562/02/4C598\nImage age: 10 days since creation.\n\
         Encryption Certificate valid until: Jul 06 06:44:41 2027 UTC\n\
         Attestation Certificate valid until: Jul 06 12:28:59 2027 UTC\n\
         {hash} certificate_expiry_date.json\n{hash} root.tar.gz\n{hash} baseimage\n{hash} sbom\n\
         {hash} /dev/disk/by-label/cidata\n{hash} cidata/meta-data\n{hash} cidata/user-data\n\
         {hash} cidata/vendor-data\n{hash} contract:workload\n{hash} contract:env\n\
         {hash} contract:attestationPublicKey\n"
    );
    assert_eq!(record().text(), expected);
}

#[test]
fn an_image_for_development_says_so_and_privileged_containers_are_named() {
    let text = Record {
        development: true,
        machine: None,
        privileged: vec!["web".into(), format!("x\n{} baseimage", "00".repeat(32))],
        ..record()
    }
    .text();
    let read = parse(&text).unwrap();
    assert!(read.development);
    assert!(text.contains("Privileged containers: web, x?00"));
    assert_eq!(
        read.hashes["baseimage"], [0xab; 32],
        "a name cannot pass for a line"
    );
    assert!(!parse(&record().text()).unwrap().development);
}

#[test]
fn the_three_published_spellings_are_one() {
    let hash = "cd".repeat(32);
    for spelling in ["contract:", "contract: ", ""] {
        let text = format!(
            "24.3.3\nMachine Type/Plant/Serial: x\n{hash} {spelling}env\n{hash} {spelling}workload\n{hash} {spelling}attestationPublicKey\n{hash}  other name"
        );
        let read = parse(&text).unwrap();
        assert_eq!(read.version.as_deref(), Some("24.3.3"));
        let names: Vec<_> = read.hashes.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "contract:attestationPublicKey",
                "contract:env",
                "contract:workload",
                "other name"
            ]
        );
    }
    assert!(
        parse(&format!("{hash} env\n{hash} contract:env\n")).is_err(),
        "two of one name"
    );
    assert!(parse("26.7.1\n").is_err());
    assert!(parse(&"x".repeat(MAX_BYTES + 1)).is_err());
}

#[test]
fn a_record_is_signed_in_the_clear_and_sealed_to_the_auditor() {
    let (image, auditor) = (KeyPair::rsa(2048), KeyPair::rsa(2048));
    let text = record().text();
    let signature = sign(&text, &PrivateKey::from_pem(&image.private_pem).unwrap()).unwrap();
    let public = PublicKey::parse(&image.public_pem).unwrap();
    verify(&text, &signature, &public).unwrap();
    assert!(matches!(
        verify(&text[1..], &signature, &public),
        Err(ContractError::RecordSignature)
    ));
    assert!(matches!(
        verify(&text, &signature[1..], &public),
        Err(ContractError::RecordSignatureForm)
    ));
    let token = seal(
        &text,
        &Auditor {
            hash: [0; 32],
            public_key: auditor.public_pem,
        },
    )
    .unwrap();
    assert!(token.starts_with("hyper-protect-basic."));
    let key = DecryptionKey::from_pem(&auditor.private_pem).unwrap();
    assert_eq!(*open(&token, &key).unwrap(), text);
    let encoded = format!("{}\n", STANDARD.encode(&signature));
    verify(&text, encoded.as_bytes(), &public).unwrap();
}

#[test]
fn a_time_without_a_date_is_told_all_the_same() {
    assert_eq!(date(0), "Jan 01 00:00:00 1970 UTC");
    assert!(date(i64::MAX).contains("9223372036854775807 s"));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "([0-9a-f]{0,70}[ \t]?[a-z:\u{e9} ]{0,20}\n?){0,10}") {
        let _ = parse(&text);
    }
}
