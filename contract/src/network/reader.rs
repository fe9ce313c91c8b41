//! From the tree of a configuration to its links: everything that is wrong is found in one walk.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::{Link, Network, Route, Settings, is_domain};
use crate::finding::{self, Finding, Place};
use crate::messages;
use crate::public::shown_key;
use crate::spelling;
use crate::yaml::{Document, Kind};

mod at;

use at::{At, top};

const FIXED: [&str; 4] = ["addresses", "gateway4", "routes", "nameservers"];
const ADDRESS: &str = "write an IPv4 address with the length of its prefix, such as 192.0.2.7/24";

/// Reads the links, or tells everything that is wrong.
pub(super) fn read(document: &Document) -> Result<BTreeMap<String, Link>, Vec<Finding>> {
    let mut reader = Reader::new(document);
    let links = reader.file(&top(document));
    if reader.findings.is_empty() {
        Ok(links)
    } else {
        Err(reader.findings)
    }
}

/// What our guest takes and the published rules do not.
pub(super) fn unpublished(document: &Document, any_link: bool) -> Vec<Finding> {
    let mut reader = Reader::new(document);
    let top = top(document);
    let Some(network) = top.get("network") else {
        reader.refuse(
            &top,
            "the key `network` is missing",
            "put everything below network",
        );
        return reader.findings;
    };
    for (name, link) in network.get("ethernets").iter().flat_map(At::entries) {
        let is_published = name.strip_prefix("enc").is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !(is_published || any_link) {
            reader.refuse(
                &link,
                "the link is not named `enc` and a number, as those of IBM Z are",
                "name it such as enc1; for other machines, allow any name (--any-link)",
            );
        }
        if link.get("dhcp4").is_none() {
            reader.refuse(
                &link,
                "the key `dhcp4` is missing",
                "write dhcp4: true or dhcp4: false",
            );
        }
    }
    reader.findings
}

struct Reader<'a> {
    document: &'a Document,
    findings: Vec<Finding>,
    /// The addresses of all links so far.
    own: BTreeSet<Ipv4Addr>,
}

impl<'a> Reader<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            document,
            findings: Vec::new(),
            own: BTreeSet::new(),
        }
    }
}

impl Reader<'_> {
    fn refuse(&mut self, at: &At<'_>, cause: impl Into<String>, remedy: impl Into<String>) {
        self.refuse_at(self.document.place(&at.pointer), cause, remedy);
    }

    fn refuse_at(&mut self, place: Place, cause: impl Into<String>, remedy: impl Into<String>) {
        if self.findings.len() < finding::MOST {
            let code = messages::NETWORK_FAILED;
            self.findings.push(Finding::new(code, place, cause, remedy));
        }
    }

    fn file(&mut self, top: &At<'_>) -> BTreeMap<String, Link> {
        let body = match (top.get("network"), top.get("ethernets")) {
            (Some(network), None) => {
                self.keys(top, &["network"]);
                network
            }
            (None, Some(_)) => At {
                node: top.node,
                pointer: String::new(),
            },
            found => {
                let cause = match found {
                    (None, None) if matches!(top.node.kind, Kind::Null) => "the file is empty",
                    (None, None) => "there are no ethernets",
                    _ => "there are two lists of ethernets",
                };
                self.refuse(top, cause, "write network.ethernets, once");
                return BTreeMap::new();
            }
        };
        self.keys(&body, &["version", "renderer", "ethernets"]);
        if let Some(version) = body.get("version")
            && !matches!(version.number(), Some(1 | 2))
        {
            self.refuse(&version, "this version is not known", "write version: 2");
        }
        if let Some(renderer) = body.get("renderer")
            && renderer.node.text() != Some("networkd")
        {
            let remedy = "remove it, or write networkd";
            self.refuse(&renderer, "there is no other renderer", remedy);
        }
        let ethernets = body.get("ethernets");
        let links = ethernets.as_ref().map(At::entries).unwrap_or_default();
        if links.is_empty() {
            self.refuse(
                ethernets.as_ref().unwrap_or(&body),
                "there is no link",
                "add one below ethernets, such as enc1",
            );
        }
        links
            .into_iter()
            .filter_map(|(name, at)| Some((name.to_owned(), self.link(&at)?)))
            .collect()
    }

    fn link(&mut self, at: &At<'_>) -> Option<Link> {
        if !self.keys(
            at,
            &[&["dhcp4", "dhcp6", "optional", "mtu"][..], &FIXED].concat(),
        ) {
            return None;
        }
        for key in ["dhcp6", "optional"] {
            let Some(flag) = at.get(key) else {
                continue;
            };
            let cause = match flag.node.kind {
                Kind::Bool(true) if key == "dhcp6" => "the guest has IPv4 alone".to_owned(),
                // Nothing of the boot waits longer for a link than for an answer.
                Kind::Bool(_) => continue,
                _ => format!("{key} is neither true nor false"),
            };
            self.refuse(&flag, cause, format!("remove it, or write {key}: false"));
        }
        let mtu = at.get("mtu").and_then(|at| self.mtu(&at));
        let settings = self.settings(at, mtu);
        let dhcp = at.get("dhcp4").map(|dhcp| {
            let Kind::Bool(value) = dhcp.node.kind else {
                let remedy = "write one of the two, without quotes";
                self.refuse(&dhcp, "dhcp4 is neither true nor false", remedy);
                return None;
            };
            Some(value)
        });
        let fixed: Vec<_> = FIXED.iter().filter_map(|key| at.get(key)).collect();
        match dhcp {
            Some(Some(true)) => {
                for setting in &fixed {
                    self.refuse(
                        setting,
                        "dhcp4 leaves no room for fixed settings",
                        "remove it, or write dhcp4: false",
                    );
                }
                return Some(Link::Dhcp { mtu });
            }
            // What is wrong is told, and what else is missing hangs on it.
            Some(None) => {}
            None if fixed.is_empty() => self.refuse(
                at,
                "it says neither dhcp4 nor addresses",
                "write dhcp4: true or addresses",
            ),
            _ if at.get("addresses").is_none() => self.refuse(
                at,
                "there is no address",
                format!("add addresses: {ADDRESS}"),
            ),
            _ => {}
        }
        Some(Link::Static(settings))
    }

    fn settings(&mut self, at: &At<'_>, mtu: Option<u32>) -> Settings {
        let addresses = self.addresses(at);
        if let Some(list) = at.get("addresses")
            && matches!(&list.node.kind, Kind::Sequence(items) if items.is_empty())
        {
            self.refuse(&list, "the list of addresses is empty", ADDRESS);
        }
        let listed = at.get("routes").map(|list| self.items(&list));
        let mut routes: Vec<_> = listed
            .iter()
            .flatten()
            .filter_map(|at| self.route(at))
            .collect();
        if let Some(gateway) = at.get("gateway4") {
            routes.extend(
                self.text(&gateway, "write an IPv4 address", |text| text.parse().ok())
                    .map(Route::default),
            );
        }
        let servers = at.get("nameservers");
        if let Some(servers) = &servers
            && self.keys(servers, &["addresses", "search"])
            && servers.get("addresses").is_none()
        {
            self.refuse(servers, "there is no name server", "add addresses");
        }
        let servers = servers.as_ref();
        Settings {
            mtu,
            addresses,
            routes,
            name_servers: servers
                .map(|at| {
                    self.list(at, "addresses", "write an IPv4 address", |text| {
                        text.parse::<Ipv4Addr>().ok()
                    })
                })
                .unwrap_or_default(),
            search: servers
                .map(|at| {
                    self.list(at, "search", "write a domain name", |text| {
                        is_domain(text).then(|| text.to_owned())
                    })
                })
                .unwrap_or_default(),
        }
    }

    /// The link's own addresses: none that no host can have, and each once in the whole file.
    fn addresses(&mut self, at: &At<'_>) -> Vec<Network> {
        let mut addresses = Vec::new();
        let list = at.get("addresses");
        for item in list
            .iter()
            .flat_map(|list| self.items(list))
            .collect::<Vec<_>>()
        {
            let Some(network) = self.text(&item, ADDRESS, Network::parse) else {
                continue;
            };
            let own = network.address;
            if own.octets()[0] == 0 || own.is_multicast() || own.is_broadcast() {
                self.refuse(&item, "no host can have this address", ADDRESS);
            } else if self.own.insert(own) {
                addresses.push(network);
            } else {
                let remedy = "give every link addresses of its own";
                self.refuse(&item, "this address stands twice", remedy);
            }
        }
        addresses
    }

    fn route(&mut self, at: &At<'_>) -> Option<Route> {
        self.keys(at, &["to", "via", "metric"]);
        let (Some(to), Some(via)) = (at.get("to"), at.get("via")) else {
            self.refuse(at, "a route needs `to` and `via`", "write both");
            return None;
        };
        // An address is the network of itself.
        let network = |text: &str| match text.parse() {
            Ok(address) => Some(Network {
                address,
                prefix: 32,
            }),
            Err(_) if text == "default" => Network::parse("0.0.0.0/0"),
            Err(_) => Network::parse(text).map(Network::masked),
        };
        let to = self.text(
            &to,
            "write a network such as 192.0.2.0/24, or default",
            network,
        );
        let via = self.text(&via, "write an IPv4 address", |text| text.parse().ok());
        let metric = at.get("metric").map(|at| {
            let metric = at.number().and_then(|metric| u32::try_from(metric).ok());
            if metric.is_none() {
                self.refuse(&at, "this is no metric", "write a whole number from 0");
            }
            metric
        });
        Some(Route {
            to: to?,
            via: via?,
            metric: metric.flatten(),
        })
    }

    fn mtu(&mut self, at: &At<'_>) -> Option<u32> {
        const REMEDY: &str = "write 68 to 65535 without quotes, or leave it out";
        // RFC 791: every link carries 68 bytes.
        let mtu = at.number().filter(|mtu| (68..=65_535).contains(mtu));
        if mtu.is_none() {
            let cause = match at.node.kind {
                Kind::Number(_) => "the MTU is out of bounds".to_owned(),
                _ => format!("the MTU is {}, not a number", at.node.describe()),
            };
            self.refuse(at, cause, REMEDY);
        }
        u32::try_from(mtu?).ok()
    }

    /// Whether it is a mapping; keys that mean nothing here are refused.
    fn keys(&mut self, at: &At<'_>, known: &[&str]) -> bool {
        let Kind::Mapping(_) = at.node.kind else {
            self.refuse(
                at,
                format!("{} stands where a mapping belongs", at.node.describe()),
                format!("known keys: {}", known.join(", ")),
            );
            return false;
        };
        for (key, _) in at.entries() {
            if !known.contains(&key) {
                self.refuse_at(
                    self.document.key_place(&at.pointer, key),
                    format!("the key `{}` is not known here", shown_key(key)),
                    spelling::remedy(key, known),
                );
            }
        }
        true
    }

    fn list<T>(
        &mut self,
        at: &At<'_>,
        key: &str,
        remedy: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let items: Vec<_> = at
            .get(key)
            .iter()
            .flat_map(|list| self.items(list))
            .collect();
        items
            .iter()
            .filter_map(|item| self.text(item, remedy, &parse))
            .collect()
    }

    fn items<'a>(&mut self, at: &At<'a>) -> Vec<At<'a>> {
        let Kind::Sequence(items) = &at.node.kind else {
            self.refuse(
                at,
                format!("{} stands where a list belongs", at.node.describe()),
                "write a list",
            );
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .map(|(index, node)| at.below(&index.to_string(), node))
            .collect()
    }

    fn text<T>(
        &mut self,
        at: &At<'_>,
        remedy: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = at.node.text().and_then(parse);
        if value.is_none() {
            self.refuse(at, "the value cannot be read", remedy);
        }
        value
    }
}
