//! What one container stands on: its root file system, its files, its network namespace, its configuration; made in
//! this order, taken down in the reverse.

mod binds;

pub(crate) use binds::write_files;

use std::fs;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hpcr_contract::plan::Service;
use zeroize::Zeroizing;

use crate::acts::{Acts, Overlay};
use crate::engine::Paths;
use crate::error::ContainerError;
use crate::image::Image;
use crate::limits;
use crate::network::{self, Subnet};
use crate::service::Container;
use crate::spec::{self, Bind};
use crate::store::{self, Store};
use crate::tool;
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
    /// With netavark's configuration.
    Network(Vec<u8>),
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

    /// Makes everything; on a fault the caller takes down what there is.
    pub(crate) async fn make(
        &self,
        service: &Service,
        image: &Image,
        address: Ipv4Addr,
        subnet: Subnet,
        services: &[(String, Ipv4Addr)],
    ) -> Result<Container, ContainerError> {
        if !is_plain_name(&service.name) {
            return Err(self.fault(
                "naming it",
                "a service name is made of letters, digits, '-', '_' and '.'",
            ));
        }
        let bundle = self.paths.bundle(&service.name);
        store::make_folder(&bundle)?;
        let rootfs = self.mount_rootfs(image)?;
        let root =
            Root::open(&rootfs).map_err(|e| self.fault("opening its root file system", e))?;
        let identity = self.identity(&root, service, image)?;
        let namespace = self.namespace()?;
        let hostname = service.hostname.as_deref().unwrap_or(&service.name);
        let mut binds = self.own_files(&bundle, hostname, address, services)?;
        binds.extend(self.mounts(service)?);
        let configuration = spec::runtime(&spec::Input {
            service,
            settings: &image.settings,
            identity: &identity,
            rootfs: &rootfs,
            network: &namespace,
            hostname,
            binds: &binds,
        })
        .map_err(|cause| self.fault("making its configuration", cause))?;
        let text = serde_json::to_vec(&configuration)
            .map_err(|e| self.fault("writing its configuration", e))?;
        // The environment may hold secrets: the file lies in memory and is root's alone.
        write(&bundle.join("config.json"), &Zeroizing::new(text), 0o600)?;
        self.connect(service, address, subnet, &namespace).await?;
        let container = Container {
            name: service.name.as_str().into(),
            crun: self.paths.crun.clone(),
            state: self.paths.run.join("crun"),
            bundle,
            restart: service.restart,
            stop_signal: stop_signal(service, image),
            grace: Duration::from_secs(service.stop_grace_seconds),
        };
        self.note(Made::Container(Box::new(container.clone())));
        Ok(container)
    }

    /// Takes down what was made, the last first; goes on after a fault.
    pub(crate) async fn take_down(&self) -> Vec<ContainerError> {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(PoisonError::into_inner));
        let mut faults = Vec::new();
        for made in made.into_iter().rev() {
            let result = match made {
                Made::Container(container) => {
                    container.delete().await;
                    Ok(())
                }
                Made::Network(configuration) => {
                    self.netavark("teardown", &configuration, &self.namespace_path())
                        .await
                }
                Made::Mount(at) => self
                    .acts
                    .unmount(&at)
                    .map_err(|e| self.fault("taking down a mount", e)),
            };
            faults.extend(result.err());
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

    fn namespace_path(&self) -> PathBuf {
        self.paths.run.join("netns").join(&self.service)
    }

    fn namespace(&self) -> Result<PathBuf, ContainerError> {
        let path = self.namespace_path();
        write(&path, b"", 0o600)?;
        self.acts
            .network_namespace(&path)
            .map_err(|e| self.fault("making its network namespace", e))?;
        self.note(Made::Mount(path.clone()));
        Ok(path)
    }

    /// `/etc/resolv.conf`, `/etc/hosts` and `/etc/hostname`.
    fn own_files(
        &self,
        bundle: &Path,
        hostname: &str,
        address: Ipv4Addr,
        services: &[(String, Ipv4Addr)],
    ) -> Result<Vec<Bind>, ContainerError> {
        let guest = self.paths.name_servers()?;
        let files = [
            ("resolv.conf", network::resolv_conf(&guest)),
            ("hosts", network::hosts(hostname, address, services)),
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

    async fn connect(
        &self,
        service: &Service,
        address: Ipv4Addr,
        subnet: Subnet,
        namespace: &Path,
    ) -> Result<(), ContainerError> {
        let configuration = network::configuration(service, address, subnet)
            .to_string()
            .into_bytes();
        self.note(Made::Network(configuration.clone()));
        self.netavark("setup", &configuration, namespace).await
    }

    async fn netavark(
        &self,
        act: &'static str,
        configuration: &[u8],
        namespace: &Path,
    ) -> Result<(), ContainerError> {
        let state = self.paths.run.join("netavark");
        let arguments = [
            "--firewall-driver".as_ref(),
            "nftables".as_ref(),
            "--config".as_ref(),
            state.as_os_str(),
            act.as_ref(),
            namespace.as_os_str(),
        ];
        let ran = tool::run(&self.paths.netavark, &arguments, configuration).await;
        ran.map_err(|cause| {
            self.fault(
                if act == "setup" {
                    "connecting its network"
                } else {
                    "taking down its network"
                },
                cause,
            )
        })
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

/// A name that is safe as a file name, a cgroup and an argument.
fn is_plain_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), ContainerError> {
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
