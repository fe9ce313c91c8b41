//! Looks at a disk: blank, a volume, or something else.
//!
//! It only reads. libblkid sees a disk only where our own checks found nothing, since its many parsers are many places
//! for a hostile disk to aim at.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use libblkid_rs::{BlkidProbe, BlkidSafeprobeRet};

use crate::decide::Found;
use crate::ends::{END, Ends};
use crate::error::{Fault, tame};
use crate::inventory::Disk;
use crate::luks::header::MAGIC;
use crate::partition::{self, Layout, Table};

/// What is on a disk.
///
/// # Errors
/// [`Fault::Read`], or [`Fault::Partitions`] where there is a partition table that is not a volume's.
pub(crate) fn look(disk: &Disk) -> Result<Found, Fault> {
    let file = File::open(&disk.node).map_err(unreadable)?;
    if disk.size < 2 * END {
        return Ok(Found::Foreign("less than 2 MiB".to_owned()));
    }
    let ends = Ends::read(&file, disk.size).map_err(unreadable)?;
    if ends.is_zero() {
        return Ok(signature(&disk.node)?.map_or(Found::Blank, Found::Foreign));
    }
    if let Table::Volume { layout, whole } = partition::read(&ends, disk.sector)? {
        return Ok(Found::Partitioned {
            layout,
            torn: !whole && Layout::of(disk.size) == Some(layout),
        });
    }
    if ends.head().starts_with(MAGIC) {
        return Ok(Found::WholeDisk);
    }
    // A first format that was cut off while it wrote the table, which comes last: the volume is where it has to be.
    if let Some(layout) = Layout::of(disk.size) {
        let mut magic = [0; MAGIC.len()];
        file.read_exact_at(&mut magic, layout.data.start)
            .map_err(unreadable)?;
        if magic == *MAGIC {
            return Ok(Found::Partitioned { layout, torn: true });
        }
    }
    Ok(Found::Foreign(
        signature(&disk.node)?.unwrap_or_else(|| "bytes that are not zero".to_owned()),
    ))
}

fn unreadable(source: std::io::Error) -> Fault {
    Fault::Read {
        what: "the disk",
        source,
    }
}

/// The signature that libblkid knows on a device: of a file system, a RAID, LUKS or a partition table.
///
/// # Errors
/// [`Fault::Read`] where the device cannot be probed; then nothing is known, which is not the same as blank.
pub(crate) fn signature(device: &Path) -> Result<Option<String>, Fault> {
    let fault = |error: libblkid_rs::BlkidErr| unreadable(std::io::Error::other(error.to_string()));
    let mut probe = BlkidProbe::new_from_filename(device).map_err(fault)?;
    probe.enable_superblocks(true).map_err(fault)?;
    probe.enable_partitions(true).map_err(fault)?;
    match probe.do_safeprobe().map_err(fault)? {
        BlkidSafeprobeRet::None => Ok(None),
        BlkidSafeprobeRet::Ambiguous => Ok(Some("several signatures".to_owned())),
        BlkidSafeprobeRet::Success => {
            let name = ["TYPE", "PTTYPE"]
                .iter()
                .find_map(|tag| probe.lookup_value(tag).ok());
            Ok(Some(name.map_or_else(
                || "a signature".to_owned(),
                |name| tame(name.trim_end_matches('\0')),
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::process::Command;

    const SIZE: u64 = 256 << 20;

    fn disk(folder: &Path) -> (Disk, File) {
        let node = folder.join("vda");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&node)
            .unwrap();
        file.set_len(SIZE).unwrap();
        let disk = Disk {
            name: "vda".to_owned(),
            node,
            size: SIZE,
            sector: 512,
            serial: None,
            read_only: false,
            partitions: Vec::new(),
        };
        (disk, file)
    }

    #[test]
    fn a_zeroed_disk_is_blank() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(look(&disk(folder.path()).0).unwrap(), Found::Blank);
    }

    #[test]
    fn one_byte_at_either_end_makes_it_foreign() {
        for offset in [0, SIZE - 1] {
            let folder = tempfile::tempdir().unwrap();
            let (disk, file) = disk(folder.path());
            file.write_all_at(&[1], offset).unwrap();
            assert_eq!(
                look(&disk).unwrap(),
                Found::Foreign("bytes that are not zero".to_owned())
            );
        }
    }

    #[test]
    fn a_file_system_is_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, _file) = disk(folder.path());
        let made = Command::new("/usr/sbin/mke2fs")
            .args(["-q", "-F"])
            .arg(&disk.node)
            .status();
        if !made.is_ok_and(|status| status.success()) {
            eprintln!("skipped: no mke2fs");
            return;
        }
        assert_eq!(look(&disk).unwrap(), Found::Foreign("ext2".to_owned()));
        assert_eq!(signature(&disk.node).unwrap(), Some("ext2".to_owned()));
    }

    #[test]
    fn luks_at_the_start_is_a_whole_disk_volume() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, file) = disk(folder.path());
        file.write_all_at(MAGIC, 0).unwrap();
        assert_eq!(look(&disk).unwrap(), Found::WholeDisk);
    }

    #[test]
    fn a_table_torn_anywhere_still_leads_to_the_volume() {
        let layout = Layout::of(SIZE).unwrap();
        for torn in [0, 512, 1024, SIZE - (16 << 10), SIZE - 512] {
            let folder = tempfile::tempdir().unwrap();
            let (disk, file) = disk(folder.path());
            let ends = partition::make(&layout, SIZE, 512).unwrap();
            file.write_all_at(ends.head(), 0).unwrap();
            file.write_all_at(ends.tail(), SIZE - ends.tail().len() as u64)
                .unwrap();
            file.write_all_at(MAGIC, layout.data.start).unwrap();
            assert_eq!(
                look(&disk).unwrap(),
                Found::Partitioned {
                    layout,
                    torn: false
                }
            );
            file.write_all_at(&[0; 512], torn).unwrap();
            let found = look(&disk).unwrap();
            // The first bytes of an array in which nothing but the first entry is used.
            assert!(
                matches!(found, Found::Partitioned { layout: seen, .. } if seen == layout),
                "{torn}: {found:?}"
            );
        }
    }

    #[test]
    fn a_torn_table_without_a_volume_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, file) = disk(folder.path());
        let ends = partition::make(&Layout::of(SIZE).unwrap(), SIZE, 512).unwrap();
        file.write_all_at(&ends.head()[..1024], 0).unwrap();
        assert!(matches!(look(&disk).unwrap(), Found::Foreign(_)));
    }
}
