//! `BLKPG_ADD_PARTITION`: the kernel's way to be told of a partition that no table on the disk announces yet.
//!
//! The only unsafe code of this crate: the C structures of `linux/blkpg.h` for one ioctl.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_longlong, c_void};
use std::fs::File;
use std::io;
use std::path::Path;

use rustix::ioctl::{self, Setter, opcode};

use crate::partition::Extent;

/// `_IO(0x12, 105)`.
const BLKPG: ioctl::Opcode = opcode::none(0x12, 105);
const BLKPG_ADD_PARTITION: c_int = 1;

/// `struct blkpg_ioctl_arg`.
#[repr(C)]
struct Argument {
    operation: c_int,
    flags: c_int,
    length: c_int,
    data: *mut c_void,
}

/// `struct blkpg_partition`.
#[repr(C)]
struct Partition {
    start: c_longlong,
    length: c_longlong,
    number: c_int,
    device_name: [c_char; 64],
    volume_name: [c_char; 64],
}

/// Tells the kernel of a partition.
///
/// # Errors
/// The kernel's: `EBUSY` where another partition overlaps or has the number, `EINVAL` where it leaves the disk.
pub(super) fn add(disk: &Path, extent: Extent) -> io::Result<()> {
    let number = |value: u64| {
        c_longlong::try_from(value).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
    };
    let mut partition = Partition {
        start: number(extent.start)?,
        length: number(extent.length)?,
        number: c_int::try_from(extent.number)
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        device_name: [0; 64],
        volume_name: [0; 64],
    };
    let file = File::options().read(true).write(true).open(disk)?;
    let argument = Argument {
        operation: BLKPG_ADD_PARTITION,
        flags: 0,
        length: c_int::try_from(size_of::<Partition>())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        data: (&raw mut partition).cast(),
    };
    // SAFETY: `BLKPG` takes a pointer to a `blkpg_ioctl_arg`, and does not write through it.
    let request = unsafe { Setter::<BLKPG, Argument>::new(argument) };
    // SAFETY: both structures have the layout of linux/blkpg.h; `data` points to `partition`, which outlives the call,
    // and `length` is its size. The kernel copies from it and keeps neither pointer.
    unsafe { ioctl::ioctl(&file, request) }?;
    Ok(())
}
