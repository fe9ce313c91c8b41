//! Certificates and keys of a contract, as the openssl command line makes them, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod rig;

use std::process::Command;

use hpcr_contract::plan::{ClientIdentity, Syslog};
use hpcr_logging::sinks::syslog::check;
use hpcr_logging::{LoggingError, Material};
use rig::Authority;

fn openssl(arguments: &[&str]) -> String {
    String::from_utf8(rig::run(Command::new("openssl").args(arguments))).unwrap()
}

fn plan(authority: &Authority, certificate: &[u8], key: &str) -> Syslog {
    let client = ClientIdentity {
        certificate: certificate.to_vec(),
        key: key.into(),
    };
    Syslog {
        client: Some(client),
        ..authority.contract(6514)
    }
}

#[test]
fn keys_of_every_usual_form_are_taken() {
    let authority = Authority::new();
    for (algorithm, option, traditional) in [
        (
            "EC",
            "ec_paramgen_curve:prime256v1",
            "-----BEGIN EC PRIVATE KEY",
        ),
        (
            "EC",
            "ec_paramgen_curve:secp384r1",
            "-----BEGIN EC PRIVATE KEY",
        ),
        ("RSA", "rsa_keygen_bits:2048", "-----BEGIN RSA PRIVATE KEY"),
    ] {
        let pkcs8 = openssl(&[
            "genpkey",
            "-quiet",
            "-algorithm",
            algorithm,
            "-pkeyopt",
            option,
        ]);
        let path = authority.path("any.key");
        std::fs::write(&path, &pkcs8).unwrap();
        let path = path.to_str().unwrap();
        let certificate = openssl(&["req", "-x509", "-new", "-key", path, "-subj", "/CN=guest"]);
        let older = openssl(&["pkey", "-in", path, "-traditional"]);
        assert!(older.starts_with(traditional), "{older}");
        for key in [pkcs8, older] {
            check(&plan(&authority, certificate.as_bytes(), &key))
                .unwrap_or_else(|error| panic!("{option}: {error}"));
        }
    }
}

fn assert_refused(plan: &Syslog, place: &str, expected: Material, code: &str) {
    let error = check(plan).expect_err("must not be taken");
    assert_eq!(error.code().to_string(), code, "{error}");
    assert!(
        error
            .to_string()
            .starts_with(&format!("env.logging.syslog.{place}: ")),
        "{error}"
    );
    assert!(
        matches!(error, LoggingError::Material { problem, .. } if problem == expected),
        "{error}"
    );
}

#[test]
fn bad_authorities_are_told_with_place_and_code() {
    let authority = Authority::new();
    let (certificate, key) = (authority.text("ca.pem"), authority.text("ca.key"));
    for (server, problem, code) in [
        (" ", Material::NoServerCertificate, "HPL01007E"),
        ("logs", Material::NoPemBlock, "HPL01005E"),
        (&key, Material::NoServerCertificate, "HPL01007E"),
        (
            &certificate.replace("MII", "AAA"),
            Material::Damaged,
            "HPL01011E",
        ),
    ] {
        let plan = Syslog {
            authorities: server.into(),
            ..authority.contract(6514)
        };
        assert_refused(&plan, "server", problem, code);
    }
}

#[test]
fn bad_client_certificates_are_told_with_place_and_code() {
    let authority = Authority::new();
    authority.client();
    let (certificate, key) = (authority.text("client.pem"), authority.text("client.key"));
    for (text, problem, code) in [
        ("", Material::NoClientCertificate, "HPL01008E"),
        (&key, Material::NoClientCertificate, "HPL01008E"),
        ("x", Material::NoPemBlock, "HPL01005E"),
        (
            &certificate.replace("MII", "AAA"),
            Material::Damaged,
            "HPL01011E",
        ),
    ] {
        assert_refused(
            &plan(&authority, text.as_bytes(), &key),
            "cert",
            problem,
            code,
        );
    }
}

#[test]
fn bad_client_keys_are_told_with_place_and_code() {
    let authority = Authority::new();
    authority.client();
    let (certificate, other) = (authority.text("client.pem"), authority.text("ca.key"));
    let path = authority.path("client.key");
    let encrypted = openssl(&[
        "pkey",
        "-in",
        path.to_str().unwrap(),
        "-aes128",
        "-passout",
        "pass:x",
    ]);
    let dsa = encrypted.replace("ENCRYPTED", "DSA");
    for (key, problem, code) in [
        ("", Material::NoPrivateKey, "HPL01009E"),
        ("x", Material::NoPemBlock, "HPL01005E"),
        (&certificate, Material::NoPrivateKey, "HPL01009E"),
        (&encrypted, Material::UnknownKeyType, "HPL01006E"),
        (&dsa, Material::UnknownKeyType, "HPL01006E"),
        (&other, Material::KeyMismatch, "HPL01011E"),
    ] {
        assert_refused(
            &plan(&authority, certificate.as_bytes(), key),
            "key",
            problem,
            code,
        );
    }
}

#[test]
fn nothing_prints_the_key() {
    let authority = Authority::new();
    let plan = authority.contract(6514);
    let key = authority.text("client.key");
    let secret = key.lines().nth(1).unwrap();
    let endpoint = check(&plan).unwrap();
    assert!(!format!("{plan:?} {endpoint:?}").contains(secret));
}
