//! `tgz`: the archive is what the guest takes, and the same everywhere.

use std::fs;

use crate::desk::{DIGEST, Desk, run};

#[test]
fn a_folder_becomes_a_reproducible_archive_that_tar_and_the_guest_read() {
    let mut desk = Desk::new();
    for folder in ["one", "other"] {
        fs::create_dir_all(desk.path(folder).join("conf")).unwrap();
        // In another order, at another time.
        let names = ["docker-compose.yaml", "conf/b", "conf/a"];
        let compose = format!(
            "services:\n  web:\n    image: registry.example/web@{DIGEST}\n    volumes: [\"./conf/a:/a\"]\n"
        );
        for name in if folder == "one" {
            names
        } else {
            [names[2], names[1], names[0]]
        } {
            let content = if name.starts_with("conf") {
                name
            } else {
                &compose
            };
            fs::write(desk.path(folder).join(name), content).unwrap();
        }
    }
    let (one, other) = (desk.hpcr(&["tgz", "one"]), desk.hpcr(&["tgz", "other/"]));
    assert_eq!((one.status, one.err.as_str()), (0, ""));
    assert_eq!(one.out, other.out);
    let tar = run(
        "openssl",
        &["base64", "-d", "-A"],
        one.out.trim().as_bytes(),
    );
    desk.write("archive.tgz", tar);
    let list = run(
        "tar",
        &["-tvzf", desk.path("archive.tgz").to_str().unwrap(), "--utc"],
        b"",
    );
    let list = String::from_utf8(list).unwrap();
    assert_eq!(list.lines().count(), 4, "{list}");
    assert!(
        list.lines()
            .all(|line| line.contains(" 0/0 ") && line.contains("1970-01-01 00:00")),
        "{list}"
    );
    let archive = desk
        .workload
        .lines()
        .find(|line| line.starts_with("  archive:"))
        .unwrap()
        .to_owned();
    desk.workload = desk
        .workload
        .replace(&archive, &format!("  archive: {}", one.out.trim()));
    assert_eq!(desk.validate(&desk.clear(), &[]).status, 0);
}

#[test]
fn what_the_guest_would_refuse_is_refused() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("bad")).unwrap();
    fs::write(desk.path("bad").join("notes"), "a").unwrap();
    let ran = desk.hpcr(&["tgz", "bad"]);
    assert!(
        ran.status == 0 && ran.err.contains("no YAML file"),
        "{ran:?}"
    );
    fs::write(desk.path("bad").join("zeros"), vec![0; 8 << 20]).unwrap();
    let ran = desk.hpcr(&["tgz", "bad"]);
    assert!(
        ran.status == 1 && ran.out.is_empty() && ran.err.contains("error[HPL06006E]"),
        "{ran:?}"
    );
    #[cfg(unix)]
    {
        fs::remove_file(desk.path("bad").join("zeros")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", desk.path("bad").join("link")).unwrap();
        let ran = desk.hpcr(&["tgz", "bad"]);
        assert!(
            ran.status == 1
                && ran.out.is_empty()
                && ran.err.contains("neither a folder nor a regular file"),
            "{ran:?}"
        );
    }
    assert_eq!(desk.hpcr(&["tgz", "nowhere"]).status, 2);
    let own = desk.hpcr(&["tgz", "bad", "--out", "./bad/archive"]);
    assert!(
        own.status == 2 && !desk.path("bad/archive").exists(),
        "{own:?}"
    );
    assert_eq!(desk.hpcr(&["tgz", "image.crt"]).status, 2);
}

#[test]
fn a_file_is_bounded_as_the_archive_is() {
    let desk = Desk::new();
    fs::create_dir(desk.path("data")).unwrap();
    // Text that packs to a fifth: within all bounds but those of a contract.
    let line = |number: u32| {
        format!(
            "{:08x}{}\n",
            number.wrapping_mul(2_654_435_761),
            "-".repeat(31)
        )
    };
    let text: String = (0..(34 << 20) / 40).map(line).collect();
    fs::write(desk.path("data/text"), &text).unwrap();
    let ran = desk.hpcr_secretly(&["tgz", "data", "--out", "archive"], b"");
    assert_eq!(ran.status, 0, "{ran:?}");
    fs::write(desk.path("data/text"), text.repeat(2)).unwrap();
    let ran = desk.hpcr(&["tgz", "data"]);
    assert!(
        ran.status == 1 && ran.err.contains("MiB unpacked"),
        "{ran:?}"
    );
}
