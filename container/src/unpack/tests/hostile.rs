//! Archives of enemies: nothing of them leads out of the layer, steers the overlay or fills the memory.

use super::*;
use proptest::prelude::*;

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
