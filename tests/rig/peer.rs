//! The peer that a boot is measured against: a Debian guest that does the appliance's job with the tools of the
//! distribution: systemd, podman, cryptsetup, rsyslog, and the openssl command line in shell scripts (`tests/peer/`).
//!
//! It boots under the image's own kernel, on the same hardware, from the same seed disk, and gets every reasonable
//! advantage: docs/development.md lists them. It is measured and nothing else; nothing of it goes into an image.

mod build;
mod root;

use std::{
    fs,
    path::{Path, PathBuf},
};

use hpcr_image::qemu::Disk;

use crate::{
    Error, Result,
    guest::{Appliance, OtherSystem},
    place,
};

/// What it is, in the report.
pub const NAME: &str = "Debian trixie: systemd, podman, cryptsetup, rsyslog, openssl";

/// As the image's own command line, without the wiping of freed pages; and systemd waits for its disks also where other
/// work starves the emulation.
const COMMAND_LINE: &str = "console=ttyS0 panic=-1 quiet systemd.default_device_timeout_sec=600";
/// The serial by which its first process finds the root disk.
const ROOT_SERIAL: &str = "root";

/// A peer that can be booted.
#[derive(Debug)]
pub struct Peer(Files);

/// Its parts on the host.
#[derive(Debug)]
struct Files {
    /// The root, as an ext4 file system.
    root: PathBuf,
    /// The same, compressed as the image's initramfs is.
    compressed: PathBuf,
    initramfs: PathBuf,
    /// Tells what the others were made of; written last.
    stamp: PathBuf,
}

impl Files {
    fn in_target() -> Self {
        let folder = place::target().join("rig/peer");
        Self {
            root: folder.join("root.ext4"),
            compressed: folder.join("root.ext4.zst"),
            initramfs: folder.join("initramfs"),
            stamp: folder.join("stamp"),
        }
    }
}

/// Builds the peer where it is not there yet, for [`Peer::prepared`]. Runs outside of a namespace, since it may need the
/// network.
///
/// # Errors
/// Where a package cannot be had, or is not as it was; there is no peer then.
pub fn prepare(progress: fn(&str)) -> Result<()> {
    let files = Files::in_target();
    let built = build::build(&files, progress);
    if built.is_err() {
        // An old one must not be taken for what could not be built; there may be none.
        let _ = fs::remove_file(&files.stamp);
    }
    built
}

impl Peer {
    /// The peer that [`prepare`] built, if it could.
    pub fn prepared() -> Option<Self> {
        let files = Files::in_target();
        files.stamp.is_file().then_some(Self(files))
    }

    /// A guest of it, with blank disks in `folder`.
    ///
    /// # Errors
    /// Where a disk cannot be made.
    pub fn guest(&self, folder: &Path, user_data: &str) -> Result<Appliance> {
        let mut appliance = Appliance::new(folder, Some(user_data))?;
        appliance.replace_system(OtherSystem {
            initramfs: self.0.initramfs.clone(),
            command_line: COMMAND_LINE.into(),
            root: Disk {
                read_only: true,
                ..Disk::new(&self.0.root, ROOT_SERIAL)
            },
        });
        Ok(appliance)
    }

    /// The bytes of what would be shipped beside the kernel: the first file system and the compressed root.
    ///
    /// # Errors
    /// Where they are gone.
    pub fn size(&self) -> Result<u64> {
        [&self.0.initramfs, &self.0.compressed]
            .into_iter()
            .map(|path| {
                let part = fs::metadata(path);
                Ok(part
                    .map_err(Error::io(format!("measuring {}", path.display())))?
                    .len())
            })
            .sum()
    }
}
