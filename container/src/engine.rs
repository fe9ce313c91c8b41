//! The crate's front: pull what the plan names, let its services live.
//!
//! Everything that a service sets up (mounts, namespaces, network) is taken down by [`Running::stop`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use hpcr_contract::plan::{Credentials, Service, Workload};
use tokio::sync::{mpsc, watch};

use crate::acts::{Acts, Kernel};
use crate::error::ContainerError;
use crate::fetch::{Fetch, Progress};
use crate::firewall;
use crate::group::{self, Group};
use crate::image::{self, Image};
use crate::life::{Life, Need};
use crate::lines::Line;
use crate::memory;
use crate::network::{self, Subnet};
use crate::order::{self, Standing, Turn};
use crate::registry::Registries;
use crate::running::Running;
use crate::setup::{self, Setup};
use crate::stopping::{Request, Stopping};
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
    /// The guest's unified control groups, `/sys/fs/cgroup`.
    pub cgroups: PathBuf,
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
        fit(&workload.services)?;
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

    /// Lets every service start as soon as what it depends on allows; [`Running::ready`] tells when all have. Lines of the
    /// containers go to `lines`, which must be read.
    pub async fn start(
        &self,
        workload: &Workload,
        images: &Images,
        lines: &mpsc::Sender<Line>,
    ) -> Result<Running, ContainerError> {
        setup::write_files(&self.paths.files(), &workload.files)?;
        let groups = group::of(&workload.services, self.subnet()?, &self.paths, &self.acts)?;
        let (stop, request) = watch::channel(None);
        let all = self.lives(&workload.services, images, &groups, lines, &request)?;
        memory::bound(&self.paths.proc, &self.paths.cgroups)?;
        firewall::shut().await?;
        Ok(Running::new(all, groups, stop))
    }

    fn lives(
        &self,
        services: &[Service],
        images: &Images,
        groups: &[Arc<Group>],
        lines: &mpsc::Sender<Line>,
        request: &watch::Receiver<Option<Request>>,
    ) -> Result<Vec<Life>, ContainerError> {
        let fault = |service: &str, act, cause: &str| ContainerError::Service {
            service: service.into(),
            act,
            cause: cause.into(),
        };
        let turns = order::turns(services).map_err(|service| {
            let cause = "it depends on a service that does not come before it";
            fault(&service, "ordering the services", cause)
        })?;
        let group_of = |service: &Service| {
            let group = groups.iter().find(|group| group.name == service.group);
            group.ok_or_else(|| fault(&service.name, "looking for its group", "there is none"))
        };
        let names = services
            .iter()
            .map(|service| Ok((service.name.clone(), group_of(service)?.address)))
            .collect::<Result<Arc<[_]>, ContainerError>>()?;
        let standings: BTreeMap<&str, watch::Sender<Standing>> = services
            .iter()
            .map(|service| (service.name.as_str(), watch::Sender::default()))
            .collect();
        let life = |(service, turn): (&Service, Turn)| {
            let image = images.0.get(&service.image.to_string());
            let image = image.ok_or_else(|| {
                fault(&service.name, "looking for its image", "it was not pulled")
            })?;
            let dependents = services.iter().filter(|other| {
                let mut needs = other.depends_on.iter();
                needs.any(|need| need.service == service.name)
            });
            let standing = |name: &str| standings[name].subscribe();
            Ok(Life {
                image: image.clone(),
                setup: Arc::new(Setup::new(&self.paths, &self.store, &self.acts, service)),
                group: Arc::clone(group_of(service)?),
                names: Arc::clone(&names),
                needs: service
                    .depends_on
                    .iter()
                    .map(|need| Need {
                        service: need.service.clone(),
                        condition: need.condition,
                        standing: standing(&need.service),
                    })
                    .collect(),
                lines: lines.clone(),
                stopping: Stopping {
                    request: request.clone(),
                    dependents: dependents.map(|other| standing(&other.name)).collect(),
                    turn,
                },
                standing: standings[service.name.as_str()].clone(),
                service: service.clone(),
            })
        };
        services.iter().zip(turns).map(life).collect()
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

/// Refuses a service whose author meant it for other machines.
fn fit(services: &[Service]) -> Result<(), ContainerError> {
    let own = image::architecture().to_string();
    let is_foreign = |service: &&Service| service.architecture.as_ref().is_some_and(|a| *a != own);
    services.iter().find(is_foreign).map_or(Ok(()), |service| {
        Err(ContainerError::Platform {
            image: service.image.to_string(),
            platform: format!("linux/{own}"),
        })
    })
}

#[cfg(test)]
mod tests;
