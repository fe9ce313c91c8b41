//! Reads one service: the table of keys that are understood, and what to do instead of those that are not.

use std::collections::BTreeMap;

use super::interpolation::Variables;
use super::reader::{Reader, Value};
use super::{environment, image, mounts, options, ports, words};
use crate::messages;
use crate::plan::{Condition, Dependency, ImageReference, Port, Restart, Service};

/// What a service may refer to.
pub(super) struct Surroundings<'a> {
    /// The files of the archive.
    pub(super) files: &'a BTreeMap<String, Vec<u8>>,
    /// The merged environment of the contract.
    pub(super) variables: &'a Variables,
    /// Where data volumes are mounted in the guest.
    pub(super) volumes: &'a [String],
}

/// A service that must be started earlier, and where that is said.
pub(super) struct Need<'n> {
    pub(super) service: String,
    pub(super) value: Value<'n>,
}

/// Reads a service and what it waits for; no service where its image cannot be run.
pub(super) fn read<'n>(
    reader: &mut Reader<'_>,
    name: &str,
    value: &Value<'n>,
    surroundings: &Surroundings<'_>,
) -> (Option<Service>, Vec<Need<'n>>) {
    if !value.is_mapping() {
        reader.expected("a mapping", value);
        return (None, Vec::new());
    }
    let entries = reader.entries(value);
    let Some((_, image)) = entries.iter().find(|(key, _)| *key == "image") else {
        reader.refuse(
            value,
            "the service has no image",
            "name an image by its digest",
        );
        return (None, Vec::new());
    };
    let Some(image) = image_reference(reader, name, image) else {
        return (None, Vec::new());
    };
    let mut service = Service::new(name, image);
    let (mut env_file, mut environment, mut needs) = (None, None, Vec::new());
    for (key, value) in &entries {
        match *key {
            "env_file" => env_file = Some(value),
            "environment" => environment = Some(value),
            "depends_on" => needs = depends_on(reader, value),
            // What only names or describes: nothing of it reaches the guest.
            "image" | "container_name" | "labels" => {}
            _ => key_of(reader, &mut service, key, value, surroundings),
        }
    }
    service.environment = environment::read(reader, env_file, environment, surroundings);
    mounts::once_each(reader, value, &service.mounts);
    service.depends_on = needs
        .iter()
        .map(|need| Dependency {
            service: need.service.clone(),
            condition: Condition::Started,
        })
        .collect();
    (Some(service), needs)
}

/// The keys that stand for themselves.
fn key_of(
    reader: &mut Reader<'_>,
    service: &mut Service,
    key: &str,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
) {
    const NAME: &str = "write it as documented for Compose";
    if value.is_null() && KEYS.contains(&key) {
        return;
    }
    match key {
        "command" => service.command = command(reader, value),
        "entrypoint" => service.entrypoint = command(reader, value),
        "ports" => service.ports = published(reader, value),
        "volumes" => service
            .mounts
            .extend(mounts::read(reader, value, surroundings)),
        "tmpfs" => service.mounts.extend(mounts::tmpfs(reader, value)),
        "user" => service.user = parsed(reader, value, options::user, NAME),
        "working_dir" => {
            service.working_dir = parsed(
                reader,
                value,
                super::paths::absolute,
                "write an absolute path",
            );
        }
        "hostname" => service.hostname = parsed(reader, value, options::hostname, NAME),
        "read_only" => service.read_only = reader.flag(value).unwrap_or_default(),
        "privileged" => service.privileged = reader.flag(value).unwrap_or_default(),
        "cap_add" => service.cap_add = capabilities(reader, value),
        "cap_drop" => service.cap_drop = capabilities(reader, value),
        "restart" => {
            let remedy = "write no, always, unless-stopped or on-failure, with a number of tries (on-failure:3)";
            service.restart =
                parsed(reader, value, options::restart, remedy).unwrap_or(Restart::No);
        }
        "stop_grace_period" => {
            service.stop_grace_seconds = parsed(
                reader,
                value,
                options::seconds,
                "write a duration up to ten minutes, such as 30s or 1m30s",
            )
            .unwrap_or_default();
        }
        "stop_signal" => {
            service.stop_signal = parsed(
                reader,
                value,
                options::signal,
                "write a name such as SIGTERM",
            );
        }
        "init" if reader.flag(value) == Some(false) => {}
        _ => match unsupported(key) {
            Some(remedy) => reader.refuse_key(value, format!("`{key}` is not supported"), remedy),
            None => reader.refuse_key(
                value,
                format!("the key `{key}` is not known here"),
                format!("known keys: {}, x-...", KEYS.join(", ")),
            ),
        },
    }
}

/// The keys that are understood; one without a value counts as left out.
const KEYS: [&str; 21] = [
    "image",
    "command",
    "entrypoint",
    "environment",
    "env_file",
    "ports",
    "volumes",
    "tmpfs",
    "user",
    "working_dir",
    "hostname",
    "read_only",
    "cap_add",
    "cap_drop",
    "privileged",
    "restart",
    "stop_grace_period",
    "stop_signal",
    "depends_on",
    "labels",
    "container_name",
];

/// What to do instead of a key of Compose that this appliance does not have.
fn unsupported(key: &str) -> Option<&'static str> {
    Some(match key {
        "build" => "build the image beforehand, push it, and name it by its digest under `image`",
        "networks" | "network_mode" | "links" | "external_links" => {
            "remove it: all services of the workload share one network"
        }
        "healthcheck" => "remove it: a service counts as running as long as its process does",
        "secrets" | "configs" => {
            "put the file into the archive and bind it (`./file:/path`), or pass it in the environment"
        }
        "devices" | "device_cgroup_rules" | "gpus" => {
            "remove it: containers see no device of the guest"
        }
        "logging" => "remove it: every line goes to the collector that the env section names",
        "deploy" | "scale" => "remove it: one container runs for each service",
        "init" => "remove it, or bring an init within the image",
        "pid" | "ipc" | "uts" | "userns_mode" | "cgroup" | "cgroup_parent" => {
            "remove it: every container has namespaces of its own"
        }
        "mem_limit" | "memswap_limit" | "mem_reservation" | "cpus" | "cpuset" | "cpu_shares"
        | "cpu_quota" | "pids_limit" => "remove it: the size of the guest is the limit",
        "volumes_from" => "write the mounts of this service out",
        "extends" | "profiles" | "develop" => "write this service out",
        "dns" | "dns_search" | "dns_opt" | "extra_hosts" | "sysctls" | "ulimits"
        | "security_opt" | "shm_size" | "group_add" | "tty" | "stdin_open" | "platform"
        | "pull_policy" | "expose" | "runtime" | "isolation" | "storage_opt" | "oom_score_adj"
        | "oom_kill_disable" | "mac_address" | "domainname" | "annotations" => {
            "remove it: this version does not act on it"
        }
        _ => return None,
    })
}

/// Text, read by a pure parser.
fn parsed<T>(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    parse: impl Fn(&str) -> Result<T, &'static str>,
    remedy: &str,
) -> Option<T> {
    let text = reader.text(value)?;
    reader.accept(value, parse(&text), remedy)
}

fn image_reference(
    reader: &mut Reader<'_>,
    service: &str,
    value: &Value<'_>,
) -> Option<ImageReference> {
    let text = reader.text(value)?;
    let (cause, remedy) = match image::parse(&text) {
        Ok(image) => return Some(image),
        Err(image::Problem::NoDigest) => (
            format!("the image of the service {service} is not named by digest"),
            "write `registry/name@sha256:...`; the registry tells the digest when the image is pushed",
        ),
        Err(image::Problem::BadDigest) => (
            format!("the digest of the image of the service {service} is malformed"),
            "write `@sha256:` and 64 lowercase hexadecimal digits",
        ),
        Err(image::Problem::BadName) => (
            format!("the image of the service {service} has no name that a registry could know"),
            "write `registry/name@sha256:...` in lowercase",
        ),
    };
    reader.refuse_as(messages::IMAGE_MISMATCH, value, cause, remedy);
    None
}

/// A command as one string, split as a shell would, or as a list.
fn command(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Vec<String>> {
    if value.is_text() {
        return parsed(
            reader,
            value,
            words::split,
            "close every quote, or write a list",
        );
    }
    Some(texts(reader, value))
}

fn texts(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<String> {
    let items = reader.items(value);
    items
        .iter()
        .filter_map(|item| reader.text(item).map(|text| text.to_string()))
        .collect()
}

fn capabilities(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<String> {
    let items = reader.items(value);
    items
        .iter()
        .filter_map(|item| {
            parsed(
                reader,
                item,
                options::capability,
                "write a name of capabilities(7), or ALL",
            )
        })
        .collect()
}

fn published(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<Port> {
    const REMEDY: &str = "write `guest:container`, with an address before it and `/tcp` or `/udp` after it if needed";
    let items = reader.items(value);
    let mut published = Vec::new();
    for item in &items {
        let ports = if item.is_mapping() {
            long_port(reader, item)
        } else {
            parsed(reader, item, ports::short, REMEDY)
        };
        published.extend(ports.unwrap_or_default());
    }
    published
}

/// The long form of a port.
fn long_port(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Vec<Port>> {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    for (key, field) in reader.entries(value) {
        match key {
            "target" | "published" | "protocol" | "host_ip" => {
                fields.insert(key, reader.text(&field)?.to_string());
            }
            // Descriptions, and a mode that differs only within a swarm.
            "name" | "app_protocol" | "mode" => {}
            _ => {
                let known =
                    "known keys: target, published, protocol, host_ip, mode, name, app_protocol";
                reader.refuse_key(&field, format!("the key `{key}` is not known here"), known);
                return None;
            }
        }
    }
    let (Some(host), Some(container)) = (fields.get("published"), fields.get("target")) else {
        reader.refuse(
            value,
            "the port of the guest or of the container is missing",
            "write both `published` and `target`",
        );
        return None;
    };
    let protocol = fields.get("protocol").map_or("tcp", String::as_str);
    let outcome = ports::publish(
        fields.get("host_ip").map(String::as_str),
        host,
        container,
        protocol,
    );
    reader.accept(
        value,
        outcome,
        "write port numbers or ranges of equal length, tcp or udp",
    )
}

/// The services that this one waits for. Waiting for more than their start cannot be promised, and is refused.
fn depends_on<'n>(reader: &mut Reader<'_>, value: &Value<'n>) -> Vec<Need<'n>> {
    if !value.is_mapping() {
        let items = reader.items(value);
        return items
            .into_iter()
            .filter_map(|value| {
                Some(Need {
                    service: reader.text(&value)?.to_string(),
                    value,
                })
            })
            .collect();
    }
    let mut needs = Vec::new();
    for (service, value) in reader.entries(value) {
        for (key, field) in reader.entries(&value) {
            match (key, field.node.text()) {
                ("condition", Some("service_started")) | ("required" | "restart", _) => {}
                ("condition", _) => reader.refuse(
                    &field,
                    "only the start of another service can be waited for",
                    "write `condition: service_started` and let the service wait for the rest",
                ),
                _ => reader.refuse_key(
                    &field,
                    format!("the key `{key}` is not known here"),
                    "known keys: condition, required, restart",
                ),
            }
        }
        needs.push(Need {
            service: service.to_owned(),
            value,
        });
    }
    needs
}
