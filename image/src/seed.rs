//! The seed disk: the files of a contract, packed by [`hpcr_contract::seed`] into an ISO 9660 image labelled `cidata`.

use std::path::{Path, PathBuf};

use hpcr_contract::seed;
use zeroize::Zeroizing;

use crate::{Result, files};

/// What goes onto the disk.
#[derive(Debug, Clone, Default)]
pub struct Seed {
    /// The contract.
    pub user_data: PathBuf,
    /// `local-hostname: ...`; a fixed one is written if there is none.
    pub meta_data: Option<PathBuf>,
    /// Passed on, never interpreted by the guest.
    pub vendor_data: Option<PathBuf>,
    /// Addresses, routes, name servers; DHCP if there is none.
    pub network_config: Option<PathBuf>,
}

impl Seed {
    /// Writes the ISO image.
    pub fn write(&self, output: &Path) -> Result<()> {
        let read = |path: &PathBuf| files::read(path).map(Zeroizing::new);
        let user_data = read(&self.user_data)?;
        let meta_data = self.meta_data.as_ref().map(read).transpose()?;
        let vendor_data = self.vendor_data.as_ref().map(read).transpose()?;
        let network_config = self.network_config.as_ref().map(read).transpose()?;
        let seed = seed::Seed {
            user_data: &user_data,
            meta_data: meta_data.as_ref().map(|bytes| bytes.as_slice()),
            vendor_data: vendor_data.as_ref().map(|bytes| bytes.as_slice()),
            network_config: network_config.as_ref().map(|bytes| bytes.as_slice()),
        };
        write(output, &seed.to_iso()?)
    }
}

/// Puts a seed disk in place at once, for its owner alone: a contract may hold secrets in the clear.
pub fn write(output: &Path, image: &[u8]) -> Result<()> {
    files::write(output, image, 0o600)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_seed_disk_is_labelled_private_and_replaces_an_older_one() {
        let dir = tempfile::tempdir().unwrap();
        let user_data = dir.path().join("contract.yaml");
        let iso = dir.path().join("seed.iso");
        fs::write(&user_data, "env: x\nworkload: y\n").unwrap();
        fs::write(&iso, "an older one").unwrap();
        let seed = Seed {
            user_data,
            ..Seed::default()
        };
        seed.write(&iso).unwrap();
        let bytes = fs::read(&iso).unwrap();
        assert_eq!(&bytes[32_808..32_814], b"cidata");
        assert_eq!(iso.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let seed = Seed {
            user_data: "/nowhere/contract.yaml".into(),
            ..Seed::default()
        };
        let error = seed.write(Path::new("/nowhere/seed.iso")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("/nowhere/contract.yaml: cannot read")
        );
    }
}
