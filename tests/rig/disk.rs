//! The disks of a guest, as sparse files in the scratch folder.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use openssl::hash::{Hasher, MessageDigest};

use crate::{Error, Result};

const MIB: u64 = 1 << 20;

/// A disk that reads as zeros.
///
/// # Errors
/// Where it cannot be made.
pub fn blank(folder: &Path, name: &str, mib: u64) -> Result<PathBuf> {
    let path = folder.join(name);
    let make = || File::create_new(&path)?.set_len(mib * MIB);
    make().map_err(Error::io(format!("making the disk {}", path.display())))?;
    Ok(path)
}

/// SHA-256 of every byte of a disk.
///
/// # Errors
/// Where it cannot be read.
pub fn fingerprint(path: &Path) -> Result<Vec<u8>> {
    let read = || {
        let mut hash = Hasher::new(MessageDigest::sha256())?;
        io::copy(&mut File::open(path)?, &mut hash)?;
        Ok(hash.finish()?.to_vec())
    };
    read().map_err(Error::io(format!("reading the disk {}", path.display())))
}
