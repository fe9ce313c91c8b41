//! The file systems of new volumes and how each is mounted.
//!
//! Nothing here runs; these are the options, in one place, with their reasons.

use hpcr_contract::plan::Filesystem;

use crate::acts::MountOptions;

/// For data volumes.
///
/// `lazy_itable_init`: the kernel clears the inode tables in the background, so that a large disk is ready at once;
/// until then group checksums guard them. (Not fit for dm-integrity, where unwritten sectors cannot be read.) The
/// journal is written out: under encryption a blank disk reads as noise, and a replay must never meet noise. It is kept
/// at 16 MiB for that reason. `nodiscard`: dm-crypt passes none on, so trying only costs time. 4 KiB blocks, since
/// that is the sector of the mapping.
pub(crate) const DATA: &[&str] = &[
    "-q",
    "-F",
    "-t",
    "ext4",
    "-b",
    "4096",
    "-J",
    "size=16",
    "-L",
    "data",
    "-E",
    "nodiscard,lazy_itable_init=1",
];
/// For the scratch disk: it lives for one boot, so it has no journal and nothing is kept for root.
pub(crate) const SCRATCH: &[&str] = &[
    "-q",
    "-F",
    "-t",
    "ext4",
    "-b",
    "4096",
    "-O",
    "^has_journal",
    "-m",
    "0",
    "-L",
    "scratch",
    "-E",
    "nodiscard,lazy_itable_init=1",
];
/// For the metadata partition. It is not encrypted and the appliance never mounts it; older images do.
pub(crate) const METADATA: &[&str] = &[
    "-q",
    "-F",
    "-t",
    "ext4",
    "-b",
    "4096",
    "-O",
    "^has_journal",
    "-L",
    "metadata",
    "-E",
    "nodiscard,lazy_itable_init=1",
];

/// How the scratch disk is mounted. Its inode tables are never cleared in the background: nobody reads them later.
pub(crate) const SCRATCH_MOUNT: MountOptions = MountOptions {
    kind: "ext4",
    data: c"noinit_itable,errors=remount-ro",
    no_access_times: true,
};

/// How a data volume is mounted.
pub(crate) fn mount_options(filesystem: Filesystem) -> MountOptions {
    let (kind, data) = match filesystem {
        Filesystem::Ext4 => ("ext4", c"errors=remount-ro"),
        Filesystem::Xfs => ("xfs", c""),
        Filesystem::Btrfs => ("btrfs", c""),
    };
    MountOptions {
        kind,
        data,
        no_access_times: false,
    }
}
