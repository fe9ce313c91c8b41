//! Reads one Pod: its `spec`, and its containers in the order in which they start.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::checks::Published;
use super::super::reader::{Reader, Value};
use super::super::room::Whole;
use super::super::sources::Files;
use super::super::{Surroundings, values};
use super::config_map::ConfigMaps;
use super::container::{self, Kind};
use super::names::{self, Metadata};
use super::security::{self, Identity};
use super::volumes::{self, Mounted};
use super::{fields, keys};
use crate::plan::{Condition, Dependency, Purpose, Restart, Role, Service};
use crate::yaml::Node;

/// How long a Pod may take to stop where it does not say, and at most, in seconds.
const GRACE: u64 = 30;
const LONGEST_GRACE: i64 = 600;

/// What Pods may refer to.
pub(super) struct Around<'a> {
    pub(super) surroundings: &'a Surroundings<'a>,
    pub(super) config_maps: &'a ConfigMaps,
    pub(super) files: &'a mut Files,
    /// The ports that containers have taken so far, of all Pods.
    pub(super) published: &'a mut Published,
    pub(super) whole: &'a mut Whole,
}

/// A Pod that has been read.
pub(super) struct Pod {
    pub(super) name: String,
    pub(super) services: Vec<Service>,
    /// Whether a container names a port, published or not.
    pub(super) names_ports: bool,
}

/// What all containers of a Pod have in common.
pub(super) struct Common<'a> {
    pub(super) metadata: &'a Metadata,
    pub(super) hostname: String,
    pub(super) hosts: Vec<(String, IpAddr)>,
    pub(super) identity: Identity,
    pub(super) restart: Restart,
    pub(super) grace: u64,
    pub(super) mounted: Mounted<'a>,
}

/// Reads a Pod; none where its name or its containers cannot be told.
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    around: &mut Around<'_>,
) -> Option<Pod> {
    let (mut metadata, mut spec) = (None, None);
    for (key, field) in fields::of(reader, value, &keys::POD) {
        match key {
            // A status is what an API server has written down.
            "kind" | "apiVersion" | "status" => {}
            "metadata" => metadata = Some(field),
            "spec" => spec = Some(field),
            _ => keys::POD.refuse(reader, &field, key),
        }
    }
    let metadata = names::metadata(reader, value, metadata.as_ref());
    let Some(spec) = spec.filter(|spec| !spec.is_empty()) else {
        reader.refuse(
            value,
            "the Pod has no spec",
            "write `spec` with its containers",
        );
        return None;
    };
    // Without a name the rest is still looked at.
    let is_named = metadata.is_some();
    let metadata = metadata.unwrap_or_default();
    let services = of_spec(reader, &spec, &metadata, around);
    is_named.then_some(Pod {
        name: metadata.name,
        services,
        names_ports: names_ports(&spec),
    })
}

fn names_ports(spec: &Value<'_>) -> bool {
    fields::list(spec.node, "containers")
        .iter()
        .any(|container| !fields::list(container, "ports").is_empty())
}

fn of_spec(
    reader: &mut Reader<'_>,
    spec: &Value<'_>,
    metadata: &Metadata,
    around: &mut Around<'_>,
) -> Vec<Service> {
    let (mut init, mut main, mut declared) = (Vec::new(), Vec::new(), None);
    let (mut hostname, mut hosts, mut identity) = (None, Vec::new(), Identity::default());
    let (mut restart, mut grace) = (Restart::Always, GRACE);
    for (key, field) in fields::of(reader, spec, &keys::SPEC) {
        match key {
            "initContainers" => init = reader.items(&field),
            "containers" => main = reader.items(&field),
            "volumes" => declared = Some(field),
            "securityContext" => identity = security::of_pod(reader, &field),
            "restartPolicy" => {
                let remedy = "write Always, OnFailure or Never";
                restart = reader
                    .parsed(&field, policy, remedy)
                    .unwrap_or(Restart::Always);
            }
            "terminationGracePeriodSeconds" => {
                grace = reader.whole(&field, 0..=LONGEST_GRACE).unwrap_or(GRACE);
            }
            "hostname" => hostname = reader.parsed(&field, names::label, names::NAME),
            "hostAliases" => hosts = aliases(reader, &field),
            _ => vacuous(reader, key, &field),
        }
    }
    if main.is_empty() {
        reader.refuse(
            spec,
            "the Pod has no container",
            "write one under `containers`",
        );
    }
    let volumes = declared
        .map(|declared| volumes::read(reader, &declared, around))
        .unwrap_or_default();
    let uses = uses(init.iter().chain(&main));
    let common = Common {
        hostname: hostname.unwrap_or_else(|| metadata.name.clone()),
        metadata,
        hosts,
        identity,
        restart,
        grace,
        mounted: Mounted {
            pod: &metadata.name,
            volumes: &volumes,
            uses: &uses,
        },
    };
    let mut services = Vec::new();
    let mut before = Vec::new();
    for item in &init {
        if let Some(mut service) = container::read(reader, item, Kind::Init, &common, around) {
            service.depends_on.clone_from(&before);
            before.push(needed(&service));
            services.push(service);
        }
    }
    for item in &main {
        if let Some(mut service) = container::read(reader, item, Kind::Main, &common, around) {
            service.depends_on.clone_from(&before);
            services.push(service);
        }
    }
    services
}

/// What must have happened to an init container before those after it start. One that stays must have started, or be
/// healthy where it says how that is told.
fn needed(service: &Service) -> Dependency {
    let has_startup = service
        .health
        .iter()
        .any(|check| check.purpose == Purpose::Startup);
    let condition = match service.role {
        Role::Init => Condition::Completed,
        Role::Main if has_startup => Condition::Healthy,
        Role::Main => Condition::Started,
    };
    Dependency {
        service: service.name.clone(),
        condition,
    }
}

/// Keys that ask for nothing where they say what is so anyway, and are refused else.
fn vacuous(reader: &mut Reader<'_>, key: &str, value: &Value<'_>) {
    let said = value.node.text();
    match key {
        // No container finds others by its environment, no node has a taint.
        "enableServiceLinks" => {
            reader.flag(value);
            return;
        }
        "tolerations" => {
            reader.items(value);
            return;
        }
        "hostNetwork"
        | "hostPID"
        | "hostIPC"
        | "shareProcessNamespace"
        | "setHostnameAsFQDN"
        | "automountServiceAccountToken"
            // What is neither has been told.
            if reader.flag(value) != Some(true) =>
        {
            return;
        }
        "hostUsers" if reader.flag(value) != Some(false) => return,
        "serviceAccount" | "serviceAccountName" if matches!(said, Some("default" | "")) => return,
        "schedulerName" if said == Some("default-scheduler") => return,
        "dnsPolicy" => {
            if !matches!(said, Some("ClusterFirst" | "Default")) {
                let cause = "this DNS policy is not supported";
                reader.refuse(
                    value,
                    cause,
                    "remove it: names are resolved as the guest's network configuration says",
                );
            }
            return;
        }
        "os" if fields::get(value.node, "name").and_then(Node::text) == Some("linux") => return,
        _ => {}
    }
    keys::SPEC.refuse(reader, value, key);
}

fn policy(text: &str) -> Result<Restart, &'static str> {
    match text {
        "Always" => Ok(Restart::Always),
        "OnFailure" => Ok(Restart::OnFailure(None)),
        "Never" => Ok(Restart::No),
        _ => Err("this is no restart policy of a Pod"),
    }
}

fn aliases(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<(String, IpAddr)> {
    let mut hosts = Vec::new();
    for item in reader.items(value) {
        let (mut address, mut names) = (None, Vec::new());
        for (key, field) in fields::of(reader, &item, &keys::HOST_ALIAS) {
            match key {
                "ip" => address = reader.parsed(&field, values::ip, "write an IP address"),
                "hostnames" => names = reader.each(&field, values::hostname, "write host names"),
                _ => keys::HOST_ALIAS.refuse(reader, &field, key),
            }
        }
        match address {
            Some(address) => hosts.extend(names.into_iter().map(|name| (name, address))),
            None if fields::get(item.node, "ip").is_none() => {
                reader.refuse(&item, "the address is missing", "write `ip`");
            }
            None => {}
        }
    }
    hosts
}

/// How many containers mount each volume, counted before any is read.
fn uses<'v>(containers: impl Iterator<Item = &'v Value<'v>>) -> BTreeMap<String, usize> {
    let mut uses = BTreeMap::new();
    for container in containers {
        let mounts = fields::list(container.node, "volumeMounts").iter();
        for name in mounts.filter_map(|mount| fields::get(mount, "name")?.text()) {
            *uses.entry(name.to_owned()).or_default() += 1;
        }
    }
    uses
}
