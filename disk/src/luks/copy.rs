//! The header in memory: read from the device once, bounded, and the only thing that is believed afterwards.
//!
//! It never writes to the device that it came from.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use openssl::sha::Sha256;
use rustix::fs::{MemfdFlags, memfd_create};

use super::header::{self, Header};
use super::parameters::{AREA, HEADERS};
use crate::error::Fault;

/// A checked header with the bytes of its key slots.
#[derive(Debug)]
pub(crate) struct HeaderCopy {
    /// What it says.
    pub(crate) header: Header,
    /// SHA-256 of both copies and the areas of the slots, in the order of the slots, as they were on the device.
    pub(crate) digest: [u8; 32],
    /// Offset and bytes of each slot.
    areas: Vec<(u64, Vec<u8>)>,
}

impl HeaderCopy {
    /// Reads the header of a LUKS device: 32 KiB, then the slots that those announce.
    ///
    /// # Errors
    /// [`Fault::Read`], or [`Fault::Header`] where the header is not of an accepted form.
    pub(crate) fn read(device: &File) -> Result<Self, Fault> {
        let fault = |source| Fault::Read {
            what: "the LUKS header",
            source,
        };
        let mut headers = vec![0; HEADERS];
        device.read_exact_at(&mut headers, 0).map_err(fault)?;
        let header = header::parse(&headers).map_err(Fault::from)?;
        let mut areas = Vec::new();
        for slot in header.metadata.keyslots.values() {
            let mut area = vec![0; AREA];
            device
                .read_exact_at(&mut area, slot.area.offset.0)
                .map_err(fault)?;
            areas.push((slot.area.offset.0, area));
        }
        let mut digest = Sha256::new();
        digest.update(&headers);
        for (_, area) in &areas {
            digest.update(area);
        }
        Ok(Self {
            header,
            digest: digest.finish(),
            areas,
        })
    }

    /// The header as a file in memory for libcryptsetup, written anew from what was understood.
    ///
    /// # Errors
    /// [`Fault::Crypt`] where the kernel has no memory for it.
    pub(crate) fn to_memory(&self) -> Result<MemoryFile, Fault> {
        let headers = self.header.render([[0; 64]; 2]).map_err(Fault::from)?;
        let mut pieces = vec![(0, &headers[..])];
        pieces.extend(self.areas.iter().map(|(offset, area)| (*offset, &area[..])));
        // As long as the header says, or libcryptsetup takes it for cut off; what is not written costs no memory.
        MemoryFile::new(self.header.length(), &pieces)
    }
}

/// A file that lives in memory only and goes with its last user.
#[derive(Debug)]
pub(crate) struct MemoryFile(File);

impl MemoryFile {
    /// A file of `length` bytes with these pieces at their offsets, else zero.
    ///
    /// # Errors
    /// [`Fault::Crypt`] where the kernel has no memory for it.
    pub(crate) fn new(length: u64, pieces: &[(u64, &[u8])]) -> Result<Self, Fault> {
        let make = || -> std::io::Result<File> {
            let file = File::from(memfd_create("luks", MemfdFlags::CLOEXEC)?);
            file.set_len(length)?;
            pieces
                .iter()
                .try_for_each(|(offset, bytes)| file.write_all_at(bytes, *offset))?;
            Ok(file)
        };
        make().map(Self).map_err(|error| Fault::Crypt {
            step: "making a file in memory",
            why: error.to_string(),
        })
    }

    /// The path by which this process can open it.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }

    /// Its bytes.
    ///
    /// # Errors
    /// Where the kernel fails to read its own memory.
    pub(crate) fn bytes(&self) -> std::io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(self.0.metadata()?.len()).unwrap_or(0)];
        self.0.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }
}
