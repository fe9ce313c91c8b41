//! The formats against the programs that contract authors use: the `openssl` command line in both directions, with the
//! recipe of the specification (2.3).
#![allow(clippy::unwrap_used)]

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hpcr_contract::attestation;
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::plan::Auditor;
use hpcr_contract::private_key::PrivateKey;
use hpcr_contract::product::Product;
use hpcr_contract::signature::{self, Signed};
use hpcr_contract::stages::Sealed;
use hpcr_contract::token::openssl::{Prefix, Token, seal};

mod openssl;

use openssl::Bench;

#[test]
fn openssl_opens_what_we_seal() {
    for bits in [2048, 4096] {
        let bench = Bench::new(bits);
        for source in ["public.pem", "cert.pem"] {
            let key = PublicKey::parse(&bench.read(source)).unwrap();
            for plain in [&b""[..], b"hello-world", &[0xff; 10_000]] {
                let token = seal(plain, &key, Prefix::ContractBasic).unwrap();
                assert_eq!(bench.open(&token), plain);
            }
        }
    }
}

#[test]
fn we_open_what_openssl_seals_whatever_bytes_the_password_has() {
    let bench = Bench::new(2048);
    let key = bench.key();
    let with = |at: usize, byte: u8| {
        let mut password = *b"0123456789abcdef0123456789abcdef";
        password[at] = byte;
        password.to_vec()
    };
    let every_byte: Vec<u8> = (1..=255).filter(|byte| *byte != b'\n').take(200).collect();
    for password in [
        with(0, b'x'),
        with(14, b'\n'),
        with(0, b'\n'),
        with(31, b'\n'),
        with(14, 0),
        with(1, 0),
        with(14, b'\r'),
        b"x".to_vec(),
        every_byte,
    ] {
        let token = bench.seal(&password, b"type: workload\n").unwrap();
        let opened = Token::parse(&token).unwrap().open(&key).unwrap();
        assert_eq!(
            opened.as_slice(),
            b"type: workload\n",
            "password {password:?}"
        );
    }
    // Where openssl refuses the password there is no token, and we refuse what could pass for one.
    assert!(bench.seal(&with(0, 0), b"x").is_none());
}

#[test]
fn a_token_that_openssl_cannot_open_does_not_open_here_either() {
    let (bench, other) = (Bench::new(2048), Bench::new(2048));
    let token = bench.seal(b"password", b"type: workload\n").unwrap();
    assert!(Token::parse(&token).unwrap().open(&other.key()).is_err());
}

#[test]
fn signatures_of_openssl_and_ours_are_the_same_bytes() {
    let bench = Bench::new(2048);
    let signed = Signed {
        workload: "hyper-protect-basic.a.b",
        env: "hyper-protect-basic.c.d",
        tokens: true,
    };
    fs::write(
        bench.path("signed"),
        format!("{}{}", signed.workload, signed.env),
    )
    .unwrap();
    let theirs = bench.openssl(&["dgst", "-sha256", "-sign", "key.pem", "signed"], b"");
    let ours = signature::sign(
        signed,
        &PrivateKey::from_pem(&bench.read("key.pem")).unwrap(),
    )
    .unwrap();
    assert_eq!(ours, STANDARD.encode(&theirs));
    signature::verify(
        signed,
        &STANDARD.encode(theirs),
        &PublicKey::parse(&bench.read("cert.pem")).unwrap(),
    )
    .unwrap();
}

#[test]
fn a_contract_made_by_the_documented_recipe_is_verified() {
    let (image, signer) = (Bench::new(4096), Bench::new(2048));
    let certificate = STANDARD.encode(STANDARD.encode(signer.read("cert.pem")));
    let workload = image
        .seal(
            b"one password of it",
            b"type: workload\ncompose: {archive: H4sIAAAA}\n",
        )
        .unwrap();
    let env = format!(
        "type: env\nlogging: {{logRouter: {{hostname: logs.example, iamApiKey: key}}}}\nsigningKey: {certificate}\n"
    );
    let env = image.seal(b"another password", env.as_bytes()).unwrap();
    fs::write(signer.path("contract.txt"), format!("{workload}{env}")).unwrap();
    let signature = STANDARD.encode(signer.openssl(
        &["dgst", "-sha256", "-sign", "key.pem", "contract.txt"],
        b"",
    ));
    let contract = |signature: &str| {
        format!("workload: {workload}\nenv: {env}\nenvWorkloadSignature: {signature}\n")
    };

    let open = |text: &str| {
        Sealed::parse(text.as_bytes(), "user-data")
            .unwrap()
            .open(Some(&image.key()))
            .unwrap()
    };
    let verified = open(&contract(&signature)).verify(Product::Ccrt).unwrap();
    let validity = verified.signer().unwrap().validity().unwrap();
    assert_eq!(validity.not_after - validity.not_before, 10 * 24 * 60 * 60);
    let other =
        STANDARD.encode(image.openssl(&["dgst", "-sha256", "-sign", "key.pem", "plain"], b""));
    assert!(open(&contract(&other)).verify(Product::Ccrt).is_err());
}

#[test]
fn openssl_reads_our_attestation_record_and_checks_its_signature() {
    let (image, auditor) = (Bench::new(2048), Bench::new(2048));
    let text = "26.7.1\nImage age: 10 days since creation.\n";
    let raw =
        attestation::sign(text, &PrivateKey::from_pem(&image.read("key.pem")).unwrap()).unwrap();
    fs::write(image.path("se-signature.bin"), raw).unwrap();
    fs::write(image.path("se-checksums.txt"), text).unwrap();
    image.openssl(
        &[
            "dgst",
            "-sha256",
            "-verify",
            "public.pem",
            "-signature",
            "se-signature.bin",
            "se-checksums.txt",
        ],
        b"",
    );
    let sealed = attestation::seal(
        text,
        &Auditor {
            hash: [0; 32],
            public_key: auditor.read("public.pem"),
        },
    )
    .unwrap();
    assert_eq!(auditor.open(&sealed), text.as_bytes());
}
