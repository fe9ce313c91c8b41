//! Unpacks the compose archive (base64 of a tar.gz) into memory.
//!
//! The archive is hostile: its sizes, counts, depth and ratio are bounded before anything is believed, only folders and
//! regular files are taken, and no path leads out. Nothing here touches a file system or reads a compose file.

use std::collections::BTreeMap;
use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;

use crate::finding::{Finding, Level, Place};
use crate::messages::{self, Code};
use crate::plan::File;

mod unpacked;

pub use unpacked::Unpacked;
pub(crate) use unpacked::Way;

/// What an archive may be at most.
pub(crate) struct Limits {
    /// Bytes of the gzip stream.
    pub(crate) packed: usize,
    /// Bytes of the tar stream.
    pub(crate) unpacked: u64,
    /// Bytes of the tar stream for each byte of the gzip stream, beyond a first mebibyte.
    pub(crate) ratio: u64,
    /// Members of the tar stream.
    pub(crate) members: usize,
    /// Components of a path.
    pub(crate) depth: usize,
    /// Bytes of a path.
    pub(crate) path: usize,
}

pub(crate) const LIMITS: Limits = Limits {
    packed: 16 << 20,
    unpacked: 64 << 20,
    ratio: 200,
    members: 4096,
    depth: 32,
    path: 1024,
};

/// How every gzip stream begins (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The names that a compose file may have, in the order in which they count.
const COMPOSE_NAMES: [&str; 2] = ["docker-compose.yaml", "docker-compose.yml"];

/// Every regular file of an archive by relative, normalised path (`conf/nginx.conf`).
pub(crate) type Files = BTreeMap<String, File>;

/// An unpacked archive with a compose file.
#[derive(Debug)]
pub struct Archive {
    /// Every regular file by relative, normalised path (`conf/nginx.conf`).
    pub files: BTreeMap<String, File>,
    /// Which of them is the compose file.
    pub compose: &'static str,
}

/// Finds the compose file of an archive.
///
/// # Errors
/// Why it is refused: HPL06008E where there is no compose file, HPL06009E where there are two that differ.
pub(crate) fn with_compose(files: Files) -> Result<Archive, Problem> {
    let found = COMPOSE_NAMES.map(|name| files.get(name));
    let compose = match found {
        [Some(one), Some(other)] if one.bytes != other.bytes => return Err(Problem::TwoComposes),
        [Some(_), _] => COMPOSE_NAMES[0],
        [None, Some(_)] => COMPOSE_NAMES[1],
        [None, None] => return Err(Problem::NoCompose),
    };
    Ok(Archive { files, compose })
}

/// The regular files of an archive (base64 of a tar.gz) by relative, normalised path.
///
/// # Errors
/// Why it is refused: HPL06006E, since this is no archive that can be taken.
pub(crate) fn files(archive: &str) -> Result<Files, Problem> {
    let packed = STANDARD
        .decode(archive.trim_end())
        .map_err(|_| Problem::Base64)?;
    if !packed.starts_with(&GZIP) {
        return Err(Problem::NoGzip);
    }
    untar(&packed, &LIMITS)
}

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Base64,
    NoGzip,
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
    /// The problem as a finding at the archive's place. A value that is no archive at all is taken by the published
    /// tools, which do not look into it: only our guest stops there.
    pub(crate) fn finding(&self, place: Place) -> Finding {
        let (code, cause, remedy) = self.tell();
        let level = match self {
            Self::Base64 | Self::NoGzip => Level::Limit,
            _ => Level::Error,
        };
        Finding::new(code, place, cause, remedy).with_level(level)
    }

    /// Code, cause and remedy. A member is told by its number: names are content of the contract.
    pub(crate) fn tell(&self) -> (Code, String, &'static str) {
        let refused = messages::IMAGE_DECOMPRESS_COMPOSE;
        match self {
            Self::Base64 => (
                refused,
                "this is not base64".into(),
                "write the output of `base64 -w0 compose.tgz`",
            ),
            Self::NoGzip => (
                refused,
                "this is not a gzip stream".into(),
                "make it with `tar -czf compose.tgz -C FOLDER .` and encode that file",
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
                messages::IMAGE_PARSE_COMPOSE,
                "docker-compose.yaml and docker-compose.yml stand at the top of the archive, and they differ: it is open which one counts".into(),
                "keep one of them; of two that are the same, docker-compose.yaml is read",
            ),
        }
    }
}

/// The regular files of a tar.gz.
fn untar(packed: &[u8], limits: &Limits) -> Result<Files, Problem> {
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

fn members(stream: &mut impl Read, limits: &Limits) -> Result<Files, Problem> {
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
            tree.folder(&path).ok_or(Problem::Twice { member })?;
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
            let mut file = File::plain(content);
            // Everybody may read what the archive brings; what was a program stays one.
            if entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0) {
                file.mode = 0o755;
            }
            tree.file(path, file).ok_or(Problem::Twice { member })?;
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
pub(crate) fn path_of(bytes: &[u8], limits: &Limits) -> Result<String, &'static str> {
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
    files: Files,
    folders: std::collections::BTreeSet<String>,
}

impl Tree {
    fn folder(&mut self, path: &str) -> Option<()> {
        for (end, _) in path.match_indices('/') {
            self.one_folder(&path[..end])?;
        }
        self.one_folder(path)
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

    fn file(&mut self, path: String, content: File) -> Option<()> {
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder)?;
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
        let Some(left) = self.left.checked_sub(count as u64) else {
            self.spent = true;
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        };
        self.left = left;
        Ok(count)
    }
}

/// Whether a file of an archive is YAML at its top: what describes containers.
pub(crate) fn is_manifest(path: &str) -> bool {
    let extension = path.rsplit_once('.').map(|(_, extension)| extension);
    !path.contains('/') && matches!(extension, Some("yaml" | "yml"))
}

#[cfg(test)]
mod tests;
