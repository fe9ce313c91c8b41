//! Phase 4: links, addresses, routes and name servers, from the seed device's network-config alone, or from DHCP.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hpcr_contract::messages;
use hpcr_contract::network::{self, Link as Wanted};
use rtnetlink::Handle;
use tokio::sync::mpsc;

use crate::cidata::Seed;
use crate::error::Error;
use crate::guest::Guest;
use crate::modules::Modules;
use crate::net::dhcp::{self, Resolver};
use crate::net::links::{self, Link};
use crate::phases::early::Early;

/// A network that is up.
#[derive(Debug)]
pub(crate) struct Network(());

/// How long the kernel may take to show a link that the configuration names.
const WAIT: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn run(guest: &Arc<Guest>, early: &Early, seed: &Seed) -> Result<Network, Error> {
    let wanted = seed
        .network_config
        .as_deref()
        .map(|bytes| network::parse(bytes, "network-config"))
        .transpose();
    let wanted = wanted.map_err(Error::NetworkConfig)?;

    let handle = links::connect().map_err(Error::act("connecting to", "rtnetlink"))?;
    let (loopback, ethernet) = find(&handle, &early.modules, wanted.as_ref()).await?;
    for link in loopback.iter().chain(ethernet.iter().map(|(link, _)| link)) {
        links::up(&handle, link)
            .await
            .map_err(failed("bringing up", link))?;
    }

    let resolver = Arc::new(Resolver::new(guest.path("/etc/resolv.conf")));
    let (leased, mut answers) = mpsc::unbounded_channel();
    let mut ready = Vec::new();
    let mut clients = 0;
    for (link, wanted) in ethernet {
        match wanted {
            Wanted::Static(settings) => {
                links::apply(&handle, &link, &settings)
                    .await
                    .map_err(failed("configuring", &link))?;
                let path = guest.path("/etc/resolv.conf");
                resolver
                    .update(&link, &settings)
                    .map_err(Error::act("writing", path))?;
                let addresses: Vec<_> =
                    settings.addresses.iter().map(ToString::to_string).collect();
                ready.push(format!("{} {}", link.name, addresses.join(", ")));
            }
            Wanted::Dhcp { mtu } => {
                clients += 1;
                let (handle, resolver, leased) =
                    (handle.clone(), Arc::clone(&resolver), leased.clone());
                tokio::spawn(dhcp::run(
                    Arc::clone(guest),
                    handle,
                    link,
                    mtu,
                    resolver,
                    leased,
                ));
            }
        }
    }
    // A configuration names what it needs; without one, the first link that gets an answer is enough.
    let needed = if wanted.is_some() { clients } else { 1 };
    for _ in 0..needed {
        // The sender of this scope lives on, so the channel does not close.
        ready.extend(answers.recv().await);
    }
    guest
        .console
        .say(messages::NETWORK_READY, &ready.join("; "));
    Ok(Network(()))
}

/// The loopback link, and the Ethernet links with what they should be.
async fn find(
    handle: &Handle,
    modules: &Modules,
    wanted: Option<&BTreeMap<String, Wanted>>,
) -> Result<(Vec<Link>, Vec<(Link, Wanted)>), Error> {
    let mut spent = Duration::ZERO;
    let mut is_settled = false;
    loop {
        let found = links::list(handle).await.map_err(|error| {
            Error::Network(format!("the links cannot be listed: {error}; report it"))
        })?;
        let (loopback, ethernet): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|link| link.is_loopback);
        match choose(ethernet, wanted) {
            Ok(chosen) if is_settled => return Ok((loopback, chosen)),
            Ok(_) => {
                modules.settled().await?;
                is_settled = true;
                continue;
            }
            Err(missing) if spent >= WAIT => return Err(Error::Network(missing)),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
        spent += LOOK;
    }
}

/// Which links to set up; what is missing, where something is. Pure.
fn choose(
    links: Vec<Link>,
    wanted: Option<&BTreeMap<String, Wanted>>,
) -> Result<Vec<(Link, Wanted)>, String> {
    let Some(wanted) = wanted else {
        if links.is_empty() {
            return Err("there is no network link; attach one".to_owned());
        }
        return Ok(links
            .into_iter()
            .map(|link| (link, Wanted::Dhcp { mtu: None }))
            .collect());
    };
    let link = |(name, how): (&String, &Wanted)| {
        let found = links.iter().find(|link| link.name == *name);
        let found = found.map(|link| (link.clone(), how.clone()));
        found.ok_or_else(|| {
            let there: Vec<_> = links.iter().map(|link| link.name.as_str()).collect();
            format!(
                "network-config names a link that is not there; there are: {}",
                there.join(", ")
            )
        })
    };
    wanted.iter().map(link).collect()
}

fn failed<E: std::fmt::Display>(act: &'static str, link: &Link) -> impl FnOnce(E) -> Error {
    let name = link.name.clone();
    move |error| {
        Error::Network(format!(
            "{act} {name}: {error}; check network-config and the link"
        ))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn link(index: u32, name: &str) -> Link {
        Link {
            index,
            name: name.to_owned(),
            is_loopback: false,
        }
    }

    #[test]
    fn without_a_configuration_every_link_asks_a_server() {
        let chosen = choose(vec![link(2, "eth0"), link(3, "eth1")], None).unwrap();
        assert_eq!(chosen.len(), 2);
        assert!(choose(Vec::new(), None).is_err());
    }

    #[test]
    fn a_configuration_names_all_links_that_are_used() {
        let wanted = BTreeMap::from([("eth1".to_owned(), Wanted::Dhcp { mtu: None })]);
        let chosen = choose(vec![link(2, "eth0"), link(3, "eth1")], Some(&wanted)).unwrap();
        assert_eq!(chosen[0].0.index, 3);
        let missing = choose(vec![link(2, "eth0")], Some(&wanted)).unwrap_err();
        assert!(missing.contains("there are: eth0"), "{missing}");
    }
}
