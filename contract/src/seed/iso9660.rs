//! Writes an ISO 9660 image (ECMA-119) of one folder with a few small files, with Rock Ridge (IEEE P1282) and Joliet
//! names, so that whatever reader a system has finds them as they are called.
//!
//! One extent a file, one sector a folder, every date the beginning of 1970.

use zeroize::Zeroizing;

const SECTOR: usize = 2048;

/// Where things lie, in sectors. The first sixteen are the system's, which has none here.
const TERMINATOR: usize = 18;
const FOLDERS: [Folder; 2] = [
    Folder {
        descriptor: 16,
        little: 19,
        big: 20,
        root: 23,
    },
    Folder {
        descriptor: 17,
        little: 21,
        big: 22,
        root: 24,
    },
];
const FIRST_FILE: usize = 25;

/// The root under one kind of names.
#[derive(Clone, Copy)]
struct Folder {
    descriptor: usize,
    /// The path table with its least significant bytes first.
    little: usize,
    /// The same the other way round.
    big: usize,
    root: usize,
}

/// Bytes of a path table that names the root alone (section 9.4).
const PATH_TABLE: usize = 10;
const IS_FOLDER: u8 = 2;
/// 1970-01-01 00:00:00 UTC in a record (section 9.1.5).
const RECORDED: [u8; 7] = [70, 1, 1, 0, 0, 0, 0];
/// No date, in a descriptor (section 8.4.26.1).
const NO_DATE: &[u8; 17] = b"0000000000000000\0";

/// Rock Ridge: the protocol's mark, and who says what it means (IEEE P1281 sections 5.3 and 5.5).
const SYSTEM_USE: &[u8] = b"SP\x07\x01\xbe\xef\x00ER\x12\x01\x0a\x00\x00\x01RRIP_1991A";
const FOLDER_MODE: u32 = 0o40_555;
const FILE_MODE: u32 = 0o100_444;

type File<'a> = (&'a str, &'a [u8]);

/// The image's size in bytes.
pub(super) fn size(files: &[File]) -> usize {
    (FIRST_FILE + files.iter().map(sectors).sum::<usize>()) * SECTOR
}

fn sectors((_, content): &File) -> usize {
    content.len().div_ceil(SECTOR)
}

/// The image of `size` bytes, less than what 32 bits can count. The files are in the order of their names, which are
/// lower-case letters and `-` and differ in their first eight.
pub(super) fn image(label: &str, files: &[File], size: usize) -> Zeroizing<Vec<u8>> {
    // Made in one piece: a vector that grows leaves copies of secrets behind.
    let mut image = Zeroizing::new(vec![0; size]);
    let [plain, joliet] = FOLDERS;
    put(
        &mut image,
        plain.descriptor,
        &descriptor(1, plain, label.as_bytes(), b"", b" ", size),
    );
    put(
        &mut image,
        joliet.descriptor,
        &descriptor(2, joliet, &wide(label), b"%/E", b"\0 ", size),
    );
    put(&mut image, TERMINATOR, b"\xffCD001\x01");
    for folder in FOLDERS {
        let root = both_32(folder.root);
        put(
            &mut image,
            folder.little,
            &[&[1, 0], &root[..4], &[1, 0, 0, 0]].concat(),
        );
        put(
            &mut image,
            folder.big,
            &[&[1, 0], &root[4..], &[0, 1, 0, 0]].concat(),
        );
    }

    let mut plain_records = vec![
        record(
            plain.root,
            SECTOR,
            IS_FOLDER,
            b"\0",
            &[SYSTEM_USE, &attributes(FOLDER_MODE, 2)],
        ),
        record(
            plain.root,
            SECTOR,
            IS_FOLDER,
            b"\x01",
            &[&attributes(FOLDER_MODE, 2)],
        ),
    ];
    let mut joliet_records = [b"\0", b"\x01"]
        .map(|name| record(joliet.root, SECTOR, IS_FOLDER, name, &[]))
        .to_vec();
    let mut sector = FIRST_FILE;
    for file @ (name, content) in files {
        let rock_ridge = [attributes(FILE_MODE, 1), alternate_name(name)];
        let rock_ridge = rock_ridge.each_ref().map(Vec::as_slice);
        plain_records.push(record(
            sector,
            content.len(),
            0,
            &plain_name(name),
            &rock_ridge,
        ));
        joliet_records.push(record(sector, content.len(), 0, &wide(name), &[]));
        put(&mut image, sector, content);
        sector += sectors(file);
    }
    put(&mut image, plain.root, &plain_records.concat());
    put(&mut image, joliet.root, &joliet_records.concat());
    image
}

fn put(image: &mut [u8], sector: usize, bytes: &[u8]) {
    let start = sector * SECTOR;
    image[start..start + bytes.len()].copy_from_slice(bytes);
}

/// A volume descriptor (sections 8.4 and 8.5). `blank` fills a field of text that says nothing.
fn descriptor(
    kind: u8,
    folder: Folder,
    label: &[u8],
    escape: &[u8],
    blank: &[u8],
    size: usize,
) -> Vec<u8> {
    let mut bytes = vec![0; SECTOR];
    let mut at =
        |start: usize, field: &[u8]| bytes[start..start + field.len()].copy_from_slice(field);
    at(0, &[kind]);
    at(1, b"CD001\x01");
    // Identifiers of system, volume, set, publisher, preparer, application, and three files.
    for (start, length) in [
        (8, 32),
        (40, 32),
        (190, 512),
        (702, 36),
        (739, 36),
        (776, 36),
    ] {
        at(start, &blank.repeat(length / blank.len()));
    }
    at(40, label);
    at(80, &both_32(size / SECTOR));
    at(88, escape);
    at(120, &both_16(1));
    at(124, &both_16(1));
    at(128, &both_16(2048));
    at(132, &both_32(PATH_TABLE));
    at(140, &both_32(folder.little)[..4]);
    at(148, &both_32(folder.big)[4..]);
    at(156, &record(folder.root, SECTOR, IS_FOLDER, b"\0", &[]));
    for start in [813, 830, 847, 864] {
        at(start, NO_DATE);
    }
    at(881, &[1]);
    bytes
}

/// A record of a folder (section 9.1).
fn record(sector: usize, length: usize, flags: u8, name: &[u8], system: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(both_32(sector));
    bytes.extend(both_32(length));
    bytes.extend(RECORDED);
    bytes.extend([flags, 0, 0]);
    bytes.extend(both_16(1));
    bytes.push(byte(name.len()));
    bytes.extend(name);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes.extend(system.concat());
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes[0] = byte(bytes.len());
    bytes
}

/// `PX`, a file's mode, links and owner (IEEE P1282 section 4.1.1).
fn attributes(mode: u32, links: usize) -> Vec<u8> {
    let mode = [mode.to_le_bytes(), mode.to_be_bytes()].concat();
    [b"PX\x24\x01".as_slice(), &mode, &both_32(links), &[0; 16]].concat()
}

/// `NM`, a file's name as it is (IEEE P1282 section 4.1.4).
fn alternate_name(name: &str) -> Vec<u8> {
    let header = [b'N', b'M', byte(name.len() + 5), 1, 0];
    [&header, name.as_bytes()].concat()
}

/// A name of level 1 (section 10.1): eight letters at most, and none in lower case.
fn plain_name(name: &str) -> Vec<u8> {
    let plain = name.to_ascii_uppercase().replace('-', "_");
    let end = plain.len().min(8);
    [&plain.as_bytes()[..end], b".;1"].concat()
}

/// The letters of Joliet.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// A number in both orders of its bytes (section 7.3.3).
fn both_32(number: usize) -> Vec<u8> {
    let number = u32::try_from(number).unwrap_or(u32::MAX);
    [number.to_le_bytes(), number.to_be_bytes()].concat()
}

/// The same of 16 bits (section 7.2.3).
fn both_16(number: u16) -> Vec<u8> {
    [number.to_le_bytes(), number.to_be_bytes()].concat()
}

/// Records and names of this image fit into a byte.
fn byte(number: usize) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
