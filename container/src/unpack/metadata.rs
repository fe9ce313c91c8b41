//! What is kept of an entry besides its name and content: owner, mode, time, and the extended attributes that a container
//! may bring. Everything else that a header says is left out.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{Timespec, Timestamps};

use super::Fault;

/// The metadata that is kept of an entry.
pub(super) struct Metadata {
    pub uid: u32,
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    pub modified: Timestamps,
    /// Names and values.
    pub attributes: Vec<(OsString, Vec<u8>)>,
}

impl Metadata {
    /// Reads what stands in the entry's header and in the records before it.
    pub(super) fn read<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Self, Fault> {
        let header = entry.header();
        let old = header.as_old();
        let id = |field: &[u8], id| {
            u32::try_from(number(field, id)?)
                .map_err(|_| Fault::Refused("an owner is out of range"))
        };
        let (uid, gid) = (id(&old.uid, header.uid())?, id(&old.gid, header.gid())?);
        let mode = number(&old.mode, header.mode().map(u64::from))? & 0o7777;
        let mode = u32::try_from(mode).map_err(|_| "its mode is out of range")?;
        let seconds = i64::try_from(number(&old.mtime, header.mtime())?)
            .map_err(|_| "its time is out of range")?;
        let time = Timespec {
            tv_sec: seconds,
            tv_nsec: 0,
        };
        Ok(Self {
            uid,
            gid,
            mode,
            modified: Timestamps {
                last_access: time,
                last_modification: time,
            },
            attributes: attributes(entry)?,
        })
    }
}

/// A blank field means zero, as every other reader of the format has it.
fn number(field: &[u8], value: io::Result<u64>) -> io::Result<u64> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Ok(0);
    }
    value
}

/// The extended attributes that a container may bring: file capabilities and its own. `trusted.overlay.*` would let a
/// layer redirect paths of the merged tree.
fn attributes<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Vec<(OsString, Vec<u8>)>, Fault> {
    let mut kept = Vec::new();
    for record in entry.pax_extensions()?.into_iter().flatten() {
        let record = record?;
        let key = record.key_bytes();
        if key.starts_with(b"GNU.sparse.") {
            return Err("sparse files are not supported".into());
        }
        match key.strip_prefix(b"SCHILY.xattr.") {
            Some(name) if name == b"security.capability" || name.starts_with(b"user.") => {
                kept.push((
                    OsStr::from_bytes(name).to_owned(),
                    record.value_bytes().to_vec(),
                ));
            }
            _ => {}
        }
    }
    Ok(kept)
}
