//! A mounted mapping, and the way to close it.

use std::path::{Path, PathBuf};

use crate::acts::{Acts, Real};
use crate::error::{DiskError, Fault, Place};

/// An open volume. Dropping it leaves it open; [`close`](Self::close) is the way to end it.
#[derive(Debug)]
#[must_use = "a volume stays mounted until it is closed"]
pub struct Mounted {
    /// The volume and its disk.
    pub place: Place,
    /// Where it is mounted.
    pub folder: PathBuf,
    /// Its name under `/dev/mapper`.
    pub mapping: String,
}

impl Mounted {
    /// Unmounts the file system, which writes everything out, and takes the mapping and with it the key away. May be
    /// called again where it failed.
    ///
    /// # Errors
    /// [`Fault::Close`] where something still uses it.
    pub fn close(&self) -> Result<(), DiskError> {
        self.close_by(&mut Real)
    }

    pub(crate) fn close_by(&self, acts: &mut dyn Acts) -> Result<(), DiskError> {
        let fault = |error| self.place.fault()(Fault::Close(error));
        match acts.unmount(&self.folder) {
            // Nothing is mounted there: an earlier call came this far.
            Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {}
            unmounted => unmounted.map_err(fault)?,
        }
        acts.unmap(&self.mapping).map_err(fault)
    }
}

/// The node of a mapping.
pub(crate) fn node(dev: &Path, mapping: &str) -> PathBuf {
    dev.join("mapper").join(mapping)
}
