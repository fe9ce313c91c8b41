//! Which disks the kernel has, read from its own tables.
//!
//! This module opens no device and writes nothing; what is on a disk is the business of `probe`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Block devices that never are a disk of the host's.
const NOT_DISKS: &[&str] = &["loop", "ram", "dm-", "zram", "sr", "fd", "md", "nbd"];

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Kernel name: `vda`.
    pub name: String,
    /// Its node: `/dev/vda`.
    pub node: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Bytes of a logical sector: 512 or 4096.
    pub sector: u64,
    /// What the host calls it; absent where it has none or one that does not print.
    pub serial: Option<String>,
    /// The host lets nobody write.
    pub read_only: bool,
    /// The partitions that the kernel sees, by number.
    pub partitions: Vec<Partition>,
}

/// A partition as the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Its number, from 1.
    pub number: u32,
    /// First byte.
    pub start: u64,
    /// Bytes.
    pub length: u64,
}

impl Disk {
    /// The node of a partition: `/dev/vda1`, `/dev/nvme0n1p1`.
    pub fn partition_node(&self, number: u32) -> PathBuf {
        let joint = if self.name.ends_with(|c: char| c.is_ascii_digit()) {
            "p"
        } else {
            ""
        };
        self.node
            .with_file_name(format!("{}{joint}{number}", self.name))
    }
}

/// Reads the disks from `sys` (`/sys`) whose nodes are in `dev` (`/dev`), by name.
///
/// # Errors
/// Where `sys/block` cannot be listed. A disk that vanishes while it is read is left out.
pub fn read(sys: &Path, dev: &Path) -> io::Result<Vec<Disk>> {
    let mut disks = Vec::new();
    for entry in fs::read_dir(sys.join("block"))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if NOT_DISKS.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        disks.extend(disk(&entry.path(), name, dev));
    }
    disks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(disks)
}

fn disk(folder: &Path, name: String, dev: &Path) -> Option<Disk> {
    let size = number(&folder.join("size"))?.checked_mul(512)?;
    let node = dev.join(&name);
    if size == 0 || !node.exists() {
        return None;
    }
    let mut partitions: Vec<Partition> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|entry| partition(&entry.path()))
        .collect();
    partitions.sort_by_key(|partition| partition.number);
    Some(Disk {
        node,
        size,
        sector: number(&folder.join("queue/logical_block_size")).unwrap_or(512),
        serial: serial(folder),
        read_only: number(&folder.join("ro")) != Some(0),
        partitions,
        name,
    })
}

fn partition(folder: &Path) -> Option<Partition> {
    Some(Partition {
        number: u32::try_from(number(&folder.join("partition"))?).ok()?,
        start: number(&folder.join("start"))?.checked_mul(512)?,
        length: number(&folder.join("size"))?.checked_mul(512)?,
    })
}

/// virtio keeps the serial at the disk, NVMe and SCSI at its device.
fn serial(folder: &Path) -> Option<String> {
    let text = ["serial", "device/serial"]
        .iter()
        .find_map(|file| fs::read_to_string(folder.join(file)).ok())?;
    let text = text.trim();
    let prints = !text.is_empty()
        && text.len() <= 128
        && text.chars().all(|c| c.is_ascii_graphic() || c == ' ');
    prints.then(|| text.to_owned())
}

fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn put(root: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    #[test]
    fn disks_are_read_with_serial_size_and_partitions() {
        let root = tempfile::tempdir().unwrap();
        put(
            root.path(),
            &[
                ("sys/block/vda/size", "2097152\n"),
                ("sys/block/vda/ro", "0\n"),
                ("sys/block/vda/serial", "data-1"),
                ("sys/block/vda/queue/logical_block_size", "512\n"),
                ("sys/block/vda/vda2/partition", "2\n"),
                ("sys/block/vda/vda2/start", "206848\n"),
                ("sys/block/vda/vda2/size", "8192\n"),
                ("sys/block/vdb/size", "100\n"),
                ("sys/block/vdb/ro", "1\n"),
                ("sys/block/vdb/serial", "es\u{1b}cape"),
                ("sys/block/vdc/size", "0\n"),
                ("sys/block/loop0/size", "100\n"),
                ("sys/block/sr0/size", "100\n"),
                ("dev/vda", ""),
                ("dev/vdb", ""),
                ("dev/vdc", ""),
                ("dev/loop0", ""),
            ],
        );
        let disks = read(&root.path().join("sys"), &root.path().join("dev")).unwrap();
        let names: Vec<_> = disks.iter().map(|disk| disk.name.as_str()).collect();
        assert_eq!(names, ["vda", "vdb"]);
        assert_eq!(disks[0].size, 1 << 30);
        assert_eq!(disks[0].serial.as_deref(), Some("data-1"));
        assert!(!disks[0].read_only);
        assert_eq!(
            disks[0].partitions,
            [Partition {
                number: 2,
                start: 206_848 * 512,
                length: 8192 * 512
            }]
        );
        assert!(disks[1].read_only);
        assert_eq!(
            disks[1].serial, None,
            "a serial that does not print is none"
        );
    }

    #[test]
    fn partition_nodes_follow_the_kernel() {
        let disk = |name: &str| Disk {
            name: name.to_owned(),
            node: Path::new("/dev").join(name),
            size: 0,
            sector: 512,
            serial: None,
            read_only: false,
            partitions: Vec::new(),
        };
        assert_eq!(disk("vda").partition_node(1), Path::new("/dev/vda1"));
        assert_eq!(
            disk("nvme0n1").partition_node(2),
            Path::new("/dev/nvme0n1p2")
        );
    }
}
