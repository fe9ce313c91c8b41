//! A DHCP client for each link, for as long as the guest runs (RFC 2131): the first lease, then its renewals.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hpcr_contract::messages::Severity;
use hpcr_contract::network::{Network, Settings};
use mozim::{DhcpV4Client, DhcpV4Config, DhcpV4State};
use rtnetlink::Handle;
use tokio::sync::mpsc;

use crate::guest::Guest;
use crate::net::links::{self, Link};
use crate::net::settings::{of_lease, resolv_conf};

/// How long a client that failed waits before it starts anew.
const PAUSE: Duration = Duration::from_secs(5);

/// The settings of all links, and the file that names their name servers.
#[derive(Debug)]
pub(crate) struct Resolver {
    path: PathBuf,
    links: Mutex<BTreeMap<String, Settings>>,
}

impl Resolver {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            links: Mutex::default(),
        }
    }

    /// Takes over the settings of a link; gives the addresses that it had before and has no more.
    pub(crate) fn update(&self, link: &Link, settings: &Settings) -> std::io::Result<Vec<Network>> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let before = links
            .insert(link.name.clone(), settings.clone())
            .unwrap_or_default();
        std::fs::write(&self.path, resolv_conf(&links))?;
        Ok(before
            .addresses
            .into_iter()
            .filter(|address| !settings.addresses.contains(address))
            .collect())
    }
}

/// Runs the client of a link until the guest ends. Each lease that has been applied goes to `leased`.
pub(crate) async fn run(
    guest: Arc<Guest>,
    handle: Handle,
    link: Link,
    mtu: Option<u32>,
    resolver: Arc<Resolver>,
    leased: mpsc::UnboundedSender<String>,
) {
    let mut config = DhcpV4Config::new(&link.name);
    config.set_iface_index(link.index).use_mac_as_client_id();
    loop {
        if let Err(cause) = keep(&handle, &link, mtu, &resolver, &leased, config.clone()).await {
            let text = format!("DHCP on {}: {cause}; trying again", link.name);
            guest.console.keep(Severity::Warning, &text);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn keep(
    handle: &Handle,
    link: &Link,
    mtu: Option<u32>,
    resolver: &Resolver,
    leased: &mpsc::UnboundedSender<String>,
    config: DhcpV4Config,
) -> Result<(), String> {
    let mut client = DhcpV4Client::init(config, None)
        .await
        .map_err(|error| error.to_string())?;
    loop {
        let state = client.run().await.map_err(|error| error.to_string())?;
        let DhcpV4State::Done(lease) = state else {
            continue;
        };
        let mut settings = of_lease(&lease);
        settings.mtu = mtu.or(settings.mtu);
        let gone = resolver
            .update(link, &settings)
            .map_err(|error| error.to_string())?;
        links::remove(handle, link, &gone)
            .await
            .map_err(|error| error.to_string())?;
        links::apply(handle, link, &settings)
            .await
            .map_err(|error| error.to_string())?;
        let address = settings
            .addresses
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        // Only the first lease is waited for.
        let _ = leased.send(format!("{} {address} (DHCP)", link.name));
    }
}
