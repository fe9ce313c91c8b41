//! What one container stands on: its root file system, its files, its configuration; made in this order, taken down in
//! the reverse. Its network is its group's ([`crate::group`]).

mod binds;

pub(crate) use binds::write_files;

use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hpcr_contract::plan::{Probe, Restart, Role, Service};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::acts::{Acts, Overlay};
use crate::cgroup::Cgroup;
use crate::engine::Paths;
use crate::error::ContainerError;
use crate::group::Group;
use crate::image::Image;
use crate::limits;
use crate::network;
use crate::probe;
use crate::service::Container;
use crate::spec::{self, Bind};
use crate::store::{self, Store};
use crate::unpack::root::Root;
use crate::user;

/// One container's foundations.
pub(crate) struct Setup {
    service: String,
    paths: Paths,
    store: Arc<Store>,
    acts: Arc<dyn Acts>,
    /// What was made, to be taken down in reverse.
    made: Mutex<Vec<Made>>,
}

enum Made {
    Mount(PathBuf),
    Cgroup(Cgroup),
    Container(Box<Container>),
}

impl Setup {
    pub(crate) fn new(
        paths: &Paths,
        store: &Arc<Store>,
        acts: &Arc<dyn Acts>,
        service: &Service,
    ) -> Self {
        Self {
            service: service.name.clone(),
            paths: paths.clone(),
            store: Arc::clone(store),
            acts: Arc::clone(acts),
            made: Mutex::new(Vec::new()),
        }
    }

    /// Makes everything; on a fault the caller takes down what there is. `services` are the names that it knows.
    pub(crate) async fn make(
        &self,
        service: &Service,
        image: &Image,
        group: &Group,
        services: &[(String, Ipv4Addr)],
    ) -> Result<Container, ContainerError> {
        if !is_plain_name(&service.name) {
            return Err(self.fault("naming it", PLAIN_NAMES));
        }
        let bundle = self.paths.bundle(&service.name);
        store::make_folder(&bundle)?;
        let rootfs = self.mount_rootfs(image)?;
        let root =
            Root::open(&rootfs).map_err(|e| self.fault("opening its root file system", e))?;
        let identity = self.identity(&root, service, image)?;
        let mut binds = self.own_files(&bundle, service, group, services)?;
        binds.extend(self.mounts(service)?);
        let network = group.join().await?;
        let cgroup = Cgroup::new(&self.paths.cgroups, &service.name);
        self.note(Made::Cgroup(cgroup.clone()));
        cgroup
            .make(service.limits.cpu_weight)
            .map_err(|e| self.fault("making its control group", e))?;
        let input = spec::Input {
            service,
            settings: &image.settings,
            identity: &identity,
            rootfs: &rootfs,
            network: &network,
            hostname: &group.hostname,
            binds: &binds,
        };
        let fault = |cause| self.fault("making its configuration", cause);
        let configuration = spec::runtime(&input).map_err(fault)?;
        self.write_secret(&bundle.join("config.json"), &configuration)?;
        for (number, check) in service.health.iter().enumerate() {
            if let Probe::Exec(arguments) = &check.probe {
                let program = spec::beside(&input, arguments.clone()).map_err(fault)?;
                self.write_secret(&probe::program(&bundle, number), &program)?;
            }
        }
        let container = Container {
            name: service.name.as_str().into(),
            crun: self.paths.crun.clone(),
            state: self.paths.run.join("crun"),
            bundle,
            cgroup,
            restart: match (service.role, service.restart) {
                // A step that has ended well is done.
                (Role::Init, Restart::Always) => Restart::OnFailure(None),
                (_, restart) => restart,
            },
            stop_signal: stop_signal(service, image),
            grace: Duration::from_secs(service.stop_grace_seconds),
        };
        self.note(Made::Container(Box::new(container.clone())));
        Ok(container)
    }

    /// What may hold secrets: the file lies in memory and is root's alone.
    fn write_secret(&self, path: &Path, value: &impl Serialize) -> Result<(), ContainerError> {
        let text =
            serde_json::to_vec(value).map_err(|e| self.fault("writing its configuration", e))?;
        write(path, &Zeroizing::new(text), 0o600)
    }

    /// Takes down what was made, the last first; goes on after a fault.
    pub(crate) async fn take_down(&self) -> Vec<ContainerError> {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let mut faults = Vec::new();
        for made in made.into_iter().rev() {
            match made {
                Made::Cgroup(cgroup) => cgroup.forget(),
                Made::Container(container) => container.delete().await,
                Made::Mount(at) => {
                    let unmounted = self.acts.unmount(&at);
                    faults.extend(
                        unmounted
                            .map_err(|e| self.fault("taking down a mount", e))
                            .err(),
                    );
                }
            }
        }
        faults
    }

    /// A fault of this service.
    pub(crate) fn fault(&self, act: &'static str, cause: impl std::fmt::Display) -> ContainerError {
        ContainerError::Service {
            service: self.service.clone(),
            act,
            cause: cause.to_string(),
        }
    }

    fn note(&self, made: Made) {
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(made);
    }

    fn mount_rootfs(&self, image: &Image) -> Result<PathBuf, ContainerError> {
        let container = self.store.container(&self.service);
        store::make_folder(&container)?;
        let folder = |name: &str, mode| {
            let path = container.join(name);
            let made = fs::DirBuilder::new()
                .recursive(true)
                .mode(mode)
                .create(&path);
            made.map(|()| path.clone())
                .map_err(|e| store::fault(&path, "making a folder", e))
        };
        // The upper folder's mode is that of the container's root.
        let overlay = Overlay {
            lower: image
                .layers
                .iter()
                .rev()
                .map(|id| self.store.layer(*id))
                .collect(),
            upper: folder("upper", 0o755)?,
            work: folder("work", 0o700)?,
            at: folder("rootfs", 0o755)?,
        };
        self.acts
            .overlay(&overlay)
            .map_err(|e| self.fault("mounting its root file system", e))?;
        self.note(Made::Mount(overlay.at.clone()));
        Ok(overlay.at)
    }

    fn identity(
        &self,
        root: &Root,
        service: &Service,
        image: &Image,
    ) -> Result<user::Identity, ContainerError> {
        let read = |path: &str| {
            let bytes = root.read(Path::new(path), limits::USER_DATABASE);
            let bytes = bytes
                .map_err(|e| self.fault("reading the image's users", e))?
                .unwrap_or_default();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let wanted = service.user.as_deref().or(image.settings.user.as_deref());
        user::resolve(
            wanted.unwrap_or(""),
            &service.groups,
            &read("etc/passwd")?,
            &read("etc/group")?,
        )
        .map_err(|cause| self.fault("looking up its user", cause))
    }

    /// `/etc/resolv.conf`, `/etc/hosts` and `/etc/hostname`.
    fn own_files(
        &self,
        bundle: &Path,
        service: &Service,
        group: &Group,
        services: &[(String, Ipv4Addr)],
    ) -> Result<Vec<Bind>, ContainerError> {
        let hostname = &group.hostname;
        let hosts = network::hosts(hostname, group.address, services, &service.extra_hosts);
        let guest = self.paths.name_servers()?;
        let files = [
            ("resolv.conf", network::resolv_conf(&guest)),
            ("hosts", hosts),
            ("hostname", format!("{hostname}\n")),
        ];
        files
            .into_iter()
            .map(|(name, text)| {
                let source = bundle.join(name);
                write(&source, text.as_bytes(), 0o644)?;
                Ok(Bind {
                    source,
                    target: Path::new("/etc").join(name),
                    read_only: false,
                })
            })
            .collect()
    }
}

fn stop_signal(service: &Service, image: &Image) -> String {
    let named = service
        .stop_signal
        .as_deref()
        .or(image.settings.stop_signal.as_deref());
    let plain = |name: &&str| {
        name.len() < 16
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-'))
    };
    named
        .filter(plain)
        .filter(|name| !name.starts_with('-'))
        .unwrap_or("SIGTERM")
        .to_owned()
}

/// What [`is_plain_name`] asks for.
pub(crate) const PLAIN_NAMES: &str =
    "a name is made of letters, digits, '-', '_' and '.', and begins with a letter or digit";

/// A name that is safe as a file name, a cgroup and an argument.
pub(crate) fn is_plain_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ContainerError> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .map_err(|e| store::fault(path, "writing a file", e))
}

#[cfg(test)]
mod tests;
