#![allow(clippy::unwrap_used)]

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write as _;

fn unpack(archive: &str) -> Result<Archive, Problem> {
    files(archive).and_then(with_compose)
}

/// Type flag, name and content.
type Member<'a> = (u8, &'a str, &'a [u8]);

const SMALL: Limits = Limits {
    packed: 1 << 16,
    unpacked: 1 << 20,
    ratio: 20,
    members: 8,
    depth: 4,
    path: 120,
};

/// A tar member as bytes, so that what a well-behaved builder refuses to write can be written.
fn member(kind: u8, name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

fn packed(members: &[Member<'_>]) -> Vec<u8> {
    let mut tar: Vec<u8> = members
        .iter()
        .flat_map(|(kind, name, content)| member(*kind, name, content))
        .collect();
    tar.extend([0; 1024]);
    gzip(&tar)
}

#[test]
fn files_are_taken_with_normalised_paths() {
    let archive = packed(&[
        (b'5', "./", b""),
        (b'0', "./docker-compose.yaml", b"a"),
        (b'5', "conf/", b""),
        (b'0', "conf//./b.conf", b"b"),
    ]);
    let taken = unpack(&STANDARD.encode(archive)).unwrap();
    assert_eq!(taken.compose, "docker-compose.yaml");
    assert_eq!(
        taken.files.into_iter().collect::<Vec<_>>(),
        [
            ("conf/b.conf".to_owned(), File::plain(b"b".to_vec())),
            ("docker-compose.yaml".to_owned(), File::plain(b"a".to_vec()))
        ]
    );
}

#[test]
fn what_is_no_plain_tree_is_refused() {
    let path = |why| Problem::Path { member: 1, why };
    let cases: [(&[Member<'_>], Problem); 14] = [
        (&[(b'0', "/etc/passwd", b"")], path("is absolute")),
        (&[(b'0', "a/../../b", b"")], path("leads upwards")),
        (&[(b'0', "..", b"")], path("leads upwards")),
        (&[(b'0', "a\nb", b"")], path("holds a control character")),
        (&[(b'0', "a/b/c/d/e", b"")], path("is too deep")),
        (&[(b'0', "./", b"x")], path("is empty")),
        (&[(b'1', "hard", b"")], Problem::Kind { member: 1 }),
        (&[(b'2', "soft", b"")], Problem::Kind { member: 1 }),
        (&[(b'3', "character", b"")], Problem::Kind { member: 1 }),
        (&[(b'6', "pipe", b"")], Problem::Kind { member: 1 }),
        (
            &[(b'0', "a", b""), (b'0', "./a", b"")],
            Problem::Twice { member: 2 },
        ),
        (
            &[(b'0', "a", b""), (b'0', "a/b", b"")],
            Problem::Twice { member: 2 },
        ),
        (
            &[(b'0', "a/b", b""), (b'0', "a", b"")],
            Problem::Twice { member: 2 },
        ),
        (
            &[
                (b'x', "p", b"22 GNU.sparse.major=1\n"),
                (b'0', "sparse", b""),
            ],
            Problem::Kind { member: 1 },
        ),
    ];
    for (members, problem) in cases {
        assert_eq!(untar(&packed(members), &SMALL), Err(problem));
    }
}

#[test]
fn every_limit_holds() {
    let many: Vec<Member<'_>> = vec![(b'5', "d", b""); 9];
    assert_eq!(untar(&packed(&many), &SMALL), Err(Problem::TooManyMembers));
    assert_eq!(
        untar(&vec![0; SMALL.packed + 1], &SMALL),
        Err(Problem::TooLarge)
    );

    let zeros = vec![0; 2 << 20];
    let bomb = packed(&[(b'0', "zeros", &zeros)]);
    assert_eq!(untar(&bomb, &SMALL), Err(Problem::TooLarge));
    let wide = Limits {
        unpacked: 1 << 30,
        ..SMALL
    };
    assert_eq!(untar(&bomb, &wide), Err(Problem::Ratio));
    assert_eq!(
        untar(
            &bomb,
            &Limits {
                ratio: 10_000,
                ..wide
            }
        )
        .unwrap()["zeros"]
            .bytes
            .len(),
        zeros.len()
    );
}

#[test]
fn a_cut_or_flipped_stream_is_refused() {
    let whole = packed(&[(b'0', "docker-compose.yaml", b"services: {}")]);
    assert!(untar(&whole, &SMALL).is_ok());
    for length in 0..whole.len() {
        assert!(untar(&whole[..length], &SMALL).is_err(), "cut at {length}");
    }
    let mut checksum = whole.clone();
    let at = whole.len() - 6;
    checksum[at] ^= 1;
    assert_eq!(untar(&checksum, &SMALL), Err(Problem::Stream));
}

#[test]
fn a_compose_file_must_be_there_once_and_at_the_top() {
    for (members, code) in [
        (
            vec![(b'0', "compose.yaml", &b""[..])],
            messages::IMAGE_NO_COMPOSE,
        ),
        (
            vec![(b'0', "sub/docker-compose.yaml", b"")],
            messages::IMAGE_NO_COMPOSE,
        ),
        (
            vec![
                (b'0', "docker-compose.yml", b""),
                (b'0', "docker-compose.yaml", b" "),
            ],
            messages::IMAGE_PARSE_COMPOSE,
        ),
    ] {
        assert_eq!(
            unpack(&STANDARD.encode(packed(&members)))
                .unwrap_err()
                .tell()
                .0,
            code
        );
    }
    let twins: [Member<'_>; 2] = [
        (b'0', "docker-compose.yml", b"a"),
        (b'0', "docker-compose.yaml", b"a"),
    ];
    let taken = unpack(&STANDARD.encode(packed(&twins))).unwrap();
    assert_eq!(taken.compose, "docker-compose.yaml");
    assert_eq!(
        unpack("kdsbfoijdfojsnbo").unwrap_err().tell().0,
        messages::IMAGE_DECOMPRESS_COMPOSE
    );
    assert_eq!(
        unpack("no base64!").unwrap_err().tell().0,
        messages::IMAGE_DECOMPRESS_COMPOSE
    );
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        let _ = untar(&bytes, &SMALL);
        let _ = untar(&gzip(&bytes), &SMALL);
    }

    #[test]
    fn mutated_archives_never_panic_and_never_lead_out(
        changes in proptest::collection::vec((0_usize..3072, any::<u8>()), 1..8),
    ) {
        let mut tar = [
            member(b'x', "pax", b"30 path=conf/../../etc/passwd\n"),
            member(b'0', "docker-compose.yaml", b"services: {}"),
            member(b'L', "././@LongLink", b"conf/long-name\0"),
            member(b'0', "conf", b"x"),
        ].concat();
        tar.extend([0; 1024]);
        for (at, value) in changes {
            let at = at % tar.len();
            tar[at] = value;
            // Mend the checksum of the header, so that the change reaches what lies behind it.
            let block = at / 512 * 512;
            let mut header = tar::Header::new_old();
            header.as_mut_bytes().copy_from_slice(&tar[block..block + 512]);
            if header.as_bytes()[257..262] == *b"ustar" {
                header.set_cksum();
                tar[block..block + 512].copy_from_slice(header.as_bytes());
            }
        }
        if let Ok(files) = untar(&gzip(&tar), &SMALL) {
            for path in files.keys() {
                prop_assert!(!path.starts_with('/') && !path.split('/').any(|part| matches!(part, "" | "." | "..")));
            }
        }
    }
}
