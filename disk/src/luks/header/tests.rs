//! Headers of cryptsetup, and hostile ones: a good header whose bytes were changed and whose checksum is right again.
//! Those whose JSON was changed are in `hostile_json`.
#![allow(clippy::unwrap_used)]

mod hostile_json;

use proptest::prelude::*;

use super::*;
use crate::luks::json::{Base64, Decimal, Hash};

/// The JSON of `cryptsetup luksFormat --type luks2` with its defaults (2.6), salts replaced.
fn cryptsetup_default() -> String {
    let salt = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    format!(
        r#"{{"keyslots":{{"0":{{"type":"luks2","key_size":64,"af":{{"type":"luks1","stripes":4000,"hash":"sha256"}},
        "area":{{"type":"raw","offset":"32768","size":"258048","encryption":"aes-xts-plain64","key_size":64}},
        "kdf":{{"type":"argon2id","time":4,"memory":1048576,"cpus":4,"salt":"{salt}"}}}}}},"tokens":{{}},
        "segments":{{"0":{{"type":"crypt","offset":"16777216","size":"dynamic","iv_tweak":"0",
        "encryption":"aes-xts-plain64","sector_size":512}}}},
        "digests":{{"0":{{"type":"pbkdf2","keyslots":["0"],"segments":["0"],"hash":"sha256","iterations":100000,
        "salt":"{salt}","digest":"{salt}"}}}},
        "config":{{"json_size":"12288","keyslots_size":"16744448"}}}}"#
    )
    .replace("\n        ", "")
}

/// Both copies with this JSON and right checksums.
fn headers(json: &str) -> Vec<u8> {
    let good: Metadata = serde_json::from_str(&cryptsetup_default()).unwrap();
    let mut bytes = Header {
        uuid: Uuid::from_u128(1),
        metadata: good,
    }
    .render([[1; 64], [2; 64]])
    .unwrap();
    for copy in bytes.chunks_exact_mut(HEADER) {
        copy[BINARY..].fill(0);
        copy[BINARY..BINARY + json.len()].copy_from_slice(json.as_bytes());
        seal(copy);
    }
    bytes
}

fn seal(copy: &mut [u8]) {
    let sum = checksum(copy);
    copy[CHECKSUM..CHECKSUM + 32].copy_from_slice(&sum);
}

fn changed(from: &str, to: &str) -> Result<Header, Refusal> {
    let json = cryptsetup_default();
    assert!(json.contains(from), "the good header has no {from}");
    parse(&headers(&json.replacen(from, to, 1)))
}

#[test]
fn what_cryptsetup_writes_is_accepted() {
    let header = parse(&headers(&cryptsetup_default())).unwrap();
    assert_eq!(header.uuid, Uuid::from_u128(1));
    assert_eq!(header.memory(), 1 << 20);
    assert_eq!(header.data_offset(), 16 << 20);
}

#[test]
fn what_is_accepted_can_be_written_and_read_again() {
    let header = parse(&headers(&cryptsetup_default())).unwrap();
    assert_eq!(
        parse(&header.render([[0; 64]; 2]).unwrap()).unwrap(),
        header
    );
}

#[test]
fn other_kinds_of_cryptsetup_are_accepted() {
    let salt = r#""salt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=""#;
    let cases = [
        (r#""sector_size":512"#, r#""sector_size":4096"#.to_owned()),
        (r#""type":"argon2id""#, r#""type":"argon2i""#.to_owned()),
        (
            r#""type":"argon2id","time":4,"memory":1048576,"cpus":4"#,
            r#""type":"pbkdf2","hash":"sha256","iterations":1000000"#.to_owned(),
        ),
        (
            r#""stripes":4000,"hash":"sha256""#,
            r#""stripes":4000,"hash":"sha512""#.to_owned(),
        ),
        (
            &format!("{salt}}}}}}},\"tokens\""),
            format!("{salt}}},\"priority\":2}}}},\"tokens\""),
        ),
    ];
    for (from, to) in cases {
        assert!(changed(from, &to).is_ok(), "{to}: {:?}", changed(from, &to));
    }
}

fn pbkdf2(iterations: u32) -> Kdf {
    Kdf::Pbkdf2 {
        hash: Hash::Sha256,
        iterations,
        salt: Base64(vec![0; 32]),
    }
}

fn argon2(time: u32, memory: u32) -> Kdf {
    Kdf::Argon2id {
        time,
        memory,
        cpus: 4,
        salt: Base64(vec![0; 32]),
    }
}

/// Checks a header with so many slots, so many bytes apart, and so many iterations in its digest.
fn with_slots(count: u8, step: usize, kdf: &Kdf, iterations: u32) -> Result<(), Refusal> {
    let mut metadata: Metadata = serde_json::from_str(&cryptsetup_default()).unwrap();
    let mut slot = metadata.keyslots[&0].clone();
    slot.kdf = kdf.clone();
    for number in 0..count {
        slot.area.offset = Decimal((HEADERS + usize::from(number) * step) as u64);
        metadata.keyslots.insert(number, slot.clone());
    }
    let digest = metadata.digests.get_mut(&0).unwrap();
    digest.keyslots = (0..u64::from(count)).map(Decimal).collect();
    digest.iterations = iterations;
    check(&metadata)
}

#[test]
fn slots_that_overlap_or_are_too_many_are_refused() {
    let overlap = || Err(Refusal::Shape("key slots overlap"));
    let many = Err(Refusal::Shape("it has no key slot or too many"));
    for (count, step, expected) in [
        (8, AREA, Ok(())),
        (9, AREA, many),
        (2, AREA - 4096, overlap()),
        (2, 0, overlap()),
    ] {
        let found = with_slots(count, step, &pbkdf2(100_000), 100_000);
        assert_eq!(found, expected, "{count} slots {step} apart");
    }
}

#[test]
fn slots_that_are_dear_together_are_refused() {
    let dear = || Err(Refusal::Shape("its key slots together cost too much"));
    for (count, kdf, digest, expected) in [
        (4, argon2(4, 1 << 20), 100_000, Ok(())),
        (5, argon2(4, 1 << 20), 100_000, dear()),
        (1, argon2(128, 128 << 10), 100_000, Ok(())),
        (1, argon2(128, 1 << 20), 100_000, dear()),
        (8, argon2(128, 1 << 20), 100_000, dear()),
        (1, pbkdf2(20_000_000), 100_000, Ok(())),
        (2, pbkdf2(20_000_000), 100_000, dear()),
        // What each slot gives is checked against the digest.
        (1, pbkdf2(100_000), 20_000_000, Ok(())),
        (2, pbkdf2(100_000), 20_000_000, dear()),
    ] {
        let found = with_slots(count, AREA, &kdf, digest);
        assert_eq!(found, expected, "{count} of {kdf:?}");
    }
}

#[test]
fn hostile_binary_fields_are_refused() {
    let cases: &[(&str, usize, &[u8], Refusal)] = &[
        ("no magic", 0, b"XXXX", Refusal::Magic),
        ("LUKS1", 6, &[0, 1], Refusal::Luks1),
        ("version 3", 6, &[0, 3], Refusal::Field("version")),
        ("other size", 8, &[0xff; 8], Refusal::Field("size")),
        (
            "other algorithm",
            72,
            b"sha1\0\0",
            Refusal::Field("checksum algorithm"),
        ),
        ("UUID that is none", 168, b"x", Refusal::Field("UUID")),
        ("other offset", 256, &[1], Refusal::Field("offset")),
        (
            "bytes after the JSON",
            HEADER - 1,
            &[1],
            Refusal::Field("space after the JSON"),
        ),
        ("label in one copy only", 24, b"label", Refusal::Copies),
        ("newer copy", 16, &[1], Refusal::Copies),
    ];
    for (what, at, bytes, refusal) in cases {
        let mut headers = headers(&cryptsetup_default());
        headers[*at..*at + bytes.len()].copy_from_slice(bytes);
        seal(&mut headers[..HEADER]);
        assert_eq!(parse(&headers).as_ref(), Err(refusal), "{what}");
    }
}

#[test]
fn each_copy_has_a_checksum_that_counts() {
    for (at, which) in [(BINARY + 10, "first"), (HEADER + BINARY + 10, "second")] {
        let mut headers = headers(&cryptsetup_default());
        headers[at] ^= 1;
        assert_eq!(parse(&headers), Err(Refusal::Checksum(which)));
    }
}

#[test]
fn what_a_host_wrote_reaches_a_message_only_tamed() {
    let refusal = changed(r#""type":"argon2id""#, "\"type\":\"\u{1b}[2Jowned\"").unwrap_err();
    assert!(!refusal.to_string().contains('\u{1b}'), "{refusal}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), HEADERS)) {
        prop_assert!(parse(&bytes).is_err());
    }

    #[test]
    fn no_json_makes_it_panic(at in 0usize..900, patch in "[ -~]{0,12}") {
        let mut json = cryptsetup_default();
        let end = (at + patch.len()).min(json.len());
        json.replace_range(at.min(end)..end, &patch);
        if let Ok(header) = parse(&headers(&json)) {
            prop_assert_eq!(parse(&header.render([[0; 64]; 2]).unwrap()).unwrap(), header);
        }
    }
}
