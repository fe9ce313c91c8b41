//! The seed disk: a small ISO 9660 image labelled `cidata` with the contract, as cloud-init's NoCloud source has it.
//!
//! Made by xorriso with every clock set to zero, so that the same contract gives the same bytes. It never looks into
//! what it packs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::Result;
use crate::files::{self, io_error};

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

const DEFAULT_META_DATA: &[u8] = b"local-hostname: hpcr\n";

impl Seed {
    /// Writes the ISO image.
    pub fn write(&self, output: &Path) -> Result<()> {
        let dir =
            tempfile::tempdir().map_err(io_error("create a folder in", &std::env::temp_dir()))?;
        let files = [
            ("user-data", Some(&self.user_data)),
            ("meta-data", self.meta_data.as_ref()),
            ("vendor-data", self.vendor_data.as_ref()),
            ("network-config", self.network_config.as_ref()),
        ];
        for (name, source) in files {
            let content = match source {
                Some(path) => files::read(path)?,
                None if name == "meta-data" => DEFAULT_META_DATA.to_vec(),
                None => continue,
            };
            let path = dir.path().join(name);
            files::write(&path, &content, 0o600)?;
            forget_the_time(&path)?;
        }
        forget_the_time(dir.path())?;
        // xorriso appends to an image that exists.
        if output.exists() {
            fs::remove_file(output).map_err(io_error("remove", output))?;
        }
        let mut command = Command::new("xorriso");
        command
            .env("SOURCE_DATE_EPOCH", "0")
            .args(["-as", "mkisofs", "-quiet", "-V", "cidata", "-J", "-r"]);
        command.arg("-o").arg(output).arg(dir.path());
        files::run("xorriso", "xorriso", "making the seed disk", &mut command).map(drop)
    }
}

/// The image carries the time of each file, and of the folder.
fn forget_the_time(path: &Path) -> Result<()> {
    let forget = || File::open(path)?.set_modified(SystemTime::UNIX_EPOCH);
    forget().map_err(io_error("set the time of", path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_seed_disk_is_labelled_and_the_same_each_time() {
        if Command::new("xorriso").arg("-version").output().is_err() {
            eprintln!("skipped: no xorriso on this machine");
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let user_data = dir.path().join("contract.yaml");
        fs::write(&user_data, "env: x\nworkload: y\n").unwrap();
        let seed = Seed {
            user_data,
            ..Seed::default()
        };
        let [first, second] = ["a.iso", "b.iso"].map(|name| dir.path().join(name));
        seed.write(&first).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1100));
        seed.write(&second).unwrap();
        seed.write(&second).unwrap();
        let bytes = fs::read(&first).unwrap();
        assert_eq!(&bytes[32768 + 1..32768 + 6], b"CD001");
        assert_eq!(&bytes[32768 + 40..32768 + 46], b"cidata");
        assert!(bytes == fs::read(&second).unwrap(), "the two images differ");
    }
}
