//! Wrong use, files that cannot be read or written, hostile names, standard input and a reader that goes away.

use std::fs;
use std::process::{Command, Stdio};

use crate::desk::Desk;

#[test]
fn wrong_use_and_unreadable_files_end_with_two_and_say_nothing_on_standard_output() {
    let desk = Desk::new();
    desk.write("contract.yaml", desk.clear());
    fs::create_dir(desk.path("folder")).unwrap();
    for arguments in [
        &[][..],
        &["contract.yaml", "--unknown"],
        &["contract.yaml", "--at", "yesterday"],
        &["contract.yaml", "--platform", "other"],
        &["contract.yaml", "--section", "other"],
        &["contract.yaml", "--format", "other"],
        &["contract.yaml", "--key", "nowhere.pem"],
        &["contract.yaml", "--key", "image.crt"],
        &["contract.yaml", "contract.yaml"],
        &["another-file.yaml"],
        &["folder"],
        &["undo", "contract.yaml"],
        &["encrypt", "contract.yaml"],
        &[
            "encrypt",
            "--cert",
            "image.crt",
            "--recipient",
            "age1x",
            "contract.yaml",
        ],
        &["encrypt", "--recipient", "age1x", "contract.yaml"],
        &["encrypt", "--cert", "image.key", "contract.yaml"],
        &[
            "encrypt",
            "--cert",
            "image.crt",
            "--sign-key",
            "signer.key",
            "contract.yaml",
        ],
        &["decrypt", "contract.yaml"],
        &["sign", "contract.yaml"],
        &["sign", "--key", "nowhere", "contract.yaml"],
        &["attestation", "verify", "contract.yaml"],
        &["attestation"],
        &["certificate", "check"],
        &["network", "nowhere"],
        &["completions", "cobol"],
        &["contract.yaml", "--out", "nowhere/report"],
        &["diff", "-", "-"],
        &["--key", "-", "-"],
        &["verify", "-", "--key=-"],
        &["initdata"],
        &["initdata", "encode", "nowhere"],
        &[
            "sealed-secret",
            "seal",
            "--cert",
            "image.crt",
            "contract.yaml",
        ],
    ] {
        let ran = desk.hpcr(arguments);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (2, ""),
            "{arguments:?}: {ran:?}"
        );
        assert!(
            !ran.err.is_empty() && !ran.err.contains("panicked"),
            "{arguments:?}: {ran:?}"
        );
    }
}

#[test]
fn standard_input_is_read_for_a_dash() {
    let desk = Desk::new();
    let contract = desk.clear();
    for arguments in [&["-"][..], &["validate", "-"], &["--strict", "-"]] {
        let ran = desk.hpcr_with(arguments, contract.as_bytes());
        let verdict = "\nstandard input: valid, and not signed; 2 notes\n";
        assert!(ran.status == 0 && ran.out.ends_with(verdict), "{ran:?}");
    }
    let token = desk
        .hpcr_with(&["encrypt", "--cert", "image.crt", "-", "--out", "-"], b"a")
        .out;
    assert_eq!(
        desk.hpcr_with(&["decrypt", "--key", "image.key", "-"], token.as_bytes())
            .out,
        "a"
    );
}

#[test]
fn a_key_is_read_from_standard_input_where_nothing_else_is() {
    let desk = Desk::new();
    desk.write("contract.yaml", desk.sealed_and_signed());
    let (image, signer) = (desk.read("image.key"), desk.read("signer.key"));
    for (arguments, key) in [
        (&["contract.yaml", "--key", "-"][..], &image),
        (&["inspect", "contract.yaml", "--key=-"], &image),
        (&["plan", "contract.yaml", "--key", "-"], &image),
        (&["verify", "contract.yaml", "--key", "-"], &image),
        (&["verify", "contract.yaml", "--key", "-"], &signer),
        (&["sign", "contract.yaml", "--key", "-"], &signer),
    ] {
        let ran = desk.hpcr_with(arguments, key);
        assert_eq!(ran.status, 0, "{arguments:?}: {ran:?}");
    }
    let both = desk.hpcr_with(&["validate", "-", "--key", "-"], &image);
    assert!(
        both.status == 2 && both.err.contains("standard input is named twice"),
        "{both:?}"
    );
}

#[test]
fn what_is_no_contract_is_told_as_such() {
    let desk = Desk::new();
    for (bytes, cause) in [
        (&b"\xff\xfe"[..], "not UTF-8"),
        (b"", "not a mapping"),
        (b"- a", "mapping"),
        (b"a: [", "error[HPL11001E]"),
        (b"type: env\n", "check it with --section"),
    ] {
        let ran = desk.hpcr_with(&["-"], bytes);
        assert!(
            ran.status == 1 && ran.out.contains(cause),
            "{cause}: {ran:?}"
        );
    }
    let ran = desk.hpcr_with(&["sign", "--key", "signer.key", "-"], b"\xff");
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    let ran = desk.hpcr_with(&["decrypt", "--key", "image.key", "-"], b"env: a\n");
    assert!(
        ran.status == 1 && ran.out.is_empty() && ran.err.contains("add --contract"),
        "{ran:?}"
    );
}

#[test]
fn no_name_of_a_contract_moves_the_cursor_of_the_terminal() {
    let desk = Desk::new();
    let contract = format!("{}\"a\\e[2J\\nb\\u202e\": 1\n", desk.clear());
    for format in ["text", "json", "sarif", "github"] {
        let ran = desk.validate(&contract, &["--format", format]);
        assert_eq!(ran.status, 0);
        assert!(
            ran.out.contains("HPL05100W") && !ran.all().contains('\u{1b}'),
            "{format}: {ran:?}"
        );
        assert!(
            format != "github" || ran.out.lines().count() == 3,
            "{ran:?}"
        );
    }
    desk.write("c.yaml", &contract);
    let ran = desk.hpcr(&["diff", "c.yaml", "contract.yaml"]);
    assert!(!ran.all().contains('\u{1b}'), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_hostile_file_name_moves_no_cursor_either() {
    let desk = Desk::new();
    let name = "x\u{1b}[2J::error::\n.yaml";
    desk.write(name, "a: 1");
    for format in ["text", "sarif", "github"] {
        let ran = desk.hpcr(&["validate", "--format", format, name]);
        assert!(
            ran.status == 1 && !ran.all().contains('\u{1b}'),
            "{format}: {ran:?}"
        );
        assert!(!ran.out.contains("\n::error::"), "{format}: {ran:?}");
    }
}

#[test]
fn a_result_replaces_its_file_whole_and_an_error_leaves_it_alone() {
    let desk = Desk::new();
    desk.write("text", "a");
    desk.write("result", "old");
    assert_eq!(
        desk.hpcr(&["encrypt", "--cert", "nowhere", "text", "--out", "result"])
            .status,
        2
    );
    assert_eq!(desk.read("result"), b"old");
    assert_eq!(
        desk.hpcr(&["encrypt", "--cert", "image.crt", "text", "--out", "result"])
            .status,
        0
    );
    assert!(desk.read("result").starts_with(b"hyper-protect-basic."));
    let left: Vec<_> = fs::read_dir(desk.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().starts_with(".tmp")),
        "{left:?}"
    );
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let desk = Desk::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hpcr-check"))
        .args(["schema"])
        .current_dir(desk.folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}
