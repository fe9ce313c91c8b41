//! Block devices of the guest: find, partition, encrypt, open, mount.
//!
//! The host owns the disks and may write anything on them at any time. So what is on a disk is read once, checked, and
//! believed only as far as the volume key proves it; a disk that does not open is left as it was, to the last byte.
//! This crate knows no network and no contract text: it gets [`hpcr_contract::plan::Volume`]s and gives mounts.
//!
//! ```no_run
//! # fn volumes() -> Vec<hpcr_contract::plan::Volume> { Vec::new() }
//! let context = hpcr_disk::Context::default();
//! let mounted = hpcr_disk::open_volumes(&volumes(), &context, &mut |event| println!("{event}"))?;
//! for volume in mounted.into_iter().rev() {
//!     volume.close()?;
//! }
//! # Ok::<(), hpcr_disk::DiskError>(())
//! ```

mod acts;
mod decide;
mod ends;
mod error;
mod event;
mod filesystem;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod inventory;
mod luks;
mod mounted;
mod partition;
mod probe;
mod scratch;
mod search;
mod volume;

use std::path::{Path, PathBuf};
use std::time::Duration;

use hpcr_contract::plan::Volume;

pub use decide::SCRATCH_SERIAL;
pub use error::{DiskError, Fault, Place};
pub use event::Event;
pub use mounted::Mounted;

use acts::Real;

/// Where this crate works, and how long it waits.
#[derive(Debug, Clone)]
pub struct Context {
    /// The kernel's tables: `/sys`.
    pub sys: PathBuf,
    /// Device nodes: `/dev`.
    pub dev: PathBuf,
    /// The program that makes ext4: `/usr/sbin/mke2fs`.
    pub mke2fs: PathBuf,
    /// Kernel name of the disk that carries the contract (`vdb`): never a volume.
    pub cidata: Option<String>,
    /// How long disks may take to appear: 15 minutes.
    pub wait: Duration,
    /// How long the disks must stay the same before a blank one is made a volume that it is not named for: 2 s.
    pub settle: Duration,
    /// KiB that the derivation of a key may take: half of the guest's memory.
    pub key_memory: u64,
}

impl Default for Context {
    fn default() -> Self {
        let info = rustix::system::sysinfo();
        Self {
            sys: PathBuf::from("/sys"),
            dev: PathBuf::from("/dev"),
            mke2fs: PathBuf::from("/usr/sbin/mke2fs"),
            cidata: None,
            wait: Duration::from_mins(15),
            settle: Duration::from_secs(2),
            key_memory: info.totalram.saturating_mul(u64::from(info.mem_unit)) / 1024 / 2,
        }
    }
}

/// Opens the data volumes of a contract and mounts each where it says, in the order given; makes those whose disk is
/// blank. Blocks: for as long as [`Context::wait`] where a disk is missing.
///
/// # Errors
/// The first volume that cannot be had. Those before it have been closed again; its disk has not been written to unless
/// it was blank.
pub fn open_volumes(
    volumes: &[Volume],
    context: &Context,
    report: &mut dyn FnMut(Event),
) -> Result<Vec<Mounted>, DiskError> {
    volume::open_all(&mut Real, volumes, context, report)
}

/// Mounts the disk with the serial [`SCRATCH_SERIAL`] at `folder`, under a key that exists only in the kernel's memory:
/// what an earlier boot left there is lost. `None` where the host has attached no such disk.
///
/// # Errors
/// Where the disk holds a signature of something else, or cannot be used.
pub fn open_scratch(context: &Context, folder: &Path) -> Result<Option<Mounted>, DiskError> {
    scratch::open(&mut Real, context, folder)
}
