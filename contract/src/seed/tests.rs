//! The image, as the tools that people have read it.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::Command;

use super::*;

const LONG: [u8; 5000] = [b'u'; 5000];

fn whole() -> Seed<'static> {
    Seed {
        user_data: &LONG,
        meta_data: Some(b"local-hostname: x\n"),
        vendor_data: Some(b""),
        network_config: Some(b"version: 2\n"),
    }
}

#[test]
fn the_same_files_make_the_same_image_and_a_byte_more_another_one() {
    let image = whole().to_iso().unwrap();
    assert_eq!(*image, *whole().to_iso().unwrap());
    assert_eq!(&image[32_768..32_774], b"\x01CD001");
    assert_eq!(&image[32_808..32_816], b"cidata  ");
    assert_eq!(image.len() % 2048, 0);
    let other = Seed {
        vendor_data: Some(b"x"),
        ..whole()
    };
    assert_ne!(*image, *other.to_iso().unwrap());
}

#[test]
fn a_guest_has_a_name_where_nobody_gives_it_one() {
    let seed = Seed {
        user_data: b"env: x\n",
        ..Seed::default()
    };
    let image = seed.to_iso().unwrap();
    assert!(image.windows(21).any(|part| part == DEFAULT_META_DATA));
    assert!(!image.windows(14).any(|part| part == b"network-config"));
}

#[test]
fn what_no_guest_reads_is_refused_with_its_size() {
    // All sectors but those of the image's own description and the default meta-data.
    let most = MAX_IMAGE - 26 * 2048;
    let seed = |length| vec![b'x'; length];
    let (largest, larger) = (seed(most), seed(most + 1));
    let iso = |user_data| {
        Seed {
            user_data,
            ..Seed::default()
        }
        .to_iso()
    };
    assert_eq!(iso(&largest).unwrap().len(), MAX_IMAGE);
    assert!(matches!(iso(&larger), Err(ContractError::SeedSize(_))));
}

/// With Rock Ridge, with Joliet, and with the plain names of old.
#[test]
fn xorriso_and_isoinfo_find_every_file_as_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let iso = folder.path().join("seed.iso");
    fs::write(&iso, &*whole().to_iso().unwrap()).unwrap();
    let files: [(&str, &[u8]); 4] = [
        ("user-data", &LONG),
        ("meta-data", b"local-hostname: x\n"),
        ("vendor-data", b""),
        ("network-config", b"version: 2\n"),
    ];
    let mut judged = 0;
    for (index, names) in [&[][..], &["-read_fs", "norock"][..]]
        .into_iter()
        .enumerate()
    {
        let out = folder.path().join(format!("out{index}"));
        let mut command = Command::new("xorriso");
        command
            .args(names)
            .args(["-osirrox", "on", "-indev"])
            .arg(&iso)
            .args(["-extract", "/"])
            .arg(&out);
        let Ok(output) = command.output() else {
            eprintln!("skipped: no xorriso; make setup brings it");
            break;
        };
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !said.contains("WARNING") && !said.contains("SORRY"),
            "{said}"
        );
        for (name, content) in files {
            assert_eq!(fs::read(out.join(name)).unwrap(), content, "{name}");
        }
        judged += 1;
    }
    for (names, user_data) in [
        (&["-R"][..], "/user-data"),
        (&["-J"], "/user-data"),
        (&[], "/USER_DAT.;1"),
    ] {
        let mut command = Command::new("isoinfo");
        command.args(names).args(["-x", user_data, "-i"]).arg(&iso);
        let Ok(output) = command.output() else {
            eprintln!("skipped: no isoinfo (genisoimage)");
            break;
        };
        assert_eq!(output.stdout, LONG, "{user_data}");
        judged += 1;
    }
    eprintln!("{judged} ways of reading were judged");
}
