//! Acts that are only written down, except for writes, which go to the files that stand for devices.
//!
//! The node of a partition is a file of its own, filled from the disk when the kernel is told of it; what is written to
//! it is written to the disk too.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Acts, Mapping, MountOptions};
use crate::Context;
use crate::error::Fault;
use crate::luks::keys::VolumeKey;
use crate::partition::Extent;

/// Bytes at the start of a partition that its node shows of the disk; nothing reads further.
const SHOWN: usize = 2 << 20;

/// An act that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    AddPartition(u32),
    Write(&'static str, u64),
    MakeFilesystem(&'static str),
    MapLuks(&'static str),
    MapPlain(u64, u64),
    Unmap(&'static str),
    Mount(&'static str, &'static str),
    Unmount(&'static str),
}

/// What was done, and after how many acts everything fails, as if power had been cut.
#[derive(Debug, Default)]
pub(crate) struct Recording {
    pub(crate) done: Vec<Act>,
    pub(crate) cut_after: Option<usize>,
    /// How many bytes of a write that power was cut at still land.
    pub(crate) torn: usize,
    /// Of the partitions' nodes: the disk and the first byte on it.
    windows: BTreeMap<PathBuf, (PathBuf, u64)>,
    /// The one method that fails: `mount` or `make_filesystem`.
    pub(crate) failing: Option<&'static str>,
    /// Keys of the mappings, to see that they are the same ones.
    pub(crate) keys: Vec<Vec<u8>>,
}

impl Recording {
    fn refuse(&self, method: &str) -> io::Result<()> {
        if self.failing == Some(method) {
            return Err(io::Error::other("refused"));
        }
        Ok(())
    }

    fn note(&mut self, act: Act) -> io::Result<()> {
        if self.cut_after.is_some_and(|count| self.done.len() >= count) {
            return Err(io::Error::other("power cut"));
        }
        self.done.push(act);
        Ok(())
    }
}

/// The last part of a path, leaked: tests compare with literals.
fn name(path: &Path) -> &'static str {
    path.file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned()
        .leak()
}

impl Acts for Recording {
    fn add_partition(&mut self, disk: &Path, partition: Extent) -> io::Result<()> {
        self.note(Act::AddPartition(partition.number))?;
        let node = disk.with_file_name(format!("{}{}", name(disk), partition.number));
        let mut shown = vec![0; SHOWN];
        File::open(disk)?.read_exact_at(&mut shown, partition.start)?;
        fs::write(&node, shown)?;
        File::options()
            .write(true)
            .open(&node)?
            .set_len(partition.length)?;
        self.windows
            .insert(node, (disk.to_owned(), partition.start));
        Ok(())
    }

    fn write(&mut self, device: &Path, pieces: &[(u64, &[u8])]) -> io::Result<()> {
        for (offset, bytes) in pieces {
            let outcome = self.note(Act::Write(name(device), *offset));
            let landed = match outcome {
                Ok(()) => bytes,
                Err(_) => &bytes[..self.torn.min(bytes.len())],
            };
            File::options()
                .write(true)
                .open(device)?
                .write_all_at(landed, *offset)?;
            if let Some((disk, start)) = self.windows.get(device) {
                File::options()
                    .write(true)
                    .open(disk)?
                    .write_all_at(landed, start + offset)?;
            }
            outcome?;
        }
        Ok(())
    }

    fn make_filesystem(&mut self, _: &Path, _: &[&str], device: &Path) -> Result<(), Fault> {
        let fault = |error: io::Error| Fault::MakeFilesystem {
            program: PathBuf::new(),
            why: error.to_string(),
        };
        self.refuse("make_filesystem").map_err(fault)?;
        self.note(Act::MakeFilesystem(name(device))).map_err(fault)
    }

    fn map(&mut self, _: &str, mapping: Mapping<'_>, key: &VolumeKey) -> Result<(), Fault> {
        let act = match mapping {
            Mapping::Luks { device, .. } => Act::MapLuks(name(device)),
            Mapping::Plain { start, length, .. } => Act::MapPlain(start, length),
        };
        self.note(act).map_err(|error| Fault::Crypt {
            step: "mapping",
            why: error.to_string(),
        })?;
        self.keys.push(key.expose().to_vec());
        Ok(())
    }

    fn unmap(&mut self, name: &str) -> io::Result<()> {
        self.note(Act::Unmap(name.to_owned().leak()))
    }

    fn mount(&mut self, device: &Path, folder: &Path, _: &MountOptions) -> io::Result<()> {
        self.refuse("mount")?;
        self.note(Act::Mount(
            name(device),
            folder.to_string_lossy().into_owned().leak(),
        ))
    }

    fn unmount(&mut self, folder: &Path) -> io::Result<()> {
        self.note(Act::Unmount(folder.to_string_lossy().into_owned().leak()))
    }
}

/// A machine without a kernel: `/sys` and `/dev` in a folder, disks as sparse files.
pub(crate) struct Bench {
    pub(crate) acts: Recording,
    pub(crate) context: Context,
    root: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let context = Context {
            sys: root.path().join("sys"),
            dev: root.path().join("dev"),
            wait: Duration::ZERO,
            settle: Duration::ZERO,
            ..Context::default()
        };
        fs::create_dir_all(context.sys.join("block")).unwrap();
        fs::create_dir_all(&context.dev).unwrap();
        Self {
            acts: Recording::default(),
            context,
            root,
        }
    }

    /// Attaches a blank disk.
    pub(crate) fn disk(&mut self, name: &str, serial: &str, size: u64) -> File {
        let folder = self.context.sys.join("block").join(name);
        fs::create_dir_all(&folder).unwrap();
        for (file, text) in [
            ("size", (size / 512).to_string()),
            ("ro", "0".into()),
            ("serial", serial.into()),
        ] {
            fs::write(folder.join(file), text).unwrap();
        }
        let node = self.node(name);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(node)
            .unwrap();
        file.set_len(size).unwrap();
        file
    }

    /// The file that stands for a device.
    pub(crate) fn node(&self, name: &str) -> PathBuf {
        self.root.path().join("dev").join(name)
    }
}
