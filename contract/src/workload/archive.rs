//! Unpacks the compose archive (base64 of a tar.gz) into memory.
//!
//! The archive is hostile: its sizes, counts, depth and ratio are bounded before anything is believed, only folders and
//! regular files are taken, and no path leads out. Nothing here touches a file system or reads a compose file.

use std::collections::BTreeMap;
use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use crate::finding::{Finding, Place};
use crate::messages::{self, Code};

/// What an archive may be at most.
struct Limits {
    /// Bytes of the gzip stream.
    packed: usize,
    /// Bytes of the tar stream.
    unpacked: u64,
    /// Bytes of the tar stream for each byte of the gzip stream, beyond a first mebibyte.
    ratio: u64,
    /// Members of the tar stream.
    members: usize,
    /// Components of a path.
    depth: usize,
    /// Bytes of a path.
    path: usize,
}

const LIMITS: Limits = Limits {
    packed: 16 << 20,
    unpacked: 64 << 20,
    ratio: 200,
    members: 4096,
    depth: 32,
    path: 1024,
};

/// The names that a compose file may have.
const COMPOSE_NAMES: [&str; 2] = ["docker-compose.yaml", "docker-compose.yml"];

/// The unpacked archive.
#[derive(Debug)]
pub struct Archive {
    /// Every regular file by relative, normalised path (`conf/nginx.conf`).
    pub files: BTreeMap<String, Vec<u8>>,
    /// Which of them is the compose file.
    pub compose: &'static str,
}

/// Unpacks the value of `compose.archive`.
///
/// # Errors
/// A finding with HPL06006E where this is no archive that can be taken, with HPL06008E where it holds no compose file.
pub fn unpack(archive: &str) -> Result<Archive, Finding> {
    let finding = |problem: Problem| {
        let (code, cause, remedy) = problem.tell();
        Finding::new(
            code,
            Place::at("workload", "compose.archive"),
            cause,
            remedy,
        )
    };
    let packed = STANDARD
        .decode(archive.trim_end())
        .map_err(|_| finding(Problem::Base64))?;
    let files = untar(&packed, &LIMITS).map_err(finding)?;
    let mut found = COMPOSE_NAMES
        .into_iter()
        .filter(|name| files.contains_key(*name));
    match (found.next(), found.next()) {
        (Some(compose), None) => Ok(Archive { files, compose }),
        (None, _) => Err(finding(Problem::NoCompose)),
        (Some(_), Some(_)) => Err(finding(Problem::TwoComposes)),
    }
}

/// Why an archive is refused.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Base64,
    Stream,
    TooLarge,
    Ratio,
    TooManyMembers,
    Path { member: usize, why: &'static str },
    Kind { member: usize },
    Twice { member: usize },
    NoCompose,
    TwoComposes,
}

impl Problem {
    /// Code, cause and remedy. A member is told by its number: names are content of the contract.
    fn tell(&self) -> (Code, String, &'static str) {
        let refused = messages::IMAGE_DECOMPRESS_COMPOSE;
        match self {
            Self::Base64 => (
                refused,
                "this is not base64".into(),
                "write the output of `base64 -w0 compose.tgz`",
            ),
            Self::Stream => (
                refused,
                "this is not a whole gzip stream of a tar archive".into(),
                "make it with `tar -czf compose.tgz -C FOLDER .` and encode that file",
            ),
            Self::TooLarge => (
                refused,
                format!(
                    "the archive is larger than {} MiB packed or {} MiB unpacked",
                    LIMITS.packed >> 20,
                    LIMITS.unpacked >> 20
                ),
                "move large files into the image",
            ),
            Self::Ratio => (
                refused,
                format!(
                    "the archive unpacks to more than {} times its size",
                    LIMITS.ratio
                ),
                "move files of repeated bytes into the image",
            ),
            Self::TooManyMembers => (
                refused,
                format!("the archive has more than {} members", LIMITS.members),
                "move files into the image",
            ),
            Self::Path { member, why } => (
                refused,
                format!("the path of member {member} {why}"),
                "make the archive with `tar -czf compose.tgz -C FOLDER .`",
            ),
            Self::Kind { member } => (
                refused,
                format!("member {member} is neither a folder nor a regular file"),
                "leave out links, devices, pipes and sparse files (`tar --dereference` follows links)",
            ),
            Self::Twice { member } => (
                refused,
                format!("the path of member {member} is already taken"),
                "let every path stand once",
            ),
            Self::NoCompose => (
                messages::IMAGE_NO_COMPOSE,
                "the archive has no compose file at its top".into(),
                "put docker-compose.yaml (or docker-compose.yml) at the top of the archive",
            ),
            Self::TwoComposes => (
                messages::IMAGE_NO_COMPOSE,
                "the archive has both docker-compose.yaml and docker-compose.yml at its top".into(),
                "keep one of them",
            ),
        }
    }
}

/// The regular files of a tar.gz.
fn untar(packed: &[u8], limits: &Limits) -> Result<BTreeMap<String, Vec<u8>>, Problem> {
    if packed.len() > limits.packed {
        return Err(Problem::TooLarge);
    }
    let by_ratio = (packed.len() as u64)
        .saturating_mul(limits.ratio)
        .saturating_add(1 << 20);
    let allowance = limits.unpacked.min(by_ratio);
    let mut stream = Metered {
        inner: MultiGzDecoder::new(packed),
        left: allowance,
        spent: false,
    };
    let taken = members(&mut stream, limits);
    // The end of the stream carries the checksum of all that was believed so far.
    let taken = taken.and_then(|files| {
        io::copy(&mut stream, &mut io::sink()).map_err(|_| Problem::Stream)?;
        Ok(files)
    });
    match taken {
        Err(_) if stream.spent && by_ratio < limits.unpacked => Err(Problem::Ratio),
        Err(_) if stream.spent => Err(Problem::TooLarge),
        taken => taken,
    }
}

fn members(stream: &mut impl Read, limits: &Limits) -> Result<BTreeMap<String, Vec<u8>>, Problem> {
    let mut tree = Tree::default();
    let mut archive = tar::Archive::new(stream);
    for (index, entry) in archive.entries().map_err(|_| Problem::Stream)?.enumerate() {
        let member = index + 1;
        if member > limits.members {
            return Err(Problem::TooManyMembers);
        }
        let mut entry = entry.map_err(|_| Problem::Stream)?;
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            continue;
        }
        if !(kind.is_file() || kind.is_dir()) || is_sparse(&mut entry)? {
            return Err(Problem::Kind { member });
        }
        let path =
            path_of(&entry.path_bytes(), limits).map_err(|why| Problem::Path { member, why })?;
        if kind.is_dir() {
            tree.folder(path).ok_or(Problem::Twice { member })?;
        } else if path.is_empty() {
            return Err(Problem::Path {
                member,
                why: "is empty",
            });
        } else {
            let mut content = Vec::new();
            entry
                .read_to_end(&mut content)
                .map_err(|_| Problem::Stream)?;
            if content.len() as u64 != entry.size() {
                return Err(Problem::Stream);
            }
            tree.file(path, content).ok_or(Problem::Twice { member })?;
        }
    }
    Ok(tree.files)
}

/// PAX says of a sparse file that it is a regular one; its content is then a map that other readers unfold.
fn is_sparse(entry: &mut tar::Entry<'_, impl Read>) -> Result<bool, Problem> {
    let Some(extensions) = entry.pax_extensions().map_err(|_| Problem::Stream)? else {
        return Ok(false);
    };
    for extension in extensions {
        let extension = extension.map_err(|_| Problem::Stream)?;
        if extension.key_bytes().starts_with(b"GNU.sparse.") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A relative path without `.` components; empty for the top.
fn path_of(bytes: &[u8], limits: &Limits) -> Result<String, &'static str> {
    if bytes.len() > limits.path {
        return Err("is too long");
    }
    let path = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    if path.chars().any(char::is_control) {
        return Err("holds a control character");
    }
    if path.starts_with('/') {
        return Err("is absolute");
    }
    let components: Vec<&str> = path
        .split('/')
        .filter(|component| !matches!(*component, "" | "."))
        .collect();
    if components.contains(&"..") {
        return Err("leads upwards");
    }
    if components.len() > limits.depth {
        return Err("is too deep");
    }
    Ok(components.join("/"))
}

/// What has been taken so far: no path twice, and nothing below a file.
#[derive(Default)]
struct Tree {
    files: BTreeMap<String, Vec<u8>>,
    folders: std::collections::BTreeSet<String>,
}

impl Tree {
    fn folder(&mut self, path: String) -> Option<()> {
        for (end, _) in path.match_indices('/') {
            self.one_folder(&path[..end])?;
        }
        self.one_folder(&path)
    }

    fn one_folder(&mut self, path: &str) -> Option<()> {
        if self.files.contains_key(path) {
            return None;
        }
        if !self.folders.contains(path) {
            self.folders.insert(path.to_owned());
        }
        Some(())
    }

    fn file(&mut self, path: String, content: Vec<u8>) -> Option<()> {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder.to_owned())?;
        }
        if self.folders.contains(&path) || self.files.contains_key(&path) {
            return None;
        }
        self.files.insert(path, content);
        Some(())
    }
}

/// A reader that fails once its allowance is used up, and remembers that it did.
struct Metered<R> {
    inner: R,
    left: u64,
    spent: bool,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(count)
            }
            None => {
                self.spent = true;
                Err(io::Error::from(io::ErrorKind::FileTooLarge))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write as _;

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

    fn packed(members: &[(u8, &str, &[u8])]) -> Vec<u8> {
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
                ("conf/b.conf".to_owned(), b"b".to_vec()),
                ("docker-compose.yaml".to_owned(), b"a".to_vec())
            ]
        );
    }

    #[test]
    fn what_is_no_plain_tree_is_refused() {
        let path = |why| Problem::Path { member: 1, why };
        let cases: [(&[(u8, &str, &[u8])], Problem); 14] = [
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
        let many: Vec<(u8, &str, &[u8])> = vec![(b'5', "d", b""); 9];
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
                    (b'0', "docker-compose.yaml", b""),
                ],
                messages::IMAGE_NO_COMPOSE,
            ),
        ] {
            assert_eq!(
                unpack(&STANDARD.encode(packed(&members))).unwrap_err().code,
                code
            );
        }
        assert_eq!(
            unpack("kdsbfoijdfojsnbo").unwrap_err().code,
            messages::IMAGE_DECOMPRESS_COMPOSE
        );
        assert_eq!(
            unpack("no base64!").unwrap_err().code,
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
}
