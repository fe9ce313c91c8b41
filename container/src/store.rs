//! Where layers and containers lie on the scratch disk. A layer is there whole or not at all: it grows under a name of
//! its own and is renamed once every digest has been checked.
//!
//! ```text
//! layers/HEX/             one unpacked layer, by diff-id
//! partial/N/              a layer that is being unpacked
//! containers/NAME/        upper and work of its root file system, and rootfs, where that is mounted
//! shared/NAME/            what the services that name it share
//! ```

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::ContainerError;
use crate::verify::Digest;

/// The store.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    next: AtomicU64,
}

impl Store {
    /// Makes an empty store; whatever lay there came from before this boot and is not believed.
    pub(crate) fn create(root: &Path) -> Result<Self, ContainerError> {
        let store = Self {
            root: root.to_owned(),
            next: AtomicU64::new(0),
        };
        make_folder(root)?;
        for name in ["layers", "partial", "containers", "shared"] {
            let path = root.join(name);
            remove(&path)?;
            make_folder(&path)?;
        }
        Ok(store)
    }

    /// Where a whole layer lies.
    pub(crate) fn layer(&self, diff_id: Digest) -> PathBuf {
        self.root.join("layers").join(diff_id.hex())
    }

    /// Whether a layer is there.
    pub(crate) fn has_layer(&self, diff_id: Digest) -> bool {
        self.layer(diff_id).is_dir()
    }

    /// Begins a layer.
    pub(crate) fn begin(&self) -> Result<Partial, ContainerError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = self.root.join("partial").join(number.to_string());
        // Every entry of a layer may be reached by any user of the container, so its root must be.
        fs::DirBuilder::new()
            .mode(0o755)
            .create(&path)
            .map_err(|e| fault(&path, "making a folder", e))?;
        Ok(Partial { path: Some(path) })
    }

    /// The folder that services share under this name; whoever runs in their containers may write there.
    pub(crate) fn shared(&self, name: &str) -> Result<PathBuf, ContainerError> {
        let path = self.root.join("shared").join(name);
        make_folder(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777))
            .map_err(|e| fault(&path, "opening a shared folder to its containers", e))?;
        Ok(path)
    }

    /// The folder of a container's changes.
    pub(crate) fn container(&self, name: &str) -> PathBuf {
        self.root.join("containers").join(name)
    }
}

/// A layer that is not whole yet; it is removed when dropped.
#[derive(Debug)]
pub(crate) struct Partial {
    path: Option<PathBuf>,
}

impl Partial {
    /// The folder to unpack into.
    pub(crate) fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(""))
    }

    /// Keeps the layer, whose digests have been checked.
    pub(crate) fn keep(mut self, store: &Store, diff_id: Digest) -> Result<(), ContainerError> {
        let target = store.layer(diff_id);
        fs::rename(self.path(), &target).map_err(|e| fault(&target, "keeping a layer", e))?;
        self.path = None;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(path) = self.path.take()
            && let Err(error) = remove(&path)
        {
            tracing::warn!(%error, "a rejected layer could not be removed; it is never used");
        }
    }
}

/// Makes a folder for root alone, with its parents.
pub(crate) fn make_folder(path: &Path) -> Result<(), ContainerError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|e| fault(path, "making a folder", e))
}

fn remove(path: &Path) -> Result<(), ContainerError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(fault(path, "removing a folder", error))
        }
        _ => Ok(()),
    }
}

/// An error of the store.
pub(crate) fn fault(path: &Path, act: &'static str, cause: io::Error) -> ContainerError {
    ContainerError::Store {
        path: path.to_owned(),
        act,
        cause,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_layer_is_there_whole_or_not_at_all() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::create(root.path()).unwrap();
        let id = Digest::of(b"layer");
        let dropped = store.begin().unwrap();
        fs::write(dropped.path().join("file"), "half").unwrap();
        drop(dropped);
        assert!(!store.has_layer(id));
        assert_eq!(
            fs::read_dir(root.path().join("partial")).unwrap().count(),
            0
        );
        let kept = store.begin().unwrap();
        fs::write(kept.path().join("file"), "whole").unwrap();
        kept.keep(&store, id).unwrap();
        assert_eq!(fs::read(store.layer(id).join("file")).unwrap(), b"whole");
    }

    #[test]
    fn a_new_store_believes_nothing_that_it_finds() {
        let root = tempfile::tempdir().unwrap();
        let id = Digest::of(b"layer");
        let store = Store::create(root.path()).unwrap();
        store.begin().unwrap().keep(&store, id).unwrap();
        let shared = store.shared("work").unwrap();
        fs::write(shared.join("file"), "left").unwrap();
        let store = Store::create(root.path()).unwrap();
        assert!(!store.has_layer(id));
        let shared = store.shared("work").unwrap();
        assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
        let mode = fs::metadata(shared).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o777);
    }
}
