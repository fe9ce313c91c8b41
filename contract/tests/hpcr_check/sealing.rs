//! `encrypt`, `decrypt` and `keygen`, with openssl on the other side.

use crate::desk::{Desk, run};

#[test]
fn what_is_encrypted_openssl_decrypts_byte_for_byte() {
    let desk = Desk::new();
    for (prefix, text) in [
        (None, "type: env\n"),
        (Some("contract-basic"), "\u{e9}\r\n\n trailing \n\n"),
        (Some("hyper-protect-basic"), ""),
    ] {
        desk.write("text", text);
        let chosen = prefix.map_or_else(Vec::new, |prefix| vec!["--prefix", prefix]);
        let ran = desk.hpcr(&[&["encrypt", "--cert", "image.crt", "text"], &chosen[..]].concat());
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        assert!(
            ran.out.starts_with(prefix.unwrap_or("hyper-protect-basic")) && ran.out.ends_with('\n'),
            "{ran:?}"
        );
        assert_eq!(desk.unseal(&ran.out), text.as_bytes());
    }
}

#[test]
fn what_openssl_encrypts_is_decrypted_to_standard_output_or_a_private_file() {
    let desk = Desk::new();
    desk.write("token", desk.seal("hunter2\n", "contract-basic"));
    let ran = desk.hpcr_secretly(&["decrypt", "--key", "image.key", "token"], b"");
    assert_eq!(
        (ran.status, ran.out.as_str(), ran.err.as_str()),
        (0, "hunter2\n", "")
    );
    let filed = desk.hpcr(&["decrypt", "--key", "image.key", "token", "--out", "clear"]);
    assert_eq!((filed.status, filed.all().as_str()), (0, ""));
    assert_eq!(desk.read("clear"), b"hunter2\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(desk.path("clear"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_token_that_does_not_open_is_bad_and_a_key_that_is_none_is_wrong_use() {
    let desk = Desk::new();
    desk.write("token", desk.seal("hunter2\n", "contract-basic"));
    desk.write("broken", "contract-basic.AAAA");
    for (arguments, status, code) in [
        (
            ["decrypt", "--key", "signer.key", "token"],
            1,
            "error[HPL11001E]",
        ),
        (
            ["decrypt", "--key", "image.key", "broken"],
            1,
            "error[HPL11001E]",
        ),
        (
            ["decrypt", "--key", "image.crt", "token"],
            2,
            "image.crt: the private key cannot be used",
        ),
    ] {
        let ran = desk.hpcr(&arguments);
        assert_eq!((ran.status, ran.out.as_str()), (status, ""), "{ran:?}");
        assert!(ran.err.contains(code), "{ran:?}");
    }
}

#[test]
fn an_encrypted_key_takes_its_passphrase_from_a_file_and_nobody_is_asked() {
    let desk = Desk::new();
    let (key, locked) = (desk.path("image.key"), desk.path("locked.key"));
    let encrypt = [
        "pkcs8",
        "-topk8",
        "-v2",
        "aes-256-cbc",
        "-passout",
        "pass:open sesame",
        "-in",
        key.to_str().unwrap(),
    ];
    run(
        "openssl",
        &[&encrypt[..], &["-out", locked.to_str().unwrap()]].concat(),
        b"",
    );
    desk.write("token", desk.seal("a", "contract-basic"));
    desk.write("passphrase", "open sesame\r\nand a second line\n");
    desk.write("wrong", "close sesame\n");
    let decrypt = ["decrypt", "--key", "locked.key", "token"];
    let with = |file: &'static str| [&decrypt[..], &["--passphrase-file", file]].concat();
    assert_eq!(desk.hpcr(&with("passphrase")).out, "a");
    assert_eq!(desk.hpcr(&with("wrong")).status, 2);
    let ran = desk.hpcr(&decrypt);
    assert!(
        ran.status == 2 && ran.err.contains("--passphrase-file"),
        "{ran:?}"
    );
}

#[test]
fn a_whole_contract_is_sealed_signed_and_found_valid() {
    let desk = Desk::new();
    desk.write("contract.yaml", desk.clear());
    let seal = [
        "encrypt",
        "--contract",
        "--cert",
        "image.crt",
        "--sign-key",
        "signer.key",
        "contract.yaml",
        "--out",
        "sealed.yaml",
    ];
    let ran = desk.hpcr(&seal);
    assert_eq!((ran.status, ran.all().as_str()), (0, ""), "{ran:?}");
    let sealed = String::from_utf8(desk.read("sealed.yaml")).unwrap();
    assert_eq!(sealed.matches("hyper-protect-basic.").count(), 2);
    let ran = desk.hpcr(&["sealed.yaml", "--key", "image.key"]);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (0, "sealed.yaml: valid, and signed\n")
    );
    let opened = desk.hpcr_secretly(
        &["decrypt", "--contract", "--key", "image.key", "sealed.yaml"],
        b"",
    );
    assert!(opened.out.contains("workload-seed-0001") && !opened.out.contains("envWorkload"));
    desk.write("opened.yaml", &opened.out);
    let ran = desk.hpcr(&["diff", "opened.yaml", "contract.yaml"]);
    assert_eq!(ran.out, "- env.signingKey: <hidden>\n", "{ran:?}");
    desk.write(
        "mapping.yaml",
        format!(
            "workload: {sealed_workload}\nenv: {{type: env}}\n",
            sealed_workload = "contract-basic.a.b"
        ),
    );
    let ran = desk.hpcr(&[
        "encrypt",
        "--contract",
        "--cert",
        "image.crt",
        "mapping.yaml",
    ]);
    assert!(
        ran.out.contains("workload: contract-basic.a.b\n"),
        "what is sealed stays as it is: {ran:?}"
    );
}

#[test]
fn a_contract_that_is_signed_with_a_certificate_ends_with_it() {
    let desk = Desk::new();
    desk.write("contract.yaml", desk.clear());
    let seal = [
        "encrypt",
        "--contract",
        "--cert",
        "image.crt",
        "contract.yaml",
        "--sign-key",
        "signer.key",
    ];
    let with = |certificate: &'static str| {
        [
            &seal[..],
            &["--sign-cert", certificate, "--out", "sealed.yaml"],
        ]
        .concat()
    };
    assert_eq!(
        desk.hpcr(&with("image.crt")).status,
        2,
        "a certificate of another key"
    );
    let ran = desk.hpcr(&[&with("signer.crt")[..], &["--at", "2099-01-01T00:00:00Z"]].concat());
    assert!(ran.status == 1 && ran.err.contains("has ended"), "{ran:?}");
    assert_eq!(desk.hpcr(&with("signer.crt")).status, 0);
    let late = ["verify", "sealed.yaml", "--key", "image.key", "--at"];
    let late = desk.hpcr(&[&late[..], &["2099-01-01T00:00:00Z"]].concat());
    assert!(
        late.status == 0 && late.out.contains("has ended"),
        "{late:?}"
    );
    let check = |at: &str| desk.hpcr(&["sealed.yaml", "--key", "image.key", "--at", at]);
    let ran = check("2099-01-01T00:00:00Z");
    assert!(
        ran.status == 1 && ran.out.contains("error[HPL12007E]"),
        "{ran:?}"
    );
}

#[test]
fn an_age_recipient_gets_a_file_that_its_key_opens() {
    let desk = Desk::new();
    let ran = desk.hpcr_secretly(
        &["keygen", "--age", "--public", "age.pub", "--out", "age.key"],
        b"",
    );
    assert_eq!(ran.status, 0, "{ran:?}");
    let recipient = String::from_utf8(desk.read("age.pub")).unwrap();
    desk.write("text", "hunter2");
    let sealed = desk.hpcr(&["encrypt", "--recipient", recipient.trim(), "text"]);
    assert!(
        sealed.status == 0 && sealed.out.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"),
        "{sealed:?}"
    );
    desk.write("sealed", &sealed.out);
    assert_eq!(
        desk.hpcr_secretly(&["decrypt", "--key", "age.key", "sealed"], b"")
            .out,
        "hunter2"
    );

    desk.write("clear.yaml", desk.clear());
    let contract = [
        "encrypt",
        "--contract",
        "--recipient",
        recipient.trim(),
        "--sign-key",
        "signer.key",
        "clear.yaml",
        "--out",
        "sealed.yaml",
    ];
    assert_eq!(desk.hpcr(&contract).status, 0);
    for command in ["validate", "verify"] {
        let ran = desk.hpcr(&[command, "sealed.yaml", "--key", "age.key"]);
        assert_eq!(ran.status, 0, "{command}: {ran:?}");
    }
}

#[test]
fn the_two_halves_of_a_key_do_not_both_go_to_standard_output() {
    let desk = Desk::new();
    let ran = desk.hpcr(&["keygen", "--age", "--public", "-"]);
    assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{ran:?}");
    assert!(!desk.path("-").exists());
}

#[test]
fn a_signature_is_left_out_with_a_warning_where_sealing_breaks_it_and_stays_where_not() {
    let desk = Desk::new();
    desk.write("contract.yaml", desk.clear());
    let sign = ["sign", "--key", "signer.key", "contract.yaml", "--out"];
    let ran = desk.hpcr(&[&sign[..], &["signed.yaml"]].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    let seal = ["encrypt", "--contract", "--cert", "image.crt"];
    let ran = desk.hpcr(&[&seal[..], &["signed.yaml"]].concat());
    assert!(
        ran.status == 0 && ran.err.contains("signature is left out"),
        "{ran:?}"
    );
    assert!(!ran.out.contains("envWorkloadSignature"));
    let sealed = desk.sealed_and_signed();
    desk.write("sealed.yaml", &sealed);
    let ran = desk.hpcr(&[&seal[..], &["sealed.yaml"]].concat());
    assert!(ran.status == 0 && ran.err.is_empty(), "{ran:?}");
    let ran = desk.validate(&ran.out, &["--key", "image.key"]);
    assert_eq!(ran.status, 0, "{ran:?}");
}

#[test]
fn a_certificate_that_has_ended_seals_nothing() {
    let desk = Desk::new();
    desk.write("text", "a");
    let pem = desk.read("image.crt");
    desk.write(
        "image.der",
        run("openssl", &["x509", "-outform", "DER"], &pem),
    );
    let seal = ["encrypt", "--cert", "image.der", "text"];
    assert_eq!(desk.hpcr(&seal).status, 0, "a certificate in DER");
    let ran = desk.hpcr(&[&seal[..], &["--at", "2099-01-01T00:00:00Z"]].concat());
    assert!(
        ran.status == 1
            && ran.out.is_empty()
            && ran
                .err
                .contains("error[HPL12101E]: the encryption certificate has ended, at 20")
            && ran.err.ends_with("image.der: not valid: 1 error\n"),
        "{ran:?}"
    );
}

#[test]
fn a_key_of_the_other_kind_and_no_key_are_wrong_use_and_say_so() {
    let desk = Desk::new();
    let age = desk.hpcr(&["keygen", "--age", "--public", "age.pub", "--out", "age.key"]);
    assert_eq!(age.status, 0);
    let recipient = String::from_utf8(desk.read("age.pub")).unwrap();
    desk.write("env.yaml", &desk.env);
    for (to, how) in [("--cert", "image.crt"), ("--recipient", recipient.trim())] {
        let sealed = desk.hpcr(&["encrypt", to, how, "env.yaml"]);
        desk.write(to, sealed.out);
    }
    desk.write("sealed.yaml", desk.sealed_and_signed());
    let token = "sealed as a token, and the key is one for age files";
    let none = "it is sealed; give the private key";
    for (arguments, cause) in [
        (
            &["decrypt", "--key", "image.key", "./--recipient"][..],
            "sealed as an age file, and the key is one for tokens",
        ),
        (&["decrypt", "--key", "age.key", "./--cert"], token),
        (
            &["decrypt", "--contract", "--key", "age.key", "sealed.yaml"],
            token,
        ),
        (&["verify", "--key", "age.key", "sealed.yaml"], token),
        (&["verify", "sealed.yaml"], none),
        (&["--section", "env", "./--cert"], none),
        (&["--section", "env", "--key", "age.key", "./--cert"], token),
    ] {
        let ran = desk.hpcr(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{ran:?}");
        assert!(
            ran.err.contains(cause) && !ran.err.contains("invalid"),
            "{ran:?}"
        );
    }
    assert_eq!(desk.hpcr(&["sealed.yaml"]).status, 0);
}

#[test]
fn a_key_pair_is_one_that_openssl_reads() {
    let desk = Desk::new();
    desk.write("passphrase", "open sesame\n");
    let ran = desk.hpcr(&[
        "keygen",
        "--bits",
        "2048",
        "--passphrase-file",
        "passphrase",
        "--public",
        "a.pub",
        "--out",
        "a.key",
    ]);
    assert_eq!((ran.status, ran.all().as_str()), (0, ""));
    let key = desk.path("a.key");
    let public = run(
        "openssl",
        &[
            "pkey",
            "-in",
            key.to_str().unwrap(),
            "-passin",
            "pass:open sesame",
            "-pubout",
        ],
        b"",
    );
    assert_eq!(public, desk.read("a.pub"));
    assert_eq!(desk.hpcr(&["keygen", "--bits", "1024"]).status, 2);
}
