//! The crate's front: pull what the plan names, start its services in order, watch them, stop them.
//!
//! Everything that a start sets up (mounts, namespaces, network) is taken down by [`Running::stop`], or at once when
//! the start fails half-way.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hpcr_contract::plan::{Credentials, Service, Workload};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::acts::{Acts, Kernel};
use crate::error::ContainerError;
use crate::fetch::{Fetch, Progress};
use crate::firewall;
use crate::image::Image;
use crate::lines::Line;
use crate::memory;
use crate::network::{self, Subnet};
use crate::registry::Registries;
use crate::service::{Container, End};
use crate::setup::{self, Setup};
use crate::store::{self, Store};

/// Where things are in the guest.
#[derive(Debug, Clone)]
pub struct Paths {
    /// Folder on the encrypted scratch disk, ours alone: emptied when the engine is made. Its file system needs
    /// `trusted.*` attributes and overlayfs (ext4, xfs, tmpfs).
    pub store: PathBuf,
    /// Folder in memory for namespaces, crun's and netavark's state, and every file that says what a container is: a disk
    /// that is encrypted still lets the host put older sectors back.
    pub run: PathBuf,
    /// The `crun` program.
    pub crun: PathBuf,
    /// The `netavark` program; like this crate it uses `/usr/sbin/nft`.
    pub netavark: PathBuf,
    /// A PEM bundle of certificate authorities that the image may ship; it may be missing.
    pub ca_bundle: PathBuf,
    /// The guest's `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// The guest's `/proc`.
    pub proc: PathBuf,
    /// What containers may bind: mount points of data volumes, and `/var/hyperprotect` read-only.
    pub shared: Vec<Shared>,
}

impl Paths {
    /// The folder of a container's `config.json` (0600), `hosts`, `hostname`, `resolv.conf`, and crun's pid and log files.
    pub(crate) fn bundle(&self, service: &str) -> PathBuf {
        self.run.join("bundles").join(service)
    }

    /// The text of the guest's resolv.conf; a guest without one has no name servers.
    pub(crate) fn name_servers(&self) -> Result<String, ContainerError> {
        match std::fs::read_to_string(&self.resolv_conf) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(|e| store::fault(&self.resolv_conf, "reading name servers", e)),
        }
    }

    /// The folder of the compose archive's files.
    pub(crate) fn files(&self) -> PathBuf {
        self.run.join("files")
    }
}

/// A part of the guest that containers may bind, with all below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Absolute path, a mount point or a folder that only the guest writes.
    pub path: PathBuf,
    /// Whether a container may write there.
    pub writable: bool,
}

/// Verified images, ready to run.
#[derive(Debug)]
pub struct Images(BTreeMap<String, Image>);

impl Images {
    /// How many distinct images there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// How the workload came to its end.
#[derive(Debug)]
pub enum Outcome {
    /// All services have done what they had to.
    Done,
    /// A service failed for good; the others may still run.
    Failed(ContainerError),
}

/// Pulls images and starts services.
pub struct Engine {
    paths: Paths,
    store: Arc<Store>,
    acts: Arc<dyn Acts>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Makes the folders; what an earlier boot left in them is removed. The caller has installed the process's rustls
    /// provider.
    pub fn new(paths: Paths) -> Result<Self, ContainerError> {
        Self::with_acts(paths, Arc::new(Kernel))
    }

    pub(crate) fn with_acts(paths: Paths, acts: Arc<dyn Acts>) -> Result<Self, ContainerError> {
        let store = Arc::new(Store::create(&paths.store)?);
        for name in ["crun", "netns", "netavark", "binds", "bundles", "files"] {
            store::make_folder(&paths.run.join(name))?;
        }
        Ok(Self { paths, store, acts })
    }

    /// Pulls every image of the workload at once, each byte verified before it is used. Ends within 20 s when a
    /// registry does not answer, at once when one refuses or answers with other bytes.
    pub async fn pull(
        &self,
        workload: &Workload,
        credentials: &BTreeMap<String, Credentials>,
        authorities: &BTreeMap<String, Vec<u8>>,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<Images, ContainerError> {
        let registries = Registries::new(credentials, authorities, Some(&self.paths.ca_bundle))?;
        let fetch = Fetch {
            registries: &registries,
            store: &self.store,
            acts: &self.acts,
            progress: &progress,
        };
        let references: Vec<_> = workload
            .services
            .iter()
            .map(|service| &service.image)
            .collect();
        fetch.images(&references).await.map(Images)
    }

    /// Starts every service in the plan's order; returns once the program of each has been executed. Lines of the
    /// containers go to `lines`, which must be read.
    pub async fn start(
        &self,
        workload: &Workload,
        images: &Images,
        lines: &mpsc::Sender<Line>,
    ) -> Result<Running, ContainerError> {
        setup::write_files(&self.paths.files(), &workload.files)?;
        let subnet = self.subnet()?;
        let addresses = addresses(&workload.services, subnet)?;
        memory::bound(&self.paths.proc)?;
        firewall::shut().await?;
        let (stop, stopped) = watch::channel(None);
        let mut running = Running {
            services: JoinSet::new(),
            setups: Vec::new(),
            stop,
        };
        for (service, (_, address)) in workload.services.iter().zip(&addresses) {
            let setup = Setup::new(&self.paths, &self.store, &self.acts, service);
            let started = async {
                let image = images.0.get(&service.image.to_string());
                let image = image
                    .ok_or_else(|| setup.fault("looking for its image", "it was not pulled"))?;
                let container = setup
                    .make(service, image, *address, subnet, &addresses)
                    .await?;
                running
                    .start(container, lines.clone(), stopped.clone())
                    .await
            }
            .await;
            running.setups.push(setup);
            if let Err(error) = started {
                for further in running.stop(Duration::ZERO).await {
                    tracing::warn!(%further, "while taking down what had been started");
                }
                return Err(error);
            }
        }
        Ok(running)
    }

    fn subnet(&self) -> Result<Subnet, ContainerError> {
        let path = self.paths.proc.join("net/route");
        let routes = std::fs::read_to_string(&path)
            .map_err(|e| store::fault(&path, "reading the routes", e))?;
        network::choose_subnet(&routes, &self.paths.name_servers()?).ok_or_else(|| ContainerError::Service {
            service: "all".into(),
            act: "choosing a network",
            cause: "the guest's routes leave no part of 10.89.0.0/16 or 172.30.0.0/16 free; use narrower ones".into(),
        })
    }
}

fn addresses(
    services: &[Service],
    subnet: Subnet,
) -> Result<Vec<(String, Ipv4Addr)>, ContainerError> {
    let address = |(index, service): (usize, &Service)| match subnet.of_service(index) {
        Ok(address) => Ok((service.name.clone(), address)),
        Err(cause) => Err(ContainerError::Service {
            service: service.name.clone(),
            act: "giving it an address",
            cause,
        }),
    };
    services.iter().enumerate().map(address).collect()
}

/// What a stop may take over its limit before services are no longer waited for.
const OVERTIME: Duration = Duration::from_millis(500);

/// Services that run.
pub struct Running {
    services: JoinSet<(String, Result<End, ContainerError>)>,
    setups: Vec<Setup>,
    stop: watch::Sender<Option<Duration>>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("services", &self.services.len())
            .finish_non_exhaustive()
    }
}

impl Running {
    async fn start(
        &mut self,
        container: Container,
        lines: mpsc::Sender<Line>,
        stopped: watch::Receiver<Option<Duration>>,
    ) -> Result<(), ContainerError> {
        let name = container.name.to_string();
        let (started, has_started) = oneshot::channel();
        let lost = ContainerError::Service {
            service: name.clone(),
            act: "starting it",
            cause: "its supervision ended early".into(),
        };
        self.services
            .spawn(async move { (name, container.supervise(lines, stopped, started).await) });
        has_started.await.unwrap_or(Err(lost))
    }

    /// Waits until all services have ended well or one has failed for good. May be dropped and called again.
    pub async fn wait(&mut self) -> Outcome {
        while let Some(ended) = self.services.join_next().await {
            match ended {
                Ok((_, Ok(End::Done))) => {}
                Ok((_, Err(error))) => return Outcome::Failed(error),
                Ok((service, Ok(End::Failed(status)))) => {
                    let cause = format!("it ended with status {status}; its own log lines say why");
                    return Outcome::Failed(ContainerError::Service {
                        service,
                        act: "running it",
                        cause,
                    });
                }
                Err(error) => {
                    let cause = error.to_string();
                    return Outcome::Failed(ContainerError::Service {
                        service: "unknown".into(),
                        act: "watching it",
                        cause,
                    });
                }
            }
        }
        Outcome::Done
    }

    /// Stops all services at once, each within its own grace and all within `limit`, and takes down their network and
    /// mounts. Goes on after a fault and gives all of them back.
    pub async fn stop(mut self, limit: Duration) -> Vec<ContainerError> {
        self.stop.send_replace(Some(limit));
        let mut faults = Vec::new();
        let ends = async {
            while let Some(ended) = self.services.join_next().await {
                if let Ok((_, Err(error))) = ended {
                    faults.push(error);
                }
            }
        };
        // Whatever a service waits for, what it stands on is taken down; that kills its container, too.
        if tokio::time::timeout(limit + OVERTIME, ends).await.is_err() {
            self.services.shutdown().await;
            faults.push(ContainerError::Service {
                service: "all".into(),
                act: "stopping them",
                cause: format!("they did not all end within {limit:?}"),
            });
        }
        for setup in self.setups.iter().rev() {
            faults.extend(setup.take_down().await);
        }
        faults.extend(firewall::remove().await.err());
        faults
    }
}

#[cfg(test)]
mod tests;
