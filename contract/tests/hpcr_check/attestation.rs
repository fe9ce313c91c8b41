//! `attestation verify` and `certificate check`, on what openssl signed.

use crate::desk::{Desk, base64, run};

fn sha256(bytes: &[u8]) -> String {
    let line = String::from_utf8(run("openssl", &["dgst", "-sha256", "-r"], bytes)).unwrap();
    line[..64].to_owned()
}

/// A record of the contract in `contract.yaml`, signed by the signer; the signature is in `signature.bin`.
fn record(desk: &Desk) -> String {
    desk.write("contract.yaml", desk.clear());
    let env = desk.unsigned_env();
    let record = format!(
        "26.7.1\nMachine Type/Plant/Serial: 8562/02/4C598\n{} baseimage\n{} contract:workload\n{} contract:env\n",
        "ab".repeat(32),
        sha256(desk.workload.as_bytes()),
        sha256(env.as_bytes()),
    );
    let key = desk.path("signer.key");
    let sign = ["dgst", "-sha256", "-sign", key.to_str().unwrap()];
    desk.write("signature.bin", run("openssl", &sign, record.as_bytes()));
    desk.write("record.txt", &record);
    record
}

const VERIFY: [&str; 7] = [
    "attestation",
    "verify",
    "record.txt",
    "--cert",
    "signer.crt",
    "--signature",
    "signature.bin",
];

#[test]
fn a_record_that_the_image_signed_is_good_in_the_clear_and_sealed() {
    let desk = Desk::new();
    let text = record(&desk);
    let ran = desk.hpcr(&VERIFY);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.out.contains("baseimage") && ran.out.ends_with("record.txt: the signature is good\n"),
        "{ran:?}"
    );
    let late = desk.hpcr(&[&VERIFY[..], &["--at", "2099-01-01T00:00:00Z"]].concat());
    assert!(
        late.status == 0 && late.out.contains("the attestation certificate has ended"),
        "{late:?}"
    );
    let mut wrapped = base64(&desk.read("signature.bin"));
    wrapped.insert(76, '\n');
    desk.write("signature.bin", wrapped + "\n");
    assert_eq!(desk.hpcr(&VERIFY).status, 0, "a signature in base64");
    desk.write("record.txt", desk.seal(&text, "hyper-protect-basic"));
    assert_eq!(desk.hpcr(&VERIFY).status, 2, "sealed, and no key");
    let ran = desk.hpcr(&[&VERIFY[..], &["--key", "signer.key"]].concat());
    assert!(
        ran.status == 1
            && ran
                .out
                .contains("error[HPL11002E]: the attestation record does not open"),
        "{ran:?}"
    );
    let ran = desk.hpcr(&[&VERIFY[..], &["--key", "image.key", "--format", "json"]].concat());
    assert_eq!(ran.json()["digests"]["baseimage"], "ab".repeat(32));
    assert_eq!(ran.json()["version"], "26.7.1");
}

#[test]
fn a_record_of_another_image_or_with_another_line_is_bad() {
    let desk = Desk::new();
    let text = record(&desk);
    let other = [&VERIFY[..4], &["image.crt"], &VERIFY[5..]].concat();
    let ran = desk.hpcr(&other);
    assert!(
        ran.status == 1
            && ran
                .out
                .contains("error[HPL11002E]: the signature does not match"),
        "{ran:?}"
    );
    desk.write("record.txt", text.replace("abab", "abac"));
    assert_eq!(desk.hpcr(&VERIFY).status, 1);
    desk.write("record.txt", "26.7.1\n");
    assert_eq!(desk.hpcr(&VERIFY).status, 1);
}

#[test]
fn a_record_is_compared_with_the_contract() {
    let mut desk = Desk::new();
    record(&desk);
    let with = [&VERIFY[..], &["--contract", "contract.yaml"]].concat();
    let ran = desk.hpcr(&with);
    assert!(
        ran.status == 0 && ran.out.contains("and the record is of this contract"),
        "{ran:?}"
    );
    desk.env = desk.env.replace("PASSWORD", "OTHER");
    desk.write("contract.yaml", desk.clear());
    let ran = desk.hpcr(&with);
    assert!(
        ran.status == 1 && ran.out.contains("= key: contract:env\n"),
        "{ran:?}"
    );
    assert!(!ran.out.contains("= key: contract:workload"), "{ran:?}");
}

#[test]
fn a_certificate_is_followed_to_its_root_at_the_time_that_is_given() {
    let desk = Desk::new();
    let path = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    let root = [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "60", "-subj", "/CN=root",
    ];
    run(
        "openssl",
        &[
            &root[..],
            &["-keyout", &path("root.key"), "-out", &path("root.crt")],
        ]
        .concat(),
        b"",
    );
    let request = [
        "req",
        "-new",
        "-key",
        &path("image.key"),
        "-subj",
        "/CN=leaf",
        "-out",
        &path("leaf.csr"),
    ];
    run("openssl", &request, b"");
    let issue = ["x509", "-req", "-days", "40", "-CAcreateserial", "-sha512"];
    let files = [
        "-in",
        &path("leaf.csr"),
        "-CA",
        &path("root.crt"),
        "-CAkey",
        &path("root.key"),
        "-out",
        &path("leaf.crt"),
    ];
    run("openssl", &[&issue[..], &files].concat(), b"");
    let ran = desk.hpcr(&["certificate", "check", "leaf.crt", "--root", "root.crt"]);
    assert!(
        ran.status == 0 && ran.out.contains("leaf.crt: good for "),
        "{ran:?}"
    );
    let warned = desk.hpcr(&[
        "certificate",
        "check",
        "leaf.crt",
        "--ca",
        "root.crt",
        "--expires-within",
        "60",
    ]);
    assert!(
        warned.status == 0 && warned.out.contains("warning[HPL12101E]"),
        "{warned:?}"
    );
    for arguments in [
        &["--root", "image.crt"][..],
        &["--root", "root.crt", "--at", "2099-01-01T00:00:00Z"],
    ] {
        let ran = desk.hpcr(&[&["certificate", "check", "leaf.crt"], arguments].concat());
        assert!(
            ran.status == 1 && ran.out.contains("error[HPL12101E]"),
            "{arguments:?}: {ran:?}"
        );
        let told = |format| {
            let check = ["certificate", "check", "leaf.crt", "--format", format];
            desk.hpcr(&[&check[..], arguments].concat())
        };
        let github = told("github").out;
        assert!(
            github.starts_with("::error file=leaf.crt,title=HPL12101E::CN=leaf: "),
            "{github}"
        );
        let location = &told("sarif").json()["runs"][0]["results"][0]["locations"][0];
        assert_eq!(
            location["physicalLocation"]["artifactLocation"]["uri"],
            "leaf.crt"
        );
        assert_eq!(
            location["logicalLocations"][0]["fullyQualifiedName"],
            "CN=leaf"
        );
        for line in ran.out.lines().filter(|line| line.starts_with("wrong ")) {
            let is_claim = line.contains("is valid now") || line.contains("is given");
            assert!(!is_claim, "{line}");
        }
    }
    assert_eq!(
        desk.hpcr(&["certificate", "check", "image.key", "--root", "root.crt"])
            .status,
        2
    );
}
