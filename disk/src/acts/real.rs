//! The acts for real: ioctl, pwrite, exec, device-mapper, mount.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};

use libcryptsetup_rs::consts::flags::{CryptActivate, CryptDeactivate};
use libcryptsetup_rs::consts::vals::EncryptionFormat;
use libcryptsetup_rs::{CryptInit, CryptParamsPlain, CryptParamsPlainRef, Either, LibcryptErr};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::{Acts, Mapping, MountOptions, blkpg};
use crate::error::{Fault, tame};
use crate::luks::copy::MemoryFile;
use crate::luks::keys::VolumeKey;
use crate::luks::silence;
use crate::partition::Extent;

/// Where device-mapper has its nodes.
const MAPPER: &str = "/dev/mapper";
/// Sectors of plain mappings; large ones cost fewer initialisation vectors.
const PLAIN_SECTOR: u32 = 4096;
/// How much of a program's complaint is kept, in bytes.
const COMPLAINT: u64 = 4096;

/// The acts for real.
#[derive(Debug)]
pub(crate) struct Real;

impl Acts for Real {
    fn add_partition(&mut self, disk: &Path, partition: Extent) -> io::Result<()> {
        blkpg::add(disk, partition)
    }

    fn write(&mut self, device: &Path, pieces: &[(u64, &[u8])]) -> io::Result<()> {
        let file = File::options().write(true).open(device)?;
        for (offset, bytes) in pieces {
            file.write_all_at(bytes, *offset)?;
            file.sync_all()?;
        }
        Ok(())
    }

    fn make_filesystem(
        &mut self,
        program: &Path,
        options: &[&str],
        device: &Path,
    ) -> Result<(), Fault> {
        let fault = |why: String| Fault::MakeFilesystem {
            program: program.to_owned(),
            why,
        };
        let mut child = Command::new(program)
            .args(options)
            .arg(device)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| fault(error.to_string()))?;
        let mut complaint = Vec::new();
        if let Some(errors) = child.stderr.take() {
            errors
                .take(COMPLAINT)
                .read_to_end(&mut complaint)
                .map_err(|error| fault(error.to_string()))?;
        }
        let status = child.wait().map_err(|error| fault(error.to_string()))?;
        if !status.success() {
            return Err(fault(format!(
                "{status}: {}",
                tame(String::from_utf8_lossy(&complaint).trim())
            )));
        }
        File::open(device)
            .and_then(|file| file.sync_all())
            .map_err(|error| fault(error.to_string()))
    }

    fn map(&mut self, name: &str, mapping: Mapping<'_>, key: &VolumeKey) -> Result<(), Fault> {
        let fault = |error: LibcryptErr| Fault::Crypt {
            step: "making the mapping",
            why: error.to_string(),
        };
        silence();
        match mapping {
            Mapping::Luks { header, device } => {
                map_luks(name, &header.to_memory()?, device, key).map_err(fault)
            }
            Mapping::Plain {
                device,
                start,
                length,
            } => map_plain(name, device, start, length, key).map_err(fault),
        }
    }

    fn unmap(&mut self, name: &str) -> io::Result<()> {
        silence();
        let node = Path::new(MAPPER).join(name);
        let deactivated = CryptInit::init(&node).and_then(|mut device| {
            device
                .activate_handle()
                .deactivate(name, CryptDeactivate::empty())
        });
        match deactivated {
            Ok(()) => Ok(()),
            Err(LibcryptErr::IOError(error)) => Err(error),
            Err(error) => Err(io::Error::other(error.to_string())),
        }
    }

    fn mount(&mut self, device: &Path, folder: &Path, options: &MountOptions) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut flags = MountFlags::NODEV | MountFlags::NOSUID;
        if options.no_access_times {
            flags |= MountFlags::NOATIME;
        }
        Ok(mount(device, folder, options.kind, flags, options.data)?)
    }

    fn unmount(&mut self, folder: &Path) -> io::Result<()> {
        Ok(unmount(folder, UnmountFlags::empty())?)
    }
}

/// By the volume key, under the header in memory: the device's own header is not looked at.
fn map_luks(
    name: &str,
    header: &MemoryFile,
    device: &Path,
    key: &VolumeKey,
) -> Result<(), LibcryptErr> {
    let mut crypt = CryptInit::init_with_data_device(Either::Right((&header.path(), device)))?;
    crypt.settings_handle().metadata_locking(false)?;
    crypt
        .context_handle()
        .load::<()>(Some(EncryptionFormat::Luks2), None)?;
    crypt.activate_handle().activate_by_volume_key(
        Some(name),
        Some(key.expose()),
        CryptActivate::empty(),
    )
}

fn map_plain(
    name: &str,
    device: &Path,
    start: u64,
    length: u64,
    key: &VolumeKey,
) -> Result<(), LibcryptErr> {
    let parameters = CryptParamsPlain {
        // Of a passphrase; there is none, and the library wants a name all the same.
        hash: "plain".to_owned(),
        offset: start / 512,
        sector_size: PLAIN_SECTOR,
        size: length / 512,
        skip: 0,
    };
    let mut parameters: CryptParamsPlainRef<'_> = (&parameters).try_into()?;
    let mut crypt = CryptInit::init(device)?;
    crypt.context_handle().format(
        EncryptionFormat::Plain,
        ("aes", "xts-plain64"),
        None,
        Either::Right(key.expose().len()),
        Some(&mut parameters),
    )?;
    crypt.activate_handle().activate_by_volume_key(
        Some(name),
        Some(key.expose()),
        CryptActivate::empty(),
    )
}
