//! A group of services and the network that they share: one namespace, one address, one host name, the published ports
//! of all of them. Made when the first of them starts, taken down when all have ended.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hpcr_contract::plan::Service;
use tokio::sync::{Mutex, OnceCell};

use crate::acts::Acts;
use crate::engine::Paths;
use crate::error::ContainerError;
use crate::network::{self, Subnet};
use crate::setup;
use crate::tool;

/// A group.
pub(crate) struct Group {
    pub name: String,
    pub address: Ipv4Addr,
    pub hostname: String,
    /// What netavark is told, at the beginning and at the end.
    configuration: Vec<u8>,
    paths: Paths,
    acts: Arc<dyn Acts>,
    /// netavark keeps one book of all networks: one call at a time.
    netavark: Arc<Mutex<()>>,
    joined: OnceCell<()>,
    has_namespace: AtomicBool,
    is_connected: AtomicBool,
}

/// The groups of these services, in the order of their first ones; addresses go by that order.
pub(crate) fn of(
    services: &[Service],
    subnet: Subnet,
    paths: &Paths,
    acts: &Arc<dyn Acts>,
) -> Result<Vec<Arc<Group>>, ContainerError> {
    let netavark = Arc::new(Mutex::new(()));
    let mut groups: Vec<Arc<Group>> = Vec::new();
    for service in services {
        let name = &service.group;
        if groups.iter().any(|group| group.name == *name) {
            continue;
        }
        let fault = |act, cause: String| ContainerError::Service {
            service: service.name.clone(),
            act,
            cause,
        };
        if !setup::is_plain_name(name) {
            return Err(fault("naming its group", setup::PLAIN_NAMES.to_owned()));
        }
        let address = subnet.of_group(groups.len());
        let address = address.map_err(|cause| fault("giving it an address", cause))?;
        let members = || services.iter().filter(|service| service.group == *name);
        let hostname = members().find_map(|service| service.hostname.as_deref());
        let ports = members().flat_map(|service| &service.ports);
        let configuration = network::configuration(name, ports, address, subnet);
        groups.push(Arc::new(Group {
            name: name.clone(),
            address,
            hostname: hostname.unwrap_or(name).to_owned(),
            configuration: configuration.to_string().into_bytes(),
            paths: paths.clone(),
            acts: Arc::clone(acts),
            netavark: Arc::clone(&netavark),
            joined: OnceCell::new(),
            has_namespace: AtomicBool::new(false),
            is_connected: AtomicBool::new(false),
        }));
    }
    Ok(groups)
}

impl Group {
    /// The bound network namespace, made and connected for the first that asks; others wait for that.
    pub(crate) async fn join(&self) -> Result<PathBuf, ContainerError> {
        let path = self.namespace();
        self.joined
            .get_or_try_init(async || self.make(&path).await)
            .await?;
        Ok(path)
    }

    async fn make(&self, namespace: &Path) -> Result<(), ContainerError> {
        setup::write(namespace, b"", 0o600)?;
        self.acts
            .network_namespace(namespace)
            .map_err(|e| self.fault("making the network namespace", e))?;
        self.has_namespace.store(true, Ordering::Relaxed);
        // What was connected half-way is taken down, too.
        self.is_connected.store(true, Ordering::Relaxed);
        self.netavark("setup", "connecting the network").await
    }

    /// Takes the network down, where it was made; goes on after a fault.
    pub(crate) async fn take_down(&self) -> Vec<ContainerError> {
        let mut faults = Vec::new();
        if self.is_connected.swap(false, Ordering::Relaxed) {
            let taken_down = self.netavark("teardown", "taking down the network").await;
            faults.extend(taken_down.err());
        }
        if self.has_namespace.swap(false, Ordering::Relaxed) {
            let unmounted = self.acts.unmount(&self.namespace());
            let fault = |e| self.fault("taking down the network namespace", e);
            faults.extend(unmounted.map_err(fault).err());
        }
        faults
    }

    fn namespace(&self) -> PathBuf {
        self.paths.run.join("netns").join(&self.name)
    }

    async fn netavark(&self, command: &str, act: &'static str) -> Result<(), ContainerError> {
        let _turn = self.netavark.lock().await;
        let (state, namespace) = (self.paths.run.join("netavark"), self.namespace());
        let arguments = [
            "--firewall-driver".as_ref(),
            "nftables".as_ref(),
            "--config".as_ref(),
            state.as_os_str(),
            command.as_ref(),
            namespace.as_os_str(),
        ];
        let ran = tool::run(&self.paths.netavark, &arguments, &self.configuration).await;
        ran.map_err(|cause| self.fault(act, cause))
    }

    fn fault(&self, act: &'static str, cause: impl std::fmt::Display) -> ContainerError {
        ContainerError::Service {
            service: self.name.clone(),
            act,
            cause: cause.to_string(),
        }
    }
}
