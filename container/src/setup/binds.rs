//! What a service mounts: paths of the guest, files of the contract's archive, folders that services share.
//!
//! A bind mount is opened within its shared part of the guest and bound from that open file: a link that a container
//! left on its volume cannot lead the next start into the guest.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use hpcr_contract::plan::{File, Mount, Service};
use rustix::fs::OFlags;

use super::{Made, PLAIN_NAMES, Setup, is_plain_name, write};
use crate::engine::Shared;
use crate::error::ContainerError;
use crate::spec::Bind;
use crate::store;
use crate::unpack::name;
use crate::unpack::root::Root;

impl Setup {
    /// Opens and binds what the service mounts of the guest's.
    pub(super) fn mounts(&self, service: &Service) -> Result<Vec<Bind>, ContainerError> {
        let mut binds = Vec::new();
        for (number, mount) in service.mounts.iter().enumerate() {
            let (source, target, read_only) = match mount {
                // Made by the runtime itself.
                Mount::Tmpfs { .. } => continue,
                Mount::Bind {
                    source,
                    target,
                    read_only,
                } => {
                    let shared = shared_part(&self.paths.shared, Path::new(source));
                    let (shared, below) =
                        shared.map_err(|cause| self.fault("binding a path of the guest", cause))?;
                    (
                        self.open(&shared.path, &below, shared.writable)?,
                        target,
                        *read_only || !shared.writable,
                    )
                }
                Mount::Shared {
                    name,
                    target,
                    read_only,
                } => (
                    self.open(&self.shared_folder(name)?, Path::new(""), false)?,
                    target,
                    *read_only,
                ),
                // The archive's files are the contract's word: a container never changes them for the others.
                Mount::File { source, target } => (
                    self.open(&self.paths.files(), Path::new(source), false)?,
                    target,
                    true,
                ),
            };
            let folder = source
                .metadata()
                .map_err(|e| self.fault("looking at a bind mount", e))?
                .is_dir();
            let at = self
                .paths
                .run
                .join("binds")
                .join(format!("{}-{number}", service.name));
            if folder {
                store::make_folder(&at)?;
            } else {
                write(&at, b"", 0o600)?;
            }
            self.acts
                .bind(&OwnedFd::from(source), &at)
                .map_err(|e| self.fault("binding a path of the guest", e))?;
            self.note(Made::Mount(at.clone()));
            binds.push(Bind {
                source: at,
                target: target.into(),
                read_only,
            });
        }
        Ok(binds)
    }

    fn shared_folder(&self, name: &str) -> Result<PathBuf, ContainerError> {
        if !is_plain_name(name) {
            return Err(self.fault("naming a shared folder", PLAIN_NAMES));
        }
        self.store.shared(name)
    }

    /// Opens a path below a trusted folder; a missing one is made as a folder where that is allowed, as in Docker.
    fn open(&self, folder: &Path, below: &Path, make: bool) -> Result<fs::File, ContainerError> {
        let open = || {
            let clean = name::components(below.as_os_str().as_encoded_bytes())
                .map_err(std::io::Error::other)?;
            let (root, below) = (Root::open(folder)?, name::join(&clean));
            match root.open_at(&below, OFlags::PATH) {
                Err(error) if make && error.kind() == std::io::ErrorKind::NotFound => {
                    root.make_folder(&below)
                }
                opened => opened,
            }
        };
        open()
            .map(fs::File::from)
            .map_err(|e: std::io::Error| self.fault("opening a path that it mounts", e))
    }
}

/// The shared part that a source lies in, the innermost where several do, and the rest of the path.
fn shared_part<'a>(shared: &'a [Shared], source: &Path) -> Result<(&'a Shared, PathBuf), String> {
    let clean = name::components(source.as_os_str().as_encoded_bytes())?;
    let source = Path::new("/").join(name::join(&clean));
    let within = shared
        .iter()
        .filter_map(|part| Some((part, source.strip_prefix(&part.path).ok()?.to_owned())));
    within
        .max_by_key(|(part, _)| part.path.components().count())
        .ok_or_else(|| {
            "it lies in no data volume and not in /var/hyperprotect; mount a volume there"
                .to_owned()
        })
}

/// Writes the files of the workload for containers to bind.
pub(crate) fn write_files(
    folder: &Path,
    files: &BTreeMap<String, File>,
) -> Result<(), ContainerError> {
    for (path, file) in files {
        let clean = name::components(path.as_bytes());
        let clean = clean.map_err(|e| {
            store::fault(
                folder,
                "writing the files of the workload",
                std::io::Error::other(e),
            )
        })?;
        let target = folder.join(name::join(&clean));
        if let Some(parent) = target.parent() {
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(parent);
            made.map_err(|e| store::fault(parent, "making a folder", e))?;
        }
        write(&target, &file.bytes, file.mode)?;
    }
    Ok(())
}
