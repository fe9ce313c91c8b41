//! Archives of friends and enemies. Whiteouts and owners are recorded, so no root is needed; the guest has the real ones.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::acts::recorder::Recorder;
use proptest::prelude::*;
use std::os::unix::fs::{MetadataExt as _, symlink};

/// One entry of an archive, written byte by byte so that no library refuses what an enemy would write.
struct Entry {
    name: &'static str,
    kind: EntryType,
    link: &'static str,
    mode: u32,
    data: &'static [u8],
}

fn entry(name: &'static str, kind: EntryType) -> Entry {
    Entry {
        name,
        kind,
        link: "",
        mode: 0o644,
        data: b"",
    }
}

fn file(name: &'static str, data: &'static [u8]) -> Entry {
    Entry {
        data,
        ..entry(name, EntryType::Regular)
    }
}

fn folder(name: &'static str) -> Entry {
    Entry {
        mode: 0o755,
        ..entry(name, EntryType::Directory)
    }
}

fn link(name: &'static str, kind: EntryType, target: &'static str) -> Entry {
    Entry {
        link: target,
        ..entry(name, kind)
    }
}

fn header(entry: &Entry) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
    header.as_old_mut().linkname[..entry.link.len()].copy_from_slice(entry.link.as_bytes());
    header.set_entry_type(entry.kind);
    header.set_size(entry.data.len() as u64);
    header.set_mode(entry.mode);
    header.set_uid(7);
    header.set_gid(8);
    header.set_mtime(1_000_000);
    header.set_cksum();
    header
}

fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for entry in entries {
        builder.append(&header(entry), entry.data).unwrap();
    }
    builder.into_inner().unwrap()
}

/// The outer folder holds a victim beside the layer: nothing may ever touch it.
struct Ground {
    outer: tempfile::TempDir,
    acts: Recorder,
}

impl Ground {
    fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        std::fs::create_dir(outer.path().join("layer")).unwrap();
        std::fs::write(outer.path().join("victim"), "safe").unwrap();
        Self {
            outer,
            acts: Recorder::default(),
        }
    }

    fn layer(&self) -> PathBuf {
        self.outer.path().join("layer")
    }

    fn unpack(&self, bytes: &[u8]) -> Result<(), UnpackError> {
        let result = unpack(bytes, &self.layer(), &self.acts);
        assert_eq!(
            std::fs::read(self.outer.path().join("victim")).unwrap(),
            b"safe"
        );
        assert_eq!(
            std::fs::read_dir(self.outer.path()).unwrap().count(),
            2,
            "something lies outside"
        );
        result
    }
}

#[test]
fn files_folders_and_links_arrive_with_mode_and_time() {
    let ground = Ground::new();
    let entries = [
        folder("etc/"),
        Entry {
            mode: 0o4755,
            ..file("etc/tool", b"hello")
        },
        link("etc/hard", EntryType::Link, "etc/tool"),
        link("etc/soft", EntryType::Symlink, "/etc/tool"),
        entry("etc/pipe", EntryType::Fifo),
        file("made/on/the/way", b""),
    ];
    ground.unpack(&archive(&entries)).unwrap();
    let tool = std::fs::metadata(ground.layer().join("etc/tool")).unwrap();
    assert_eq!(
        (tool.mode() & 0o7777, tool.mtime(), tool.nlink(), tool.len()),
        (0o4755, 1_000_000, 2, 5)
    );
    assert_eq!(
        std::fs::read_link(ground.layer().join("etc/soft")).unwrap(),
        Path::new("/etc/tool")
    );
    assert_eq!(
        std::fs::metadata(ground.layer().join("etc"))
            .unwrap()
            .mtime(),
        1_000_000,
        "set after its files"
    );
    assert!(ground.layer().join("made/on/the").is_dir());
    assert!(ground.acts.acts().contains(&"own tool 7:8".to_owned()));
}

#[test]
fn whiteouts_take_the_form_that_overlayfs_reads() {
    let ground = Ground::new();
    let entries = [
        file("a/.wh.gone", b""),
        file("b/.wh..wh..opq", b""),
        file(".wh..wh.plnk", b""),
    ];
    ground.unpack(&archive(&entries)).unwrap();
    assert_eq!(ground.acts.acts(), ["whiteout gone", "opaque"]);
    assert!(!ground.layer().join(".wh..wh.plnk").exists());
}

#[test]
fn a_whiteout_hides_lower_layers_only() {
    let ground = Ground::new();
    let entries = [
        file("kept", b"new"),
        file(".wh.kept", b""),
        folder("folder"),
        file("folder/new", b""),
        file(".wh.folder", b""),
    ];
    ground.unpack(&archive(&entries)).unwrap();
    assert_eq!(std::fs::read(ground.layer().join("kept")).unwrap(), b"new");
    assert!(ground.layer().join("folder/new").exists());
    assert!(ground.acts.acts().contains(&"opaque".to_owned()));
    assert!(
        !ground
            .acts
            .acts()
            .iter()
            .any(|act| act.starts_with("whiteout"))
    );
}

#[test]
fn no_entry_leads_out_of_the_layer() {
    for entries in [
        vec![file("../victim", b"hit")],
        vec![file("a/../../victim", b"hit")],
        vec![
            link("out", EntryType::Symlink, ".."),
            file("out/victim", b"hit"),
        ],
        vec![
            link("out", EntryType::Symlink, "../../.."),
            file("out/victim", b"hit"),
        ],
        vec![
            link("victim", EntryType::Symlink, "../victim"),
            file("victim", b"hit"),
        ],
        vec![
            link("hard", EntryType::Link, "../victim"),
            file("hard", b"hit"),
        ],
        vec![
            link("up", EntryType::Symlink, ".."),
            link("hard", EntryType::Link, "up/victim"),
        ],
        vec![
            link("up", EntryType::Symlink, ".."),
            file("up/.wh.victim", b""),
        ],
        vec![
            link("magic", EntryType::Symlink, "/proc/self/cwd"),
            file("magic/victim", b"hit"),
        ],
    ] {
        // Refused or confined: either way the victim beside the layer is as it was.
        let _ = Ground::new().unpack(&archive(&entries));
    }
}

#[test]
fn an_absolute_link_means_the_root_of_the_layer() {
    let ground = Ground::new();
    let entries = [
        folder("usr/bin"),
        link("bin", EntryType::Symlink, "/usr/bin"),
        file("bin/tool", b"x"),
    ];
    ground.unpack(&archive(&entries)).unwrap();
    assert_eq!(
        std::fs::read(ground.layer().join("usr/bin/tool")).unwrap(),
        b"x"
    );
}

#[test]
fn what_an_honest_layer_never_holds_is_refused() {
    for (entries, cause) in [
        (vec![link("hard", EntryType::Link, "missing")], "hard"),
        (
            vec![folder("a"), file("a/b", b""), file("a", b"")],
            "takes the place",
        ),
        (vec![file("./", b"")], "root"),
        (vec![file(".wh.", b"")], "hides nothing"),
        (vec![entry("odd", EntryType::new(b'Z'))], "type"),
    ] {
        let error = Ground::new()
            .unpack(&archive(&entries))
            .unwrap_err()
            .to_string();
        assert!(error.contains(cause), "{error}");
    }
}

#[test]
fn device_nodes_are_left_out() {
    let ground = Ground::new();
    ground
        .unpack(&archive(&[
            entry("dev/sda", EntryType::Block),
            entry("dev/mem", EntryType::Char),
        ]))
        .unwrap();
    assert_eq!(
        std::fs::read_dir(ground.layer().join("dev"))
            .unwrap()
            .count(),
        0
    );
    assert_eq!(ground.acts.acts(), Vec::<String>::new());
}

#[test]
fn attributes_that_steer_the_overlay_are_dropped_and_capabilities_kept() {
    let mut builder = tar::Builder::new(Vec::new());
    let records: [(&str, &[u8]); 3] = [
        ("SCHILY.xattr.security.capability", b"\x01\0"),
        ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
        ("SCHILY.xattr.user.mine", b"1"),
    ];
    builder.append_pax_extensions(records).unwrap();
    let tool = file("tool", b"x");
    builder.append(&header(&tool), tool.data).unwrap();
    let ground = Ground::new();
    ground.unpack(&builder.into_inner().unwrap()).unwrap();
    assert_eq!(
        ground.acts.acts(),
        [
            "own tool 7:8",
            "attribute security.capability",
            "attribute user.mine"
        ]
    );
}

#[test]
fn a_long_name_cannot_fill_the_memory() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = header(&entry("././@LongLink", EntryType::GNULongName));
    header.set_size(1 << 30);
    header.set_cksum();
    builder
        .append(
            &header,
            io::repeat(b'a')
                .take(1 << 30)
                .chain(io::empty())
                .take(4 << 20),
        )
        .unwrap();
    let error = Ground::new()
        .unpack(&builder.into_inner().unwrap())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("headers of an entry are too large"),
        "{error}"
    );
}

#[test]
fn a_cut_archive_is_an_error() {
    let whole = archive(&[file("a", &[b'x'; 5_000])]);
    assert!(Ground::new().unpack(&whole[..2_000]).is_err());
}

#[test]
fn a_second_entry_replaces_the_first_and_never_writes_through_a_link() {
    let ground = Ground::new();
    let entries = [
        file("target", b"old"),
        link("name", EntryType::Symlink, "target"),
        file("name", b"new"),
    ];
    ground.unpack(&archive(&entries)).unwrap();
    assert_eq!(
        std::fs::read(ground.layer().join("target")).unwrap(),
        b"old"
    );
    assert_eq!(std::fs::read(ground.layer().join("name")).unwrap(), b"new");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_bytes_nothing_outside_changes(
        entries in proptest::collection::vec((0usize..12, 0usize..6, 0usize..12), 1..12),
        cut in 0usize..4_000,
    ) {
        const NAMES: [&str; 12] =
            ["a", "a/b", "a/b/c", "../victim", "/victim", "..", "./", "a/.wh.b", ".wh.a", "a/.wh..wh..opq", "b", "b/victim"];
        const KINDS: [EntryType; 6] = [
            EntryType::Regular, EntryType::Directory, EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::Char,
        ];
        let entries: Vec<_> = entries.into_iter().map(|(name, kind, target)| link(NAMES[name], KINDS[kind], NAMES[target])).collect();
        let mut bytes = archive(&entries);
        bytes.truncate(bytes.len().saturating_sub(cut));
        let _ = Ground::new().unpack(&bytes);
    }
}

/// Only as root: the acts of the kernel, and overlayfs reading what they made.
#[test]
fn overlayfs_hides_what_whiteouts_say() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: needs root");
        return;
    }
    let ground = tempfile::tempdir().unwrap();
    let at = |name: &str| {
        let path = ground.path().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    };
    let lower = [
        folder("dir"),
        file("dir/old", b"1"),
        file("gone", b"1"),
        file("kept", b"1"),
        folder("whole"),
        file("whole/x", b"1"),
    ];
    let upper = [
        folder("dir"),
        file("dir/.wh..wh..opq", b""),
        file("dir/new", b"2"),
        file(".wh.gone", b""),
        file(".wh.whole", b""),
    ];
    for (name, entries) in [("lower", &lower[..]), ("upper", &upper[..])] {
        unpack(&archive(entries)[..], &at(name), &crate::acts::Kernel).unwrap();
    }
    symlink("nowhere", at("changes").join("dangling")).unwrap();
    let overlay = crate::acts::Overlay {
        lower: vec![at("upper"), at("lower")],
        upper: at("changes"),
        work: at("work"),
        at: at("merged"),
    };
    crate::acts::Kernel.overlay(&overlay).unwrap();
    let list = |name: &str| {
        let names = std::fs::read_dir(overlay.at.join(name)).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<std::collections::BTreeSet<_>>()
    };
    let seen = (list(""), list("dir"));
    let owner = std::fs::metadata(overlay.at.join("dir/new")).map(|m| (m.uid(), m.gid()));
    crate::acts::Kernel.unmount(&overlay.at).unwrap();
    assert_eq!(
        seen.0,
        ["dangling", "dir", "kept"].map(str::to_owned).into()
    );
    assert_eq!(seen.1, ["new".to_owned()].into());
    assert_eq!(owner.unwrap(), (7, 8));
}
