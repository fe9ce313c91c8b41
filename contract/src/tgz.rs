//! Makes the archive of `compose.archive` and `play.archive` (specification 1.2): base64 of a tar.gz.
//!
//! The same members give the same bytes on every machine: sorted by path, times and owners 0, two modes. What the guest
//! would refuse is refused here, by the guest's own reader. Nothing here touches a file system.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};

use crate::finding::{Finding, Place};
use crate::messages;
use crate::workload::archive;

/// "Unknown" as operating system (RFC 1952 section 2.3.1).
const NO_SYSTEM: u8 = 255;

/// The most bytes that the files of an archive have together: what the guest unpacks.
pub const MOST_BYTES: u64 = archive::LIMITS.unpacked;

/// What is to be packed, by relative path with slashes.
#[derive(Default)]
pub struct Members(BTreeMap<String, Member>);

enum Member {
    Folder,
    File { content: Vec<u8>, executable: bool },
}

impl Members {
    /// Adds a folder.
    pub fn folder(&mut self, path: &str) {
        self.0.insert(path.to_owned(), Member::Folder);
    }

    /// Adds a regular file.
    pub fn file(&mut self, path: &str, content: Vec<u8>, executable: bool) {
        self.0.insert(
            path.to_owned(),
            Member::File {
                content,
                executable,
            },
        );
    }

    /// Whether the guest's bounds are passed already, so that nothing more need be read.
    pub fn is_too_much(&self) -> bool {
        let bytes = self.0.values().map(|member| match member {
            Member::Folder => 0,
            Member::File { content, .. } => content.len() as u64,
        });
        self.0.len() > archive::LIMITS.members || bytes.sum::<u64>() > MOST_BYTES
    }

    /// Whether a compose file or Pods could be in it: a YAML file at the top.
    pub fn describe_a_workload(&self) -> bool {
        let is_yaml = |path: &String| {
            !path.contains('/') && [".yaml", ".yml"].iter().any(|end| path.ends_with(end))
        };
        self.0.keys().any(is_yaml)
    }

    /// The archive, base64 in one line.
    ///
    /// # Errors
    /// Why the guest would refuse it; `name` is what the finding calls the folder.
    pub fn pack(&self, name: &str) -> Result<String, Finding> {
        let place = || Place::at(name, "");
        if self.is_too_much() {
            return Err(archive::Problem::TooLarge.finding(place()));
        }
        for path in self.0.keys() {
            archive::path_of(path.as_bytes(), &archive::LIMITS).map_err(|why| {
                let cause = format!("the path {} {why}", path.escape_debug());
                let remedy = "give it a plain, shorter one, nearer to the top of the folder";
                Finding::new(messages::IMAGE_DECOMPRESS_COMPOSE, place(), cause, remedy)
            })?;
        }
        let packed = self
            .gzip()
            .map_err(|_| archive::Problem::Stream.finding(place()))?;
        let text = STANDARD.encode(packed);
        archive::files(&text).map_err(|problem| problem.finding(place()))?;
        Ok(text)
    }

    fn gzip(&self) -> io::Result<Vec<u8>> {
        let writer = GzBuilder::new()
            .mtime(0)
            .operating_system(NO_SYSTEM)
            .write(Vec::new(), Compression::best());
        let mut tar = tar::Builder::new(writer);
        for (path, member) in &self.0 {
            let mut header = tar::Header::new_ustar();
            header.set_mtime(0);
            match member {
                Member::Folder => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(0o755);
                    header.set_size(0);
                    tar.append_data(&mut header, path, io::empty())?;
                }
                Member::File {
                    content,
                    executable,
                } => {
                    header.set_mode(if *executable { 0o755 } else { 0o644 });
                    header.set_size(content.len() as u64);
                    tar.append_data(&mut header, path, content.as_slice())?;
                }
            }
        }
        let mut writer = tar.into_inner()?;
        writer.flush()?;
        writer.finish()
    }
}

/// Whether two archives (base64 of a tar.gz) hold the same regular files, whoever packed them and when. What the guest would
/// refuse is the same as nothing.
pub fn hold_the_same_files(one: &str, other: &str) -> bool {
    let files = |archive| {
        let files = archive::files(archive).ok()?.into_iter();
        Some(files.map(|(path, file)| (path, file.bytes, file.mode & 0o100)))
    };
    let both = files(one).zip(files(other));
    both.is_some_and(|(one, other)| one.eq(other))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn members(order: &[&str]) -> Members {
        let mut members = Members::default();
        members.folder("conf");
        for path in order {
            members.file(path, path.as_bytes().to_vec(), *path == "run");
        }
        members
    }

    #[test]
    fn the_same_members_give_the_same_bytes_whatever_their_order() {
        let one = members(&["docker-compose.yaml", "conf/a", "run"])
            .pack("x")
            .unwrap();
        let other = members(&["run", "conf/a", "docker-compose.yaml"])
            .pack("x")
            .unwrap();
        assert_eq!(one, other);
        let files = archive::files(&one).unwrap();
        assert_eq!(files["conf/a"].bytes.as_slice(), b"conf/a");
        assert_eq!(files.len(), 3);
    }

    #[test]
    fn a_long_path_survives() {
        let path = format!("{}/{}", "d".repeat(200), "f".repeat(200));
        let files = archive::files(&members(&[&path]).pack("x").unwrap()).unwrap();
        assert_eq!(files[&path].bytes.as_slice(), path.as_bytes());
    }

    #[test]
    fn what_the_guest_would_refuse_is_not_packed() {
        let mut many = Members::default();
        for number in 0..=archive::LIMITS.members {
            many.folder(&number.to_string());
        }
        assert!(many.is_too_much() && many.pack("x").is_err());
        let deep = vec!["d"; archive::LIMITS.depth + 1].join("/");
        let told = members(&[&deep]).pack("x").unwrap_err();
        assert!(told.cause.starts_with("the path d/d/d") && told.cause.ends_with("is too deep"));
        assert!(members(&["a\u{7}b"]).pack("x").is_err());
        let zeros = {
            let mut members = Members::default();
            members.file("zeros", vec![0; 8 << 20], false);
            members
        };
        assert!(
            zeros
                .pack("x")
                .unwrap_err()
                .cause
                .contains("times its size")
        );
    }

    #[test]
    fn archives_are_compared_by_their_files() {
        let packed = |mode: u32, content: &[u8]| {
            let mut tar =
                tar::Builder::new(GzBuilder::new().write(Vec::new(), Compression::fast()));
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(mode);
            header.set_mtime(1_700_000_000);
            tar.append_data(&mut header, "./a", content).unwrap();
            STANDARD.encode(tar.into_inner().unwrap().finish().unwrap())
        };
        let ours = {
            let mut members = Members::default();
            members.file("a", b"content".to_vec(), false);
            members.pack("x").unwrap()
        };
        assert!(hold_the_same_files(&packed(0o640, b"content"), &ours));
        assert!(!hold_the_same_files(&packed(0o750, b"content"), &ours));
        assert!(!hold_the_same_files(&packed(0o640, b"another"), &ours));
        assert!(!hold_the_same_files("no archive", "no archive"));
    }

    #[test]
    fn a_folder_without_yaml_at_its_top_describes_no_workload() {
        assert!(members(&["pod.yml"]).describe_a_workload());
        assert!(!members(&["conf/pod.yml", "run"]).describe_a_workload());
    }
}
