//! The seed device: found by its label, read once, hashed, and parsed from that one buffer.
//!
//! It is never mounted and never read again: what the host changes on it later changes nothing.

pub(crate) mod iso9660;

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use iso9660::{Image, IsoError};

/// The largest seed device, in bytes.
const MAX_BYTES: u64 = 32 << 20;
/// The label, in any case.
const LABEL: &str = "cidata";

/// What the host has handed over.
pub(crate) struct Seed {
    /// Kernel name of the device (`vdb`).
    pub(crate) device: String,
    /// SHA-256 of every byte of the device.
    pub(crate) hash: [u8; 32],
    /// The contract. It may hold secrets in the clear.
    pub(crate) user_data: Zeroizing<Vec<u8>>,
    /// `meta-data`.
    pub(crate) meta_data: Option<Vec<u8>>,
    /// `vendor-data`.
    pub(crate) vendor_data: Option<Vec<u8>>,
    /// `network-config`.
    pub(crate) network_config: Option<Vec<u8>>,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seed")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

/// Why there is no usable seed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SeedError {
    /// No device with the label.
    #[error(
        "no cidata: no block device is labelled cidata; attach an ISO 9660 image with that volume id"
    )]
    Missing,
    /// More than one.
    #[error("more than one block device is labelled cidata ({}); attach one", .0.join(", "))]
    Ambiguous(Vec<String>),
    /// Larger than anything that is read.
    #[error(
        "the cidata device {device} has {size} bytes, more than the {MAX_BYTES} that are read; make it smaller"
    )]
    TooLarge {
        /// Kernel name.
        device: String,
        /// Bytes.
        size: u64,
    },
    /// The device cannot be read.
    #[error("the cidata device {device} cannot be read: {source}; attach it again")]
    Read {
        /// Kernel name.
        device: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The device holds no readable ISO 9660 image.
    #[error(
        "the cidata device {device}: {source}; make it again, for example with xorriso -as mkisofs -V cidata -J -r"
    )]
    Iso {
        /// Kernel name.
        device: String,
        /// What is wrong with it.
        source: IsoError,
    },
    /// No contract.
    #[error("the cidata device {0} has no file user-data; put the contract there")]
    NoUserData(String),
}

/// A block device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    name: String,
    node: PathBuf,
    size: u64,
}

/// The devices that are labelled as a seed, of all that the kernel knows.
pub(crate) fn candidates(sys: &Path, dev: &Path) -> io::Result<Vec<Candidate>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(sys.join("block"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let sectors =
            std::fs::read_to_string(sys.join("block").join(&name).join("size")).unwrap_or_default();
        let size = sectors
            .trim()
            .parse::<u64>()
            .unwrap_or(0)
            .saturating_mul(512);
        let candidate = Candidate {
            node: dev.join(&name),
            name,
            size,
        };
        // A device that cannot be read is no seed; should it be the only one, that none was found is told.
        if size > 0 && is_labelled(&candidate.node).unwrap_or(false) {
            found.push(candidate);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn is_labelled(node: &Path) -> io::Result<bool> {
    let mut descriptor = [0; iso9660::SECTOR];
    File::open(node)?.read_exact_at(&mut descriptor, iso9660::FIRST_DESCRIPTOR)?;
    Ok(iso9660::volume_id(&descriptor).is_some_and(|id| id.eq_ignore_ascii_case(LABEL)))
}

/// Reads the one seed device.
pub(crate) fn read(candidates: &[Candidate]) -> Result<Seed, SeedError> {
    let [Candidate { name, node, size }] = candidates else {
        return Err(match candidates {
            [] => SeedError::Missing,
            several => SeedError::Ambiguous(several.iter().map(|one| one.name.clone()).collect()),
        });
    };
    let device = name.clone();
    if *size > MAX_BYTES {
        return Err(SeedError::TooLarge {
            device,
            size: *size,
        });
    }
    // The bound holds whatever the kernel said of the size.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(*size).unwrap_or(0)));
    let count = File::open(node).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
    match count {
        Ok(count) if count as u64 > MAX_BYTES => {
            return Err(SeedError::TooLarge {
                device,
                size: count as u64,
            });
        }
        Ok(_) => {}
        Err(source) => return Err(SeedError::Read { device, source }),
    }
    parse(device, &bytes)
}

fn parse(device: String, bytes: &[u8]) -> Result<Seed, SeedError> {
    let iso = |source| SeedError::Iso {
        device: device.clone(),
        source,
    };
    let image = Image::parse(bytes).map_err(iso)?;
    if !image.volume_id().eq_ignore_ascii_case(LABEL) {
        return Err(iso(IsoError("its label has changed while it was read")));
    }
    let file = |name| image.file(name).map_err(iso);
    let Some(user_data) = file("user-data")? else {
        return Err(SeedError::NoUserData(device));
    };
    Ok(Seed {
        hash: Sha256::digest(bytes).into(),
        user_data: Zeroizing::new(user_data.to_vec()),
        meta_data: file("meta-data")?.map(<[u8]>::to_vec),
        vendor_data: file("vendor-data")?.map(<[u8]>::to_vec),
        network_config: file("network-config")?.map(<[u8]>::to_vec),
        device,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use iso9660::tests::image;

    fn machine(disks: &[(&str, &[u8])]) -> (tempfile::TempDir, Vec<Candidate>) {
        let root = tempfile::tempdir().unwrap();
        for (name, bytes) in disks {
            let sys = root.path().join("sys/block").join(name);
            std::fs::create_dir_all(&sys).unwrap();
            std::fs::write(sys.join("size"), format!("{}\n", bytes.len() / 512)).unwrap();
            std::fs::create_dir_all(root.path().join("dev")).unwrap();
            std::fs::write(root.path().join("dev").join(name), bytes).unwrap();
        }
        let found = candidates(&root.path().join("sys"), &root.path().join("dev")).unwrap();
        (root, found)
    }

    #[test]
    fn the_one_labelled_device_is_read_and_hashed_whole() {
        let iso = image("CIDATA", &[("user-data", b"env: x"), ("meta-data", b"m")]);
        let (_root, found) = machine(&[("vda", &vec![0; 1 << 20]), ("vdb", &iso), ("vdc", b"")]);
        let seed = read(&found).unwrap();
        assert_eq!(seed.device, "vdb");
        assert_eq!(*seed.user_data, b"env: x");
        assert_eq!(seed.meta_data.as_deref(), Some(&b"m"[..]));
        assert_eq!(seed.vendor_data, None);
        assert_eq!(seed.hash, <[u8; 32]>::from(Sha256::digest(&iso)));
    }

    #[test]
    fn none_and_two_are_refused_by_name() {
        let iso = image("cidata", &[("user-data", b"x")]);
        let other = image("cidata2", &[("user-data", b"x")]);
        let (_root, found) = machine(&[("vda", &other)]);
        assert!(matches!(read(&found), Err(SeedError::Missing)));
        let (_root, found) = machine(&[("vda", &iso), ("vdb", &iso)]);
        assert!(read(&found).unwrap_err().to_string().contains("(vda, vdb)"));
    }

    #[test]
    fn a_seed_without_a_contract_or_beyond_the_bound_is_refused() {
        let (_root, found) = machine(&[("vda", &image("cidata", &[("meta-data", b"x")]))]);
        assert!(matches!(read(&found), Err(SeedError::NoUserData(_))));
        let mut large = image("cidata", &[("user-data", b"x")]);
        large.resize((32 << 20) + 512, 0);
        let (_root, found) = machine(&[("vda", &large)]);
        assert!(matches!(read(&found), Err(SeedError::TooLarge { .. })));
    }
}
