//! Real images by the tools that people use, a tiny one of our own for mutation, and hostile bytes.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use super::*;
use proptest::prelude::*;
use std::process::{Command, Stdio};

/// A minimal image without extensions: descriptor at 16, terminator at 17, root folder at 18, files after it.
pub(crate) fn image(label: &str, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut folder = Vec::new();
    let mut data = Vec::new();
    for (name, content) in files {
        let block = 19 + data.len() / SECTOR;
        folder.extend(record_bytes(
            block,
            content.len(),
            0,
            &format!("{}.;1", name.to_uppercase().replace('-', "_")),
        ));
        data.extend_from_slice(content);
        data.resize(data.len().next_multiple_of(SECTOR), 0);
    }
    folder.resize(SECTOR, 0);
    let mut primary = vec![0; SECTOR];
    primary[..7].copy_from_slice(b"\x01CD001\x01");
    primary[40..72].fill(b' ');
    primary[40..40 + label.len()].copy_from_slice(label.as_bytes());
    primary[128..130].copy_from_slice(&2048u16.to_le_bytes());
    primary[156..190].copy_from_slice(&record_bytes(18, SECTOR, IS_FOLDER, "\0"));
    let mut end = vec![0; SECTOR];
    end[..7].copy_from_slice(b"\xffCD001\x01");
    [vec![0; 16 * SECTOR], primary, end, folder, data].concat()
}

fn record_bytes(block: usize, length: usize, flags: u8, name: &str) -> Vec<u8> {
    let mut record = vec![0; 33];
    record[2..6].copy_from_slice(&(block as u32).to_le_bytes());
    record[10..14].copy_from_slice(&(length as u32).to_le_bytes());
    record[25] = flags;
    record[32] = name.len() as u8;
    record.extend(name.as_bytes());
    record.resize(record.len().next_multiple_of(2), 0);
    record[0] = record.len() as u8;
    record
}

#[test]
fn images_of_the_usual_tools_are_read_with_and_without_extensions() {
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, &[u8]); 4] = [
        ("user-data", &[b'u'; 5000]),
        ("meta-data", b"local-hostname: x\n"),
        ("vendor-data", b""),
        ("network-config", b"version: 2\n"),
    ];
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let tools: [(&str, &[&str]); 2] = [("xorriso", &["-as", "mkisofs"]), ("genisoimage", &[])];
    let forms: [&[&str]; 6] = [
        &["-J", "-R"],
        &["-J", "-r"],
        &["-J"],
        &["-R"],
        &[],
        &["-iso-level", "3"],
    ];
    let mut read = 0;
    for (tool, first) in tools {
        for form in forms {
            let out = folder.path().with_extension("iso");
            let mut command = Command::new(tool);
            command
                .args(first)
                .args(["-V", "cidata"])
                .args(form)
                .arg("-o")
                .arg(&out)
                .arg(folder.path());
            let Ok(status) = command.stdout(Stdio::null()).stderr(Stdio::null()).status() else {
                eprintln!("skipped: no {tool} on this machine");
                break;
            };
            assert!(status.success(), "{tool} {form:?}");
            let bytes = std::fs::read(&out).unwrap();
            let image = Image::parse(&bytes).unwrap();
            assert_eq!(image.volume_id(), "cidata", "{tool} {form:?}");
            for (name, content) in files {
                assert!(
                    image.file(name) == Ok(Some(content)),
                    "{tool} {form:?} {name}"
                );
            }
            assert_eq!(image.file("other-data"), Ok(None), "{tool} {form:?}");
            std::fs::remove_file(out).unwrap();
            read += 1;
        }
    }
    eprintln!("{read} images read");
}

#[test]
fn our_own_seed_disks_are_read() {
    let seed = hpcr_contract::seed::Seed {
        user_data: &[b'u'; 5000],
        meta_data: None,
        vendor_data: Some(b""),
        network_config: Some(b"version: 2\n"),
    };
    let mut iso = seed.to_iso().unwrap();
    // Without the marks of Rock Ridge, Joliet's names are taken; without those too, the plain ones.
    for marks in [b"NM", b"%/"] {
        let image = Image::parse(&iso).unwrap();
        assert_eq!(image.volume_id(), "cidata");
        assert_eq!(image.file("user-data").unwrap(), Some(&[b'u'; 5000][..]));
        assert_eq!(image.file("vendor-data").unwrap(), Some(&b""[..]));
        assert_eq!(
            image.file("network-config").unwrap(),
            Some(&b"version: 2\n"[..])
        );
        assert_eq!(image.file("other").unwrap(), None);
        for at in 0..iso.len() - 1 {
            if iso[at..at + 2] == *marks {
                iso[at..at + 2].copy_from_slice(b"XX");
            }
        }
    }
    let image = Image::parse(&iso).unwrap();
    assert_eq!(
        image.file("meta-data").unwrap(),
        Some(&b"local-hostname: hpcr\n"[..])
    );
}

#[test]
fn what_is_wrong_is_named() {
    let good = image("cidata", &[("user-data", b"x")]);
    let with = |at: usize, bytes: &[u8]| {
        let mut image = good.clone();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        image
    };
    let (descriptor, folder) = (16 * SECTOR, 18 * SECTOR);
    for (bytes, cause) in [
        (Vec::new(), "there is no primary volume descriptor"),
        (
            with(descriptor + 1, b"XX"),
            "there is no primary volume descriptor",
        ),
        (
            with(descriptor + 128, &[0, 2]),
            "its blocks are not of 2,048 bytes",
        ),
        (
            with(descriptor + 156, &[0]),
            "the root folder has no record",
        ),
        (
            with(descriptor + 158, &[0xff; 4]),
            "the root folder lies outside of the image",
        ),
        (
            with(descriptor + 166, &[0xff; 4]),
            "the root folder is larger than 1 MiB",
        ),
        (
            with(folder + 2, &[0xff; 4]),
            "a file lies outside of the image",
        ),
        (
            with(folder + 10, &[0xff; 4]),
            "a file lies outside of the image",
        ),
        (with(folder + 25, &[GOES_ON]), "a file is in several parts"),
        (
            image("cidata", &[("user-data", b"x"), ("user-data", b"y")]),
            "a file is there twice",
        ),
    ] {
        let outcome = Image::parse(&bytes).and_then(|image| image.file("user-data").map(drop));
        assert_eq!(outcome, Err(IsoError(cause)));
    }
    assert_eq!(
        Image::parse(&with(folder + 25, &[IS_FOLDER]))
            .unwrap()
            .file("user-data"),
        Ok(None)
    );
}

#[test]
fn plain_names_are_those_of_the_levels() {
    for (found, is) in [
        ("USER_DAT.;1", true),
        ("USER_DATA.;1", true),
        ("USER_DATA", true),
        ("USER_DA.;1", false),
        ("USER_DATE.;1", false),
        ("USER_DAT.X;1", false),
        ("USER_DAT.;2", false),
        ("", false),
    ] {
        assert_eq!(is_plain_form(found.as_bytes(), "user-data"), is, "{found}");
    }
}

proptest! {
    #[test]
    fn hostile_bytes_end_in_an_answer(changes in prop::collection::vec((0usize..20 * SECTOR, any::<u8>()), 1..60)) {
        let mut bytes = image("cidata", &[("user-data", b"x"), ("meta-data", b"y")]);
        for (at, value) in changes {
            bytes[at] = value;
        }
        if let Ok(image) = Image::parse(&bytes) {
            for name in ["user-data", "meta-data"] {
                if let Ok(Some(content)) = image.file(name) {
                    prop_assert!(content.len() <= bytes.len());
                }
            }
        }
    }

    #[test]
    fn system_use_of_any_form_ends_in_an_answer(system in prop::collection::vec(any::<u8>(), 0..255)) {
        if let Some(name) = rock_ridge_name(&system) {
            prop_assert!(name.len() <= system.len());
        }
    }
}
