//! Whole lives of volumes on files that stand for disks: real headers, real keys, recorded acts.
#![allow(clippy::unwrap_used)]

use hpcr_contract::plan::Create;

use super::*;
use crate::acts::recording::{Act, Bench};

const SIZE: u64 = 256 << 20;
const SEEDS: &str = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
const OTHER: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn volume(passphrase: &str) -> Volume {
    Volume {
        name: "data".to_owned(),
        disk: "disk-1".to_owned(),
        mount: "/mnt/data".to_owned(),
        filesystem: Filesystem::Ext4,
        passphrase: passphrase.to_owned().into(),
        previous_passphrases: Vec::new(),
        create: Create::IfBlank,
        header_record: HeaderRecord::Adopt,
    }
}

fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.disk("vda", "disk-1", SIZE);
    bench
}

fn open(bench: &mut Bench, volume: Volume) -> (Result<Vec<Mounted>, DiskError>, Vec<String>) {
    let mut events = Vec::new();
    let mut report = |event: Event| events.push(event.to_string());
    let outcome = open_all(&mut bench.acts, &[volume], &bench.context, &mut report);
    (outcome, events)
}

fn formatted() -> Bench {
    let mut bench = bench();
    open(&mut bench, volume(SEEDS)).0.unwrap();
    bench.acts.done.clear();
    bench
}

fn fault(outcome: Result<Vec<Mounted>, DiskError>) -> Fault {
    outcome.unwrap_err().fault
}

/// The bytes of the disk.
fn bytes(bench: &Bench) -> Vec<u8> {
    std::fs::read(bench.node("vda")).unwrap()
}

/// Changes the disk between two boots, at an offset in one of its partitions or in itself.
fn patch(bench: &Bench, device: &str, at: u64, patch: &[u8]) {
    let layout = Layout::of(SIZE).unwrap();
    let start = match device {
        "vda1" => layout.metadata.start,
        "vda2" => layout.data.start,
        _ => 0,
    };
    let file = File::options().write(true).open(bench.node("vda")).unwrap();
    file.write_all_at(patch, start + at).unwrap();
}

#[test]
fn a_first_format_writes_the_table_last_and_mounts_after_it() {
    let mut bench = bench();
    let (outcome, events) = open(&mut bench, volume(SEEDS));
    assert_eq!(outcome.unwrap()[0].mapping, "hpcr-vda");
    assert_eq!(
        bench.acts.done,
        [
            Act::AddPartition(1),
            Act::AddPartition(2),
            Act::MakeFilesystem("vda1"),
            Act::Write("vda2", 0),
            Act::MapLuks("vda2"),
            Act::MakeFilesystem("hpcr-vda"),
            Act::Write("vda1", 0),
            Act::Write("vda", SIZE - END),
            Act::Write("vda", 0),
            Act::Mount("hpcr-vda", "/mnt/data"),
        ]
    );
    assert_eq!(
        events,
        [
            "volume data on disk vda: the disk is blank, a new volume is made",
            "volume data on disk vda: made and open",
            "volume data on disk vda: mounted",
        ]
    );
}

#[test]
fn a_second_open_finds_the_same_key_and_writes_nothing() {
    let mut bench = formatted();
    let before = bytes(&bench);
    let (outcome, events) = open(&mut bench, volume(SEEDS));
    outcome.unwrap();
    assert_eq!(
        bench.acts.done,
        [
            Act::AddPartition(1),
            Act::AddPartition(2),
            Act::MapLuks("vda2"),
            Act::Mount("hpcr-vda", "/mnt/data"),
        ]
    );
    assert_eq!(bench.acts.keys[0], bench.acts.keys[1]);
    assert!(bytes(&bench) == before);
    assert!(events.contains(&"volume data on disk vda: open, header proven".to_owned()));
}

/// What the boot after a power cut found.
#[derive(Debug, PartialEq, Eq)]
enum After {
    Blank,
    TornTable,
    Volume,
}

#[test]
fn a_power_cut_anywhere_in_a_first_format_leaves_a_blank_disk_or_a_volume() {
    const HEADER: usize = 3;
    const RECORD: usize = 6;
    const BACKUP: usize = 7;
    const PRIMARY: usize = 8;
    const MOUNT: usize = 9;
    let untorn = |cut| (cut, 0, After::Blank);
    let mut cases: Vec<_> = (0..=BACKUP).map(untorn).collect();
    cases.extend([
        (HEADER, 512, After::Blank),
        (HEADER, 20 << 10, After::Blank),
        (RECORD, 64, After::Blank),
        // The start of the last MiB is zero; its end is entries, then a sector of header.
        (BACKUP, 512, After::Blank),
        (BACKUP, (1 << 20) - 512, After::TornTable),
        (PRIMARY, 0, After::TornTable),
        // The MBR; with it the header; with both the two entries.
        (PRIMARY, 512, After::TornTable),
        (PRIMARY, 1024, After::TornTable),
        (PRIMARY, 4096, After::Volume),
        (MOUNT, 0, After::Volume),
    ]);
    for (cut, torn, expected) in cases {
        let case = format!("cut after {cut} acts and {torn} bytes");
        let mut bench = bench();
        (bench.acts.cut_after, bench.acts.torn) = (Some(cut), torn);
        let (outcome, _) = open(&mut bench, volume(SEEDS));
        assert!(outcome.is_err(), "{case}");
        assert_eq!(bench.acts.done.len(), cut, "{case}");

        bench.acts.cut_after = None;
        bench.acts.done.clear();
        let mut strict = volume(SEEDS);
        strict.header_record = HeaderRecord::Require;
        let (outcome, events) = open(&mut bench, strict);
        assert!(outcome.is_ok(), "{case}: {outcome:?}");
        let told = |end: &str| events.iter().any(|event| event.ends_with(end));
        let after = match (told("made and open"), told("has been made again")) {
            (true, false) => After::Blank,
            (false, true) => After::TornTable,
            (false, false) => After::Volume,
            (true, true) => panic!("{case}: {events:?}"),
        };
        assert_eq!(after, expected, "{case}");
        // Whichever it was, the disk is whole now.
        let found = probe::look(
            &crate::inventory::read(&bench.context.sys, &bench.context.dev).unwrap()[0],
        );
        let layout = Layout::of(SIZE).unwrap();
        assert_eq!(
            found.unwrap(),
            crate::decide::Found::Partitioned {
                layout,
                torn: false
            },
            "{case}"
        );
    }
}

#[test]
fn a_table_that_was_torn_is_made_again_once_the_volume_is_proven() {
    let mut bench = formatted();
    patch(&bench, "vda", 0, &[0; 4096]);
    let (outcome, events) = open(&mut bench, volume(SEEDS));
    outcome.unwrap();
    assert_eq!(
        bench.acts.done[2..4],
        [Act::Write("vda", SIZE - END), Act::Write("vda", 0)]
    );
    assert!(
        events
            .iter()
            .any(|event| event.contains("has been made again"))
    );
}

#[test]
fn wrong_seeds_leave_every_byte_as_it_was() {
    let mut bench = formatted();
    let before = bytes(&bench);
    let outcome = open(&mut bench, volume(OTHER)).0;
    let error = outcome.unwrap_err();
    assert!(matches!(error.fault, Fault::Passphrase));
    assert_eq!(error.code().to_string(), "HPL02003E");
    assert!(!error.to_string().contains(OTHER));
    assert!(bytes(&bench) == before);
    assert_eq!(
        bench.acts.done,
        [Act::AddPartition(1), Act::AddPartition(2)]
    );
}

#[test]
fn a_previous_seed_is_named_and_not_used() {
    let mut bench = formatted();
    let mut rolled = volume(OTHER);
    rolled.previous_passphrases = vec![SEEDS.to_owned().into()];
    let error = open(&mut bench, rolled).0.unwrap_err();
    assert!(matches!(error.fault, Fault::PreviousPassphrase));
    assert_eq!(error.code().to_string(), "HPL02125E");
}

#[test]
fn a_header_that_was_changed_is_refused_by_the_record() {
    let mut bench = formatted();
    // Still a good header: the second slot's area is not part of it, a salt of the copies is.
    let mut header = vec![0; 32 << 10];
    File::open(bench.node("vda2"))
        .unwrap()
        .read_exact_at(&mut header, 0)
        .unwrap();
    header[24..29].copy_from_slice(b"label");
    header[(16 << 10) + 24..(16 << 10) + 29].copy_from_slice(b"label");
    for copy in header.chunks_exact_mut(16 << 10) {
        copy[448..512].fill(0);
        let sum = openssl::sha::sha256(copy);
        copy[448..480].copy_from_slice(&sum);
    }
    patch(&bench, "vda2", 0, &header);
    let before = bytes(&bench);
    assert!(matches!(
        fault(open(&mut bench, volume(SEEDS)).0),
        Fault::RecordMismatch
    ));
    assert!(bytes(&bench) == before);
}

#[test]
fn a_record_that_was_changed_is_refused() {
    let mut bench = formatted();
    patch(&bench, "vda1", 100, &[1]);
    assert!(matches!(
        fault(open(&mut bench, volume(SEEDS)).0),
        Fault::RecordMismatch
    ));
}

#[test]
fn a_volume_under_another_name_is_refused() {
    let mut bench = formatted();
    let mut renamed = volume(SEEDS);
    renamed.name = "other".to_owned();
    assert!(matches!(
        fault(open(&mut bench, renamed).0),
        Fault::RecordMismatch
    ));
}

#[test]
fn a_volume_without_a_record_is_adopted_or_refused_as_the_contract_says() {
    let mut bench = formatted();
    patch(&bench, "vda1", 0, &[0; SLOTS]);
    let mut strict = volume(SEEDS);
    strict.header_record = HeaderRecord::Require;
    let before = bytes(&bench);
    assert!(matches!(
        fault(open(&mut bench, strict).0),
        Fault::RecordMissing
    ));
    assert!(bytes(&bench) == before);

    let (outcome, events) = open(&mut bench, volume(SEEDS));
    outcome.unwrap();
    assert!(events.iter().any(|event| event.contains("has got one")));
    let mut strict = volume(SEEDS);
    strict.header_record = HeaderRecord::Require;
    open(&mut bench, strict).0.unwrap();
}

#[test]
fn a_volume_that_fills_its_disk_opens_without_a_record() {
    let mut bench = formatted();
    let old = std::fs::read(bench.node("vda2")).unwrap();
    let mut whole = Bench::new();
    whole.disk("vda", "disk-1", SIZE);
    patch(&whole, "vda", 0, &old);
    let (outcome, events) = open(&mut whole, volume(SEEDS));
    outcome.unwrap();
    assert_eq!(
        whole.acts.done,
        [Act::MapLuks("vda"), Act::Mount("hpcr-vda", "/mnt/data")]
    );
    assert!(events[0].contains("fills the disk"));
    assert_eq!(whole.acts.keys, bench.acts.keys);
    bench.acts.done.clear();
}

#[test]
fn more_memory_than_the_guest_has_is_refused_before_it_is_taken() {
    let mut bench = formatted();
    bench.context.key_memory = 1024;
    assert!(matches!(
        fault(open(&mut bench, volume(SEEDS)).0),
        Fault::Memory {
            needed: 32768,
            available: 1024
        }
    ));
}

#[test]
fn a_file_system_that_the_image_cannot_make_is_refused_before_anything_is_done() {
    let mut bench = bench();
    let mut xfs = volume(SEEDS);
    xfs.filesystem = Filesystem::Xfs;
    assert!(matches!(
        fault(open(&mut bench, xfs).0),
        Fault::FilesystemUnsupported { .. }
    ));
    assert!(bench.acts.done.is_empty());
}

#[test]
fn a_disk_that_does_not_come_in_time_is_an_error() {
    let mut bench = Bench::new();
    let (outcome, events) = open(&mut bench, volume(SEEDS));
    assert!(matches!(fault(outcome), Fault::NotFound { .. }));
    assert!(events.is_empty());
}

#[test]
fn when_the_second_volume_fails_the_first_is_closed() {
    let mut bench = bench();
    bench.disk("vdb", "disk-2", SIZE);
    let mut second = volume(SEEDS);
    second.name = "second".to_owned();
    second.disk = "disk-2".to_owned();
    second.create = Create::Never;
    let outcome = open_all(
        &mut bench.acts,
        &[volume(SEEDS), second],
        &bench.context,
        &mut |_| (),
    );
    assert!(matches!(fault(outcome), Fault::BlankRefused));
    assert_eq!(
        bench.acts.done[10..],
        [Act::Unmount("/mnt/data"), Act::Unmap("hpcr-vda")]
    );
}
