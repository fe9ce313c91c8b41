//! `initdata` and `sealed-secret`, with openssl and gzip on the other side.

use crate::desk::{Desk, base64, run};

#[test]
fn initdata_is_what_gzip_reads_and_gives_the_contract_back() {
    let desk = Desk::new();
    let contract = desk.sealed_and_signed();
    desk.write("contract.yaml", &contract);
    desk.write("header.bin", b"IBMSecEx\x00\x01header");
    desk.write("header.txt", base64(b"IBMSecEx\x00\x01header") + "\n");
    let encode = |arguments: &[&str]| {
        let ran = desk.hpcr(&[&["initdata", "encode", "contract.yaml"], arguments].concat());
        assert_eq!(ran.status, 0, "{ran:?}");
        ran.out
    };
    let annotation = encode(&[]);
    let packed = run(
        "openssl",
        &["base64", "-d", "-A"],
        annotation.trim().as_bytes(),
    );
    let document = run("gzip", &["-dc"], &packed);
    assert_eq!(
        String::from_utf8(document.clone()).unwrap(),
        encode(&["--print", "document"])
    );
    let digest = run("openssl", &["dgst", "-sha384", "-r"], &document);
    assert_eq!(
        encode(&["--print", "digest"]).trim(),
        &String::from_utf8(digest).unwrap()[..96]
    );
    for header in ["header.bin", "header.txt"] {
        let document = encode(&["--se-header", header, "--print", "document"]);
        let end = "\nboot: |\n    sehdr: SUJNU2VjRXgAAWhlYWRlcg=='''\n";
        assert!(document.ends_with(end), "{document}");
    }
    desk.write("annotation", encode(&["--se-header", "header.bin"]));
    let back = desk.hpcr(&["initdata", "decode", "annotation"]);
    assert_eq!((back.status, back.out), (0, contract));
    desk.write("contract.yaml", "a: '''\n");
    for command in ["encode", "decode"] {
        let ran = desk.hpcr(&["initdata", command, "contract.yaml"]);
        assert!(
            ran.status == 1 && ran.out.is_empty() && ran.err.contains("HPL11001E"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_sealed_secret_opens_for_its_section_and_from_its_signer_alone() {
    let desk = Desk::new();
    let seal = [
        "sealed-secret",
        "seal",
        "--section",
        "env",
        "--cert",
        "image.crt",
        "--sign-key",
        "signer.key",
        "-",
    ];
    let ran = desk.hpcr_with(&seal, b"hunter2\n");
    assert!(ran.status == 0 && ran.out.starts_with("sealed."), "{ran:?}");
    desk.write("secret", &ran.out);
    let open = |section: &str, key: &str, signer: &str| {
        let arguments = [
            "sealed-secret",
            "open",
            "--section",
            section,
            "--key",
            key,
            "--signer",
            signer,
            "secret",
        ];
        desk.hpcr_secretly(&arguments, b"")
    };
    let opened = open("env", "image.key", "signer.crt");
    assert_eq!((opened.status, opened.out.as_str()), (0, "hunter2\n"));
    for (section, key, signer) in [
        ("workload", "image.key", "signer.crt"),
        ("env", "signer.key", "signer.crt"),
        ("env", "image.key", "image.crt"),
    ] {
        let ran = open(section, key, signer);
        assert!(
            ran.status == 1 && ran.out.is_empty(),
            "{section} {key} {signer}: {ran:?}"
        );
    }
}
