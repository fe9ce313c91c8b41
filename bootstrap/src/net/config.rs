//! The network configuration of the seed device: the published subset of netplan's version 2.
//!
//! What is not understood is refused with its place, because a guest that comes up with another network than the one
//! that was written down is worse than one that does not come up. IPv4 only, as published.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use hpcr_contract::finding::Finding;
use hpcr_contract::messages;
use hpcr_contract::yaml::Document;
use serde::Deserialize;

use crate::net::settings::{Network, Route, Settings, is_domain};

/// How a link gets its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// From a server; the MTU may be fixed.
    Dhcp {
        /// Bytes.
        mtu: Option<u32>,
    },
    /// As written.
    Static(Settings),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    network: Option<Body>,
    version: Option<u32>,
    ethernets: Option<BTreeMap<String, Ethernet>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    version: Option<u32>,
    ethernets: BTreeMap<String, Ethernet>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ethernet {
    dhcp4: Option<bool>,
    mtu: Option<u32>,
    addresses: Option<Vec<String>>,
    gateway4: Option<String>,
    routes: Option<Vec<RouteEntry>>,
    nameservers: Option<NameServers>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteEntry {
    to: String,
    via: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NameServers {
    addresses: Vec<String>,
    #[serde(default)]
    search: Vec<String>,
}

/// Reads the configuration: links by their kernel name.
pub(crate) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Link>, Finding> {
    let text = std::str::from_utf8(bytes).unwrap_or("\u{0}");
    let document = Document::parse(text, "network-config", messages::NETWORK_FAILED)?;
    let file: File = document.read()?;
    let (prefix, version, ethernets) = match (file.network, file.ethernets) {
        (Some(body), None) => ("/network", body.version, body.ethernets),
        (None, Some(ethernets)) => ("", file.version, ethernets),
        _ => {
            return Err(document.finding(
                "",
                "there are no ethernets, or two lists of them",
                "write network.ethernets",
            ));
        }
    };
    if version.is_some_and(|version| version != 2) {
        return Err(document.finding(
            &format!("{prefix}/version"),
            "only version 2 is known",
            "write version: 2",
        ));
    }
    if ethernets.is_empty() {
        return Err(document.finding(
            &format!("{prefix}/ethernets"),
            "there is no link",
            "add one, such as eth0",
        ));
    }
    let link = |(name, ethernet): (String, Ethernet)| {
        let place = format!(
            "{prefix}/ethernets/{}",
            name.replace('~', "~0").replace('/', "~1")
        );
        let refuse = |(key, cause, remedy): Refusal| {
            document.finding(&format!("{place}{key}"), cause, remedy)
        };
        Ok((name, read(ethernet).map_err(refuse)?))
    };
    ethernets.into_iter().map(link).collect()
}

/// Which key, why, and what to do.
type Refusal = (&'static str, &'static str, &'static str);

fn read(ethernet: Ethernet) -> Result<Link, Refusal> {
    if ethernet
        .mtu
        .is_some_and(|mtu| !(576..=65_535).contains(&mtu))
    {
        return Err((
            "/mtu",
            "the MTU is out of bounds",
            "write 576 to 65535, or leave it out",
        ));
    }
    let is_static = ethernet.addresses.is_some()
        || ethernet.gateway4.is_some()
        || ethernet.routes.is_some()
        || ethernet.nameservers.is_some();
    match (ethernet.dhcp4, is_static) {
        (Some(true), true) => Err((
            "",
            "dhcp4 leaves no room for fixed settings",
            "choose one of both",
        )),
        (None, false) => Err((
            "",
            "it says neither dhcp4 nor addresses",
            "write dhcp4: true or addresses",
        )),
        (Some(true), false) => Ok(Link::Dhcp { mtu: ethernet.mtu }),
        (Some(false) | None, _) => settings(ethernet).map(Link::Static),
    }
}

fn settings(ethernet: Ethernet) -> Result<Settings, Refusal> {
    let addresses = ethernet.addresses.unwrap_or_default();
    let addresses: Option<Vec<_>> = addresses.iter().map(|text| Network::parse(text)).collect();
    let addresses = addresses.filter(|addresses| !addresses.is_empty()).ok_or((
        "/addresses",
        "there is no usable address",
        "write IPv4 addresses as 192.0.2.7/24",
    ))?;
    let routes = ethernet.routes.unwrap_or_default();
    let routes: Option<Vec<_>> = routes.iter().map(route).collect();
    let mut routes = routes.ok_or((
        "/routes",
        "a route cannot be read",
        "write to: 192.0.2.0/24 (or default) and via: an IPv4 address",
    ))?;
    if let Some(gateway) = ethernet.gateway4 {
        let gateway = gateway.parse();
        let via =
            gateway.map_err(|_| ("/gateway4", "the gateway is no IPv4 address", "write one"))?;
        routes.push(Route::default(via));
    }
    let (name_servers, search) = match ethernet.nameservers {
        Some(servers) => (resolvers(&servers.addresses)?, servers.search),
        None => (Vec::new(), Vec::new()),
    };
    if !search.iter().all(|name| is_domain(name)) {
        return Err((
            "/nameservers/search",
            "a search domain is no domain name",
            "write one",
        ));
    }
    Ok(Settings {
        mtu: ethernet.mtu,
        addresses,
        routes,
        name_servers,
        search,
    })
}

fn route(entry: &RouteEntry) -> Option<Route> {
    let to = if entry.to == "default" {
        "0.0.0.0/0"
    } else {
        &entry.to
    };
    Some(Route {
        to: Network::parse(to)?,
        via: entry.via.parse().ok()?,
    })
}

fn resolvers(texts: &[String]) -> Result<Vec<Ipv4Addr>, Refusal> {
    let servers: Result<Vec<_>, _> = texts.iter().map(|text| text.parse()).collect();
    servers.map_err(|_| {
        (
            "/nameservers/addresses",
            "a name server is no IPv4 address",
            "write one",
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_published_form_is_read() {
        let text = "network:\n  version: 2\n  ethernets:\n    enc1:\n      dhcp4: false\n      mtu: 1400\n      \
                    addresses: [192.0.2.7/24]\n      gateway4: 192.0.2.1\n      routes:\n        - {to: 10.0.0.0/8, via: 192.0.2.9}\n      \
                    nameservers: {addresses: [192.0.2.3], search: [a.example]}\n    enc2:\n      dhcp4: true\n";
        let links = parse(text.as_bytes()).unwrap();
        let Link::Static(settings) = &links["enc1"] else {
            panic!("{links:?}")
        };
        assert_eq!(settings.mtu, Some(1400));
        assert_eq!(
            settings.addresses,
            [Network::parse("192.0.2.7/24").unwrap()]
        );
        assert_eq!(
            settings
                .routes
                .iter()
                .map(|route| route.to.prefix)
                .collect::<Vec<_>>(),
            [8, 0]
        );
        assert_eq!(settings.name_servers, [Ipv4Addr::new(192, 0, 2, 3)]);
        assert_eq!(links["enc2"], Link::Dhcp { mtu: None });
        let bare = parse(b"version: 2\nethernets: {eth0: {dhcp4: true}}\n").unwrap();
        assert_eq!(bare["eth0"], Link::Dhcp { mtu: None });
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        for (link, place) in [
            (
                "{dhcp4: true, addresses: [10.0.0.1/8]}",
                "network.ethernets.eth0",
            ),
            ("{}", "network.ethernets.eth0"),
            (
                "{dhcp4: false, addresses: []}",
                "network.ethernets.eth0.addresses",
            ),
            (
                "{dhcp4: false, addresses: [10.0.0.1]}",
                "network.ethernets.eth0.addresses",
            ),
            (
                "{addresses: [10.0.0.1/8], gateway4: x}",
                "network.ethernets.eth0.gateway4",
            ),
            (
                "{addresses: [10.0.0.1/8], routes: [{to: x, via: 10.0.0.2}]}",
                "network.ethernets.eth0.routes",
            ),
            ("{dhcp4: true, mtu: 10}", "network.ethernets.eth0.mtu"),
        ] {
            let finding =
                parse(format!("network: {{version: 2, ethernets: {{eth0: {link}}}}}").as_bytes())
                    .unwrap_err();
            assert_eq!(finding.place.path, place, "{link}: {finding}");
        }
        for text in [
            "",
            "network: {ethernets: {}}",
            "network: {version: 1, ethernets: {a: {dhcp4: true}}}",
            "network: {wifis: {}}",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
