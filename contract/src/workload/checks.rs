//! What is wrong only when all services of a workload are seen together, and what is worth a look in each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use super::paths;
use super::reader::{Reader, Value};
use crate::finding::{self, Level};
use crate::messages;
use crate::plan::{Mount, Port, Protocol, Service};
use crate::secret::ExposeSecret as _;

/// The ports of the guest that are taken: no two services can have the same.
#[derive(Debug, Default)]
pub(super) struct Published(BTreeMap<(u16, bool), Holders>);

/// Who has one port of the guest.
#[derive(Debug, Default)]
struct Holders {
    /// At every address.
    everywhere: Option<Holder>,
    at: BTreeMap<IpAddr, Holder>,
}

/// A service, and the address that it wrote.
#[derive(Debug)]
struct Holder {
    service: String,
    address: Option<IpAddr>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.service)?;
        self.address
            .map_or(Ok(()), |address| write!(f, " at {address}"))
    }
}

impl Holders {
    fn of(&self, address: Option<IpAddr>) -> Option<&Holder> {
        let there = match address {
            None => self.at.values().next(),
            Some(address) => self.at.get(&address),
        };
        self.everywhere.as_ref().or(there)
    }
}

impl Published {
    /// Takes the ports that one entry of a service publishes. Those that are taken already are told there, once for each
    /// service that has them.
    pub(super) fn take(
        &mut self,
        reader: &mut Reader<'_>,
        entry: &Value<'_>,
        service: &str,
        ports: &[Port],
    ) {
        let mut told = BTreeSet::new();
        for port in ports {
            let is_udp = port.protocol == Protocol::Udp;
            let holders = self.0.entry((port.host, is_udp)).or_default();
            let holder = || Holder {
                service: service.to_owned(),
                address: port.host_ip,
            };
            let address = port.host_ip.filter(|address| !address.is_unspecified());
            match holders.of(address) {
                Some(other) if told.insert(other.service.clone()) => {
                    let protocol = if is_udp { "udp" } else { "tcp" };
                    let cause = format!(
                        "port {}/{protocol} of the guest is published twice: by {other} and by {}",
                        port.host,
                        holder()
                    );
                    reader.refuse(entry, cause, "publish every port of the guest once");
                }
                Some(_) => {}
                None => match address {
                    None => holders.everywhere = Some(holder()),
                    Some(address) => drop(holders.at.insert(address, holder())),
                },
            }
        }
    }
}

/// A privileged container is honoured, and told.
pub(super) fn privileged(reader: &mut Reader<'_>, at: &Value<'_>, service: &Service) {
    if service.privileged {
        reader.advise(
            at,
            "it has all capabilities and devices of the guest",
            "add the one capability that it needs instead (`cap_add`, `capabilities.add`)",
        );
    }
}

/// Programs of a container may gain privileges by being executed only where it is privileged.
pub(super) fn no_escalation(reader: &mut Reader<'_>, at: &Value<'_>, service: &Service) {
    if !service.privileged {
        reader.advise(
            at,
            "no program of a container gains privileges here, whatever its file says (setuid, file capabilities), unless the container is privileged",
            "remove it; where a program needs more, run it as that user (`user`, `runAsUser`) or add the capability",
        );
    }
}

/// Folders in which programs keep what is to outlive them, and what in these is made anew all the same.
const KEPT: [&str; 6] = [
    "/data",
    "/home",
    "/srv",
    "/var/lib",
    "/var/mail",
    "/var/spool",
];
const MADE_ANEW: [&str; 6] = [".cache", "cache", "lock", "run", "temp", "tmp"];

/// A temporary file system is made where it is asked for; where programs keep their data, that is told. The author of a
/// container that can be read only has thought of the paths that are written to.
pub(super) fn temporary(reader: &mut Reader<'_>, at: &Value<'_>, target: &str, read_only: bool) {
    let is_kept = KEPT.iter().any(|folder| paths::is_within(target, folder));
    let is_anew = target.split('/').any(|part| MADE_ANEW.contains(&part));
    if is_kept && !is_anew {
        let level = if read_only {
            Level::Note
        } else {
            Level::Warning
        };
        reader.refuse_as(
            level,
            messages::DATA_LOST,
            at,
            "programs keep their data at such a path, and here it is gone at power-off",
            "bind a folder of a data volume of the contract there; a mere cache can stay",
        );
    }
}

/// A service that speaks of a path of a data volume and does not mount it would write to its image's layers.
pub(super) fn unmounted(
    reader: &mut Reader<'_>,
    at: &Value<'_>,
    service: &Service,
    volumes: &[String],
) {
    // Looked up, not gone through: there may be many of both.
    let targets: BTreeSet<&str> = service.mounts.iter().map(Mount::target).collect();
    let is_mounted = |path: &str| {
        let ends = path.match_indices('/').map(|(end, _)| end);
        let above = ends.skip(1).map(|end| &path[..end]);
        targets.contains(path) || above.into_iter().any(|above| targets.contains(above))
    };
    let is_missing = |text: &str| {
        paths::absolute(text).is_ok_and(|path| {
            volumes.iter().any(|volume| paths::is_within(&path, volume)) && !is_mounted(&path)
        })
    };
    let mut speakers: Vec<String> = service
        .environment
        .iter()
        .filter(|(_, value)| is_missing(value.expose_secret()))
        .map(|(name, _)| format!("its variable {name}"))
        .take(finding::MOST)
        .collect();
    let mut words = service.entrypoint.iter().chain(&service.command).flatten();
    // `--data-dir=/mnt/data`, too.
    if words.any(|word| is_missing(word.split_once('=').map_or(word, |(_, value)| value))) {
        speakers.push("its command".into());
    }
    if service.working_dir.as_deref().is_some_and(is_missing) {
        speakers.push("its working directory".into());
    }
    for speaker in speakers {
        lost(
            reader,
            at,
            &format!(
                "{speaker} names a path of a data volume that it does not mount: what it writes there is gone at power-off"
            ),
            "bind the path into the container: a data volume is seen in no container by itself",
        );
    }
}

fn lost(reader: &mut Reader<'_>, at: &Value<'_>, cause: &str, remedy: &str) {
    reader.refuse_as(Level::Warning, messages::DATA_LOST, at, cause, remedy);
}
