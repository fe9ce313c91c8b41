//! The privileged and irreversible acts, behind one small trait.
//!
//! Everything that this crate does to the world goes through [`Acts`]; what it decides is tested with one that only
//! records.

mod blkpg;
mod real;
#[cfg(test)]
pub(crate) mod recording;

use std::io;
use std::path::Path;

pub(crate) use real::Real;

use crate::error::Fault;
use crate::luks::copy::HeaderCopy;
use crate::luks::keys::VolumeKey;
use crate::partition::Extent;

/// What a mapping shows decrypted.
#[derive(Debug)]
pub(crate) enum Mapping<'a> {
    /// The segment that a header names, on a device; the header comes from memory.
    Luks {
        /// The checked header.
        header: &'a HeaderCopy,
        /// The device with the ciphertext.
        device: &'a Path,
    },
    /// A run of a device, without any header.
    Plain {
        /// The device.
        device: &'a Path,
        /// First byte.
        start: u64,
        /// Bytes.
        length: u64,
    },
}

/// What the kernel and other programs do for this crate.
pub(crate) trait Acts {
    /// Tells the kernel of a partition, and writes nothing.
    fn add_partition(&mut self, disk: &Path, partition: Extent) -> io::Result<()>;
    /// Writes bytes at offsets of a device, and returns when they are on it to stay.
    fn write(&mut self, device: &Path, pieces: &[(u64, &[u8])]) -> io::Result<()>;
    /// Runs a program that makes a file system on a device, and returns when it is there to stay.
    fn make_filesystem(
        &mut self,
        program: &Path,
        options: &[&str],
        device: &Path,
    ) -> Result<(), Fault>;
    /// Makes the device `/dev/mapper/NAME`, under a key.
    fn map(&mut self, name: &str, mapping: Mapping<'_>, key: &VolumeKey) -> Result<(), Fault>;
    /// Takes a mapping away.
    fn unmap(&mut self, name: &str) -> io::Result<()>;
    /// Mounts an ext4, xfs or btrfs device; makes the folder where it is missing.
    fn mount(&mut self, device: &Path, folder: &Path, options: &MountOptions) -> io::Result<()>;
    /// Unmounts a folder.
    fn unmount(&mut self, folder: &Path) -> io::Result<()>;
}

/// How a file system is mounted: always without devices and set-uid programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MountOptions {
    /// Its kind, as the kernel calls it.
    pub(crate) kind: &'static str,
    /// Options of that kind.
    pub(crate) data: &'static std::ffi::CStr,
    /// Without access times.
    pub(crate) no_access_times: bool,
}
