//! `sign` and `verify`, with openssl on the other side.

use crate::desk::{Desk, run};

/// The scalar of a top-level key that stands on one line.
fn scalar<'t>(contract: &'t str, key: &str) -> &'t str {
    contract
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
        .unwrap()
}

#[test]
fn what_is_signed_openssl_verifies() {
    let desk = Desk::new();
    let (workload, env) = (
        desk.seal(&desk.workload, "contract-basic"),
        desk.seal(&desk.env, "contract-basic"),
    );
    desk.write(
        "contract.yaml",
        format!("workload: {workload}\nenv: {env}\n"),
    );
    let ran = desk.hpcr(&["sign", "--key", "signer.key", "contract.yaml"]);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""));
    // RSASSA-PKCS1-v1_5 has one signature for one text.
    assert_eq!(
        scalar(&ran.out, "envWorkloadSignature"),
        desk.signature(&[workload, env].concat())
    );
    let keys: Vec<&str> = ran
        .out
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        keys,
        ["env", "envWorkloadSignature", "workload"],
        "as the published tools write it"
    );
    desk.write("signed.yaml", &ran.out);
    assert_eq!(desk.hpcr(&["signed.yaml", "--key", "image.key"]).status, 0);
}

#[test]
fn what_openssl_signs_is_verified_by_whichever_key_is_at_hand() {
    let desk = Desk::new();
    desk.write("contract.yaml", desk.sealed_and_signed());
    let certificate = desk.path("signer.crt");
    let public = run(
        "openssl",
        &[
            "x509",
            "-in",
            certificate.to_str().unwrap(),
            "-pubkey",
            "-noout",
        ],
        b"",
    );
    desk.write("signer.pub", &public);
    let hash = {
        let der = run("openssl", &["pkey", "-pubin", "-outform", "DER"], &public);
        String::from_utf8(run("openssl", &["dgst", "-sha256", "-r"], &der)).unwrap()
    };
    for key in ["image.key", "signer.key", "signer.pub", "signer.crt"] {
        let ran = desk.hpcr(&["verify", "contract.yaml", "--key", key]);
        assert_eq!(ran.status, 0, "{key}: {ran:?}");
        assert!(ran.out.contains(&hash[..64]), "{key}: {ran:?}");
    }
    let ran = desk.hpcr(&["verify", "contract.yaml", "--key", "image.crt"]);
    assert!(
        ran.status == 1 && ran.out.contains("error[HPL12001E]"),
        "{ran:?}"
    );
    assert_eq!(
        desk.hpcr(&["verify", "contract.yaml"]).status,
        2,
        "the signing key is sealed"
    );
}

#[test]
fn a_changed_contract_and_one_without_a_signature_are_bad() {
    let desk = Desk::new();
    let contract = desk.sealed_and_signed();
    let unsigned: String = contract
        .lines()
        .take(2)
        .map(|line| line.to_owned() + "\n")
        .collect();
    let other = contract.replace(
        scalar(&contract, "workload"),
        &desk.seal(&desk.workload, "contract-basic"),
    );
    for (contract, cause) in [
        (unsigned, "no signature"),
        (other, "does not match"),
        ("env: x\n".to_owned(), "missing"),
    ] {
        desk.write("contract.yaml", contract);
        let ran = desk.hpcr(&["verify", "contract.yaml", "--key", "image.key"]);
        assert!(
            ran.status == 1 && ran.all().contains(cause),
            "{cause}: {ran:?}"
        );
    }
}

#[test]
fn sections_in_the_clear_are_signed_as_they_were_read_and_get_the_signing_key() {
    let desk = Desk::new();
    desk.write("contract.yaml", desk.clear());
    let ran = desk.hpcr_secretly(&["sign", "--key", "signer.key", "contract.yaml"], b"");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert!(ran.out.contains("signingKey: "), "{}", ran.out);
    desk.write("signed.yaml", &ran.out);
    // Signed, it looks ready to be sent, and both sections are in the clear.
    let checked = desk.hpcr(&["signed.yaml"]).out;
    assert!(
        checked.ends_with("signed.yaml: valid, and signed; 2 warnings\n"),
        "{checked}"
    );
    assert_eq!(desk.hpcr(&["verify", "signed.yaml"]).status, 0);
}

#[test]
fn sections_that_are_mappings_cannot_be_signed() {
    let desk = Desk::new();
    desk.write(
        "contract.yaml",
        "workload: {type: workload}\nenv: {type: env}\n",
    );
    let ran = desk.hpcr(&["sign", "--key", "signer.key", "contract.yaml"]);
    assert!(
        ran.status == 1 && ran.out.is_empty() && ran.err.contains("mapping"),
        "{ran:?}"
    );
}

/// The published vector: its output is known.
#[test]
fn the_published_contract_gets_the_published_signature() {
    let samples =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testdata.tar.gz");
    if !samples.exists() {
        println!("skipped: the published samples are not here");
        return;
    }
    let desk = Desk::new();
    run(
        "tar",
        &[
            "-xzf",
            samples.to_str().unwrap(),
            "-C",
            desk.folder.path().to_str().unwrap(),
        ],
        b"",
    );
    let ran = desk.hpcr(&[
        "sign",
        "--key",
        "testdata/encrypt/private.pem",
        "testdata/sign/contract.enc.yaml",
    ]);
    let digest = String::from_utf8(run(
        "openssl",
        &["dgst", "-sha256", "-r"],
        ran.out.as_bytes(),
    ))
    .unwrap();
    assert!(
        digest.starts_with("001e7c38bf6f34c80e0c1f7ca42ef420667f09687038bbe0233badda9cc210af"),
        "{digest}"
    );
    assert_eq!(
        desk.hpcr_secretly(
            &[
                "decrypt",
                "--key",
                "testdata/decrypt/private.key",
                "testdata/decrypt/encrypt.txt"
            ],
            b""
        )
        .out,
        "hello-world"
    );
}
