//! Archives of friends; those of enemies are in `hostile`. Whiteouts and owners are recorded, so no root is needed; the guest has the real ones.
#![allow(clippy::unwrap_used)]

mod hostile;

use super::*;
use crate::acts::recorder::Recorder;
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
