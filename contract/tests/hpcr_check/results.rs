//! Where results go: files, standard output, links and pipes.

use std::fs;

use crate::desk::Desk;

#[test]
fn standard_output_that_is_named_for_a_migration_takes_the_contract_and_standard_error_the_report()
{
    let desk = Desk::new();
    desk.write("old.yaml", desk.clear());
    let moved = ["migrate", "old.yaml", "--out", "-"];
    for (more, said) in [
        (
            &[][..],
            "old.yaml: it runs; the new contract is written, in the clear",
        ),
        (&["--format", "json"], "\"valid\": true"),
    ] {
        let ran = desk.hpcr_secretly(&[&moved[..], more].concat(), b"");
        assert!(
            ran.status == 0 && ran.err.contains(said) && ran.err.contains("the same passphrase"),
            "{ran:?}"
        );
        let checked = desk.hpcr_with(&["-"], ran.out.as_bytes());
        assert!(checked.status == 0, "{checked:?}");
    }
    let sealed = desk.hpcr(&[&moved[..], &["--cert", "image.crt"]].concat());
    assert_eq!(sealed.status, 0, "{sealed:?}");
    assert_eq!(sealed.out.matches("hyper-protect-basic.").count(), 2);
}

#[test]
fn the_halves_of_a_key_go_to_two_files_and_a_passphrase_is_not_empty() {
    let desk = Desk::new();
    desk.write("empty", "\nsecond line\n");
    for arguments in [
        &["--out", "k", "--public", "k"][..],
        &["--out", "k", "--public", "./k"],
        &["--out", "k", "--public", "k", "--age"],
        &["--out", "k", "--passphrase-file", "empty"],
    ] {
        let ran = desk.hpcr(&[&["keygen"], arguments].concat());
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{ran:?}");
        assert!(!desk.path("k").exists(), "{arguments:?}");
    }
    let ran = desk.hpcr(&["keygen", "--age", "--out", "k", "--public", "k.pub"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let ran = desk.hpcr_secretly(
        &["keygen", "--age", "--out", "nowhere/k", "--public", "p"],
        b"",
    );
    assert!(
        ran.status == 2
            && ran.err.contains("nowhere/k cannot be written")
            && !ran.err.contains(".tmp"),
        "{ran:?}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn only_regular_files_are_replaced_and_all_else_is_written_through() {
    use std::os::unix::fs::symlink;

    let desk = Desk::new();
    let explain = |to: &str| desk.hpcr(&["explain", "HPL08001E", "--out", to]);
    // A link into the descriptors of a process leads to whatever its output is: here a pipe.
    for (link, target) in [("own", "/proc/self/fd/1"), ("device", "/dev/null")] {
        symlink(target, desk.path(link)).unwrap();
        let ran = explain(link);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{ran:?}");
        assert_eq!(ran.out.contains("HPL08001E"), link == "own");
        assert_eq!(
            fs::read_link(desk.path(link)).unwrap().to_str(),
            Some(target)
        );
    }
    desk.write("file", "old");
    symlink("file", desk.path("link")).unwrap();
    symlink("later", desk.path("dangling")).unwrap();
    for (link, file) in [("link", "file"), ("dangling", "later")] {
        assert_eq!(explain(link).status, 0);
        assert!(desk.path(link).is_symlink(), "{link}");
        assert!(desk.read(file).starts_with(b"HPL08001E"), "{file}");
    }
}
