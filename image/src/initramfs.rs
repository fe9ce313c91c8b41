//! The guest's first file system: a tree in memory, written as a `newc` cpio archive and compressed with zstd.
//!
//! Format: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst. The bytes depend on the tree and
//! the time given, and on nothing of the host: no owner, inode, order or clock. It never reads a file.

use std::collections::BTreeMap;
use std::io;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A folder with its permission bits.
    Dir(u32),
    /// A file with its permission bits and content.
    File(u32, Vec<u8>),
    /// A symbolic link and its target.
    Link(String),
    /// A character device: permission bits, major, minor.
    Device(u32, u32, u32),
}

/// Paths (absolute in the guest, without the leading `/`) and what stands there; everything belongs to root.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    /// Puts a node at a path; folders above it come into being (0755).
    pub fn insert(&mut self, path: &str, node: Node) {
        let path = path.trim_matches('/');
        for (index, _) in path.match_indices('/') {
            self.nodes
                .entry(path[..index].to_owned())
                .or_insert(Node::Dir(0o755));
        }
        self.nodes.insert(path.to_owned(), node);
    }

    /// Every path with its node, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    /// The archive, uncompressed. `mtime` in seconds since the Unix epoch stands on every entry.
    pub fn to_cpio(&self, mtime: u32) -> Vec<u8> {
        let mut out = Vec::new();
        // A parent sorts before what it holds, as the kernel's unpacker needs it.
        for (index, (path, node)) in (1_u32..).zip(&self.nodes) {
            let (mode, device, data): (u32, (u32, u32), &[u8]) = match node {
                Node::Dir(mode) => (0o040_000 | mode, (0, 0), &[]),
                Node::File(mode, data) => (0o100_000 | mode, (0, 0), data),
                Node::Link(target) => (0o120_777, (0, 0), target.as_bytes()),
                Node::Device(mode, major, minor) => (0o020_000 | mode, (*major, *minor), &[]),
            };
            entry(
                &mut out,
                path,
                &Fields {
                    inode: index,
                    mode,
                    mtime,
                    device,
                },
                data,
            );
        }
        entry(
            &mut out,
            "TRAILER!!!",
            &Fields {
                inode: 0,
                mode: 0,
                mtime: 0,
                device: (0, 0),
            },
            &[],
        );
        out
    }
}

struct Fields {
    inode: u32,
    mode: u32,
    mtime: u32,
    device: (u32, u32),
}

/// Header of 6 + 13 x 8 hexadecimal digits, name with NUL, data; name and data padded to 4 bytes.
fn entry(out: &mut Vec<u8>, name: &str, fields: &Fields, data: &[u8]) {
    let Fields {
        inode,
        mode,
        mtime,
        device: (major, minor),
    } = *fields;
    out.extend_from_slice(b"070701");
    // inode, mode, uid, gid, links, mtime, size, device major/minor of the file, of the node, name size, checksum
    let numbers = [
        u64::from(inode),
        u64::from(mode),
        0,
        0,
        1,
        u64::from(mtime),
        data.len() as u64,
        0,
        0,
        u64::from(major),
        u64::from(minor),
        name.len() as u64 + 1,
        0,
    ];
    for number in numbers {
        out.extend_from_slice(format!("{number:08x}").as_bytes());
    }
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    pad(out);
    out.extend_from_slice(data);
    pad(out);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

/// Compresses with zstd, which the kernel unpacks fastest of what it knows.
pub fn compress(archive: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(archive, LEVEL)
}

/// What [`compress`] was given.
pub fn decompress(packed: &[u8]) -> io::Result<Vec<u8>> {
    zstd::stream::decode_all(packed)
}

/// Level 19 takes eighteen times as long for an eighth less, and the kernel no shorter to unpack.
const LEVEL: i32 = 9;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    fn sample() -> Tree {
        let mut tree = Tree::default();
        tree.insert("/usr/bin/crun", Node::File(0o755, b"binary".to_vec()));
        tree.insert("bin", Node::Link("usr/bin".into()));
        tree.insert("dev/console", Node::Device(0o600, 5, 1));
        tree.insert("tmp", Node::Dir(0o1777));
        tree
    }

    #[test]
    fn folders_above_a_file_come_into_being_and_before_it() {
        let tree = sample();
        let paths: Vec<_> = tree.iter().map(|(path, _)| path).collect();
        assert_eq!(
            paths,
            [
                "bin",
                "dev",
                "dev/console",
                "tmp",
                "usr",
                "usr/bin",
                "usr/bin/crun"
            ]
        );
    }

    #[test]
    fn cpio_itself_lists_what_was_put_in() {
        let Ok(mut cpio) = Command::new("cpio")
            .args(["-itv", "--quiet"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
        else {
            eprintln!("skipped: no cpio on this machine");
            return;
        };
        cpio.stdin
            .take()
            .unwrap()
            .write_all(&sample().to_cpio(0))
            .unwrap();
        let listing = String::from_utf8(cpio.wait_with_output().unwrap().stdout).unwrap();
        for expected in [
            "drwxrwxrwt",
            "crw-------   1 root     root       5,   1",
            "bin -> usr/bin",
            "usr/bin/crun",
        ] {
            assert!(listing.contains(expected), "{expected} in {listing}");
        }
    }

    #[test]
    fn the_same_tree_gives_the_same_bytes_whatever_the_order_of_insertion() {
        let mut other = Tree::default();
        let all: Vec<_> = sample()
            .iter()
            .map(|(path, node)| (path.to_owned(), node.clone()))
            .collect();
        for (path, node) in all.into_iter().rev() {
            other.insert(&path, node);
        }
        assert_eq!(
            compress(&sample().to_cpio(7)).unwrap(),
            compress(&other.to_cpio(7)).unwrap()
        );
        assert_ne!(sample().to_cpio(7), sample().to_cpio(8));
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let archive = sample().to_cpio(0);
        let back = decompress(&compress(&archive).unwrap()).unwrap();
        assert_eq!(back, archive);
    }
}
