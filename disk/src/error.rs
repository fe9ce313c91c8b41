//! What can go wrong with a disk, where, and what to do about it.
//!
//! A text here names volumes by their key and disks by their kernel name. It never carries a passphrase, a key or
//! another value of a contract, and what a host wrote on a disk reaches it only cut short and in plain ASCII.

use std::fmt;
use std::path::PathBuf;

use hpcr_contract::messages::{self, Code};
use hpcr_contract::plan::Filesystem;
use thiserror::Error;

/// A fault and the place where it showed.
#[derive(Debug, Error)]
#[error("{place}: {fault}")]
pub struct DiskError {
    /// The volume and, where one was chosen already, the disk.
    pub place: Place,
    /// What is wrong.
    #[source]
    pub fault: Fault,
}

impl DiskError {
    /// The message code of the fault.
    pub fn code(&self) -> Code {
        self.fault.code()
    }
}

/// Which volume, on which disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The volume's key in the contract, or `scratch`.
    pub volume: String,
    /// The disk's kernel name (`vda`).
    pub disk: Option<String>,
}

impl Place {
    /// A volume for which no disk was chosen yet.
    pub fn volume(name: &str) -> Self {
        Self {
            volume: name.to_owned(),
            disk: None,
        }
    }

    /// The same volume on a disk.
    #[must_use]
    pub fn on(mut self, disk: &str) -> Self {
        self.disk = Some(disk.to_owned());
        self
    }

    /// Gives a fault this place: `map_err(place.fault())`.
    pub(crate) fn fault(&self) -> impl FnOnce(Fault) -> DiskError + use<> {
        let place = self.clone();
        move |fault| DiskError { place, fault }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "volume {}", self.volume)?;
        match &self.disk {
            Some(disk) => write!(f, " on disk {disk}"),
            None => Ok(()),
        }
    }
}

/// What is wrong, and the remedy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Fault {
    /// No disk appeared in time.
    #[error(
        "no disk for it appeared within {seconds} s; attach one that has the volume's id as its serial, or exactly one \
         spare disk"
    )]
    NotFound {
        /// How long it was waited for.
        seconds: u64,
    },
    /// Several disks would do.
    #[error(
        "disks {disks} would all do; give exactly one of them the volume's id as its serial, or detach the others"
    )]
    Ambiguous {
        /// Kernel names, separated by a comma.
        disks: String,
    },
    /// The disk cannot be written.
    #[error("the disk is read-only; attach it writable")]
    ReadOnly,
    /// The disk has no room for a volume.
    #[error("the disk has only {size} bytes; attach one of {needed} or more")]
    TooSmall {
        /// Its size in bytes.
        size: u64,
        /// The least that a new volume needs, in bytes.
        needed: u64,
    },
    /// `create: never`, and the disk is blank.
    #[error(
        "the disk is blank, but the contract says `create: never`; attach the disk that holds the data, or drop that \
         line to start empty"
    )]
    BlankRefused,
    /// The disk holds something that is not a volume.
    #[error(
        "the disk holds something else ({what}) and is left alone; attach the right disk or a zeroed one"
    )]
    Foreign {
        /// What was recognised.
        what: String,
    },
    /// The partitions are not the two that a volume has.
    #[error(
        "the partition table is not that of a volume ({why}); attach a disk with partitions `metadata` and `data`"
    )]
    Partitions {
        /// What is wrong with them.
        why: &'static str,
    },
    /// The LUKS header has a form that is not trusted.
    #[error(
        "the LUKS2 header is refused ({why}); restore the volume from a snapshot or make it again"
    )]
    Header {
        /// What is wrong with it.
        why: String,
    },
    /// Opening needs more memory than the guest has.
    #[error(
        "its key derivation needs {needed} KiB of memory and {available} KiB can be used; give the guest more"
    )]
    Memory {
        /// What the header asks for, in KiB.
        needed: u64,
        /// What this guest can spend, in KiB.
        available: u64,
    },
    /// No passphrase opens it.
    #[error(
        "the volume does not open with the seeds of this contract; check that both seeds and the disk belong together"
    )]
    Passphrase,
    /// Only a previous passphrase opens it.
    #[error(
        "the volume opens with a previous seed only, and this version does not change volume keys; start with the \
         previous seed as `seed`"
    )]
    PreviousPassphrase,
    /// `headerRecord: require`, and there is no record.
    #[error(
        "the volume has no header record, but the contract says `headerRecord: require`; adopt it once without that \
         line if you trust its origin"
    )]
    RecordMissing,
    /// The record contradicts the header.
    #[error(
        "the header record does not match the LUKS header, the key or the volume's name: one of them was changed \
         outside of this appliance; restore the volume from a snapshot"
    )]
    RecordMismatch,
    /// The record could not be made or compared.
    #[error("the header record could not be computed: {0}; report it with the console")]
    RecordCrypto(#[source] openssl::error::ErrorStack),
    /// The record could not be written.
    #[error("the header record could not be written: {0}; check the storage behind the disk")]
    RecordWrite(#[source] std::io::Error),
    /// The image cannot make this file system.
    #[error(
        "the image has no tool to make {filesystem:?}; ask for ext4, or attach a volume that has the file system"
    )]
    FilesystemUnsupported {
        /// What was asked for.
        filesystem: Filesystem,
    },
    /// The file system could not be made.
    #[error("{program} failed: {why}; check the storage behind the disk")]
    MakeFilesystem {
        /// The program.
        program: PathBuf,
        /// Its complaint.
        why: String,
    },
    /// The partitions could not be made.
    #[error("the partitions could not be made: {why}; check the storage behind the disk")]
    MakePartitions {
        /// The kernel's or the library's complaint.
        why: String,
    },
    /// The LUKS header could not be made.
    #[error(
        "LUKS2 could not be written: {why}; check the memory of the guest and the storage behind the disk"
    )]
    MakeLuks {
        /// The kernel's or the library's complaint.
        why: String,
    },
    /// The header could be read but the mapping not be made.
    #[error("{step} failed: {why}; check that the image has dm-crypt and AES-XTS")]
    Crypt {
        /// What was tried.
        step: &'static str,
        /// The library's complaint.
        why: String,
    },
    /// The file system could not be mounted.
    #[error(
        "the file system could not be mounted: {0}; check it with e2fsck on a copy of the disk"
    )]
    Mount(#[source] std::io::Error),
    /// The file system could not be unmounted or the mapping not be closed.
    #[error("the volume could not be closed: {0}; something may still use it")]
    Close(#[source] std::io::Error),
    /// After a fault, the mapping that was made before it could not be taken away.
    #[error("{fault}; then its mapping could not be taken away: {close}")]
    NotClosedAfter {
        /// What went wrong first.
        fault: Box<Fault>,
        /// The library's complaint.
        close: std::io::Error,
    },
    /// Reading failed.
    #[error("{what} could not be read: {source}; check the storage behind the disk")]
    Read {
        /// What was read.
        what: &'static str,
        /// The kernel's complaint.
        source: std::io::Error,
    },
}

impl Fault {
    /// The message code.
    pub fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => messages::DISK_NOT_FOUND,
            Self::Ambiguous { .. }
            | Self::ReadOnly
            | Self::TooSmall { .. }
            | Self::BlankRefused
            | Self::Foreign { .. }
            | Self::FilesystemUnsupported { .. } => messages::DISK_INVALID_INPUT,
            Self::Partitions { .. } => messages::PARTITION_COUNT,
            Self::Header { .. }
            | Self::Memory { .. }
            | Self::Passphrase
            | Self::RecordMissing
            | Self::RecordMismatch
            | Self::Crypt { .. } => messages::LUKS_OPEN_FAILED,
            Self::PreviousPassphrase => messages::LUKS_PASSWORD_CHANGE_FAILED,
            Self::RecordWrite(_) => messages::META_PARTITION_WRITE,
            Self::MakeFilesystem { .. } => messages::CREATE_FS_FAILED,
            Self::MakePartitions { .. } => messages::PARTITIONS_FAILED,
            Self::MakeLuks { .. } => messages::LUKS_FORMAT_FAILED,
            Self::Mount(_) => messages::MOUNT_DEVICE_FAILED,
            Self::NotClosedAfter { fault, .. } => fault.code(),
            Self::RecordCrypto(_) | Self::Close(_) | Self::Read { .. } => messages::DISK_UNEXPECTED,
        }
    }
}

/// What a host wrote, made fit for a line of text: printable ASCII, at most 160 characters.
pub(crate) fn tame(text: &str) -> String {
    text.chars()
        .take(160)
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '?'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_place_cause_and_remedy() {
        let error = Place::volume("data").on("vda").fault()(Fault::Passphrase);
        let text = error.to_string();
        assert!(text.starts_with("volume data on disk vda: the volume does not open"));
        assert!(text.contains("check that both seeds"));
        assert_eq!(error.code().to_string(), "HPL02003E");
    }

    #[test]
    fn text_from_a_disk_is_tamed() {
        assert_eq!(tame("a\u{1b}[2Jb\n"), "a?[2Jb?");
        assert_eq!(tame(&"x".repeat(1000)).len(), 160);
    }
}
