//! Reads one container of a Pod.

use super::super::checks::{self, Published};
use super::super::reader::{Reader, Value};
use super::super::{amounts, image, paths, sources, values};
use super::environment;
use super::spec::{Around, Common};
use super::{fields, keys, names, probes, security};
use crate::plan::{Limits, Port, Protocol, Purpose, Restart, Role, Service};
use crate::yaml::Node;

/// Which list a container stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `initContainers`.
    Init,
    /// `containers`.
    Main,
}

/// Reads a container; none where its name or its image cannot be told.
#[expect(clippy::too_many_lines, reason = "one table of all keys")]
pub(super) fn read(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    kind: Kind,
    common: &Common<'_>,
    around: &mut Around<'_>,
) -> Option<Service> {
    if !value.is_mapping() {
        reader.expected("a mapping", value);
        return None;
    }
    let entries = fields::of(reader, value, &keys::CONTAINER);
    let find = |wanted: &str| {
        let found = entries.iter().find(|(key, _)| *key == wanted);
        found.map(|(_, value)| value)
    };
    let name = name(reader, value, find("name"), common);
    let image = if let Some(field) = find("image") {
        let owner = format!(
            "the container {}",
            name.as_deref().unwrap_or("without a name")
        );
        image::read(reader, field, &owner, around.surroundings)
    } else {
        reader.refuse(
            value,
            "the container has no image",
            "name an image by its digest",
        );
        None
    };
    let mut service = Service::new(
        name.clone().unwrap_or_default(),
        image.clone().unwrap_or_else(image::refused),
    );
    service.group.clone_from(&common.metadata.name);
    service.hostname = Some(common.hostname.clone());
    service.extra_hosts.clone_from(&common.hosts);
    service.stop_grace_seconds = common.grace;
    let named = ports(reader, find("ports"), &mut service, around.published);
    let mut identity = common.identity.clone();
    let is_read_only = find("securityContext")
        .and_then(|context| fields::get(context.node, "readOnlyRootFilesystem"))
        .is_some_and(|flag| matches!(flag.kind, crate::yaml::Kind::Bool(true)));
    let mut stays = kind == Kind::Main;
    for (key, field) in &entries {
        match *key {
            // Above, or below in an order of their own.
            "name" | "image" | "ports" | "env" | "envFrom" | "command" | "args" => {}
            "workingDir" => {
                service.working_dir =
                    reader.parsed(field, paths::absolute, "write an absolute path");
            }
            "imagePullPolicy" => pull_policy(reader, field),
            "volumeMounts" => {
                for item in reader.items(field) {
                    service.mounts.extend(common.mounted.mount(
                        reader,
                        &item,
                        around.files,
                        is_read_only,
                    ));
                }
            }
            "resources" => resources(reader, field, &mut service.limits),
            "securityContext" => security::of_container(reader, field, &mut identity, &mut service),
            "livenessProbe" | "readinessProbe" | "startupProbe"
                if kind == Kind::Init && !is_sidecar(value) =>
            {
                let cause = "an init container that ends has no probe";
                reader.refuse_key(field, cause, "remove it, or write `restartPolicy: Always`");
            }
            "livenessProbe" => {
                service
                    .health
                    .extend(probes::read(reader, field, Purpose::Liveness, &named));
            }
            "readinessProbe" => {
                service
                    .health
                    .extend(probes::read(reader, field, Purpose::Readiness, &named));
            }
            "startupProbe" => {
                service
                    .health
                    .extend(probes::read(reader, field, Purpose::Startup, &named));
            }
            "restartPolicy" if kind == Kind::Init && field.node.text() == Some("Always") => {
                stays = true;
            }
            "restartPolicy" => reader.refuse_key(
                field,
                "a restart policy of one container is not supported",
                "write it for the Pod; an init container that stays has `restartPolicy: Always`",
            ),
            "stdin" | "stdinOnce" | "tty" if reader.flag(field) != Some(true) => {}
            "terminationMessagePath" | "terminationMessagePolicy" if !field.is_text() => {
                reader.expected("text", field);
            }
            "terminationMessagePath" if field.node.text() == Some("/dev/termination-log") => {}
            "terminationMessagePolicy" if field.node.text() == Some("File") => {}
            key => keys::CONTAINER.refuse(reader, field, key),
        }
    }
    let mut room = around.whole.room();
    service.environment = environment::read(
        reader,
        find("envFrom"),
        find("env"),
        around.config_maps,
        common.metadata,
        &mut room,
    );
    let mut words = |reader: &mut Reader<'_>, field: &Value<'_>| -> Vec<String> {
        let items = reader.items(field);
        items
            .iter()
            .filter_map(|item| {
                if room.is_full() {
                    return None;
                }
                let text = reader.text(item)?;
                let expanded = environment::expanded(&text, &service.environment)
                    .and_then(|word| room.word(&word).map(|()| word));
                Some(
                    reader
                        .accept(item, expanded, "make it shorter")?
                        .to_string(),
                )
            })
            .collect()
    };
    let entrypoint = find("command").map(|field| words(reader, field));
    let command = find("args").map(|field| words(reader, field));
    // An empty list is none (Kubernetes).
    service.entrypoint = entrypoint.filter(|words| !words.is_empty());
    service.command = command.filter(|words| !words.is_empty());
    service.user = identity.user(reader, value);
    service.groups = identity.groups;
    service.sysctls = identity.sysctls.into_iter().collect();
    (service.role, service.restart) = life(kind, stays, common.restart);
    sources::once_each(reader, value, &service.mounts);
    checks::unmounted(reader, value, &service, around.surroundings.volumes);
    name.and(image).map(|_| service)
}

/// A step is tried again unless its Pod never is; an init container that stays is always started again.
fn life(kind: Kind, stays: bool, restart: Restart) -> (Role, Restart) {
    match (kind, stays) {
        (Kind::Main, _) => (Role::Main, restart),
        (Kind::Init, true) => (Role::Main, Restart::Always),
        (Kind::Init, false) if restart == Restart::No => (Role::Init, Restart::No),
        (Kind::Init, false) => (Role::Init, Restart::OnFailure(None)),
    }
}

fn is_sidecar(container: &Value<'_>) -> bool {
    fields::get(container.node, "restartPolicy").and_then(Node::text) == Some("Always")
}

/// `POD-CONTAINER`.
fn name(
    reader: &mut Reader<'_>,
    container: &Value<'_>,
    value: Option<&Value<'_>>,
    common: &Common<'_>,
) -> Option<String> {
    let Some(value) = value else {
        reader.refuse(container, "the container has no name", "write `name`");
        return None;
    };
    let name = reader.parsed(value, names::label, names::NAME)?;
    if common.metadata.name.is_empty() {
        // The Pod's own name is wrong, and has been reported.
        return None;
    }
    let name = format!("{}-{name}", common.metadata.name);
    if !values::is_service_name(&name) {
        let cause = "the names of Pod and container are longer than 48 characters together";
        reader.refuse(
            value,
            cause,
            "shorten one: POD-CONTAINER is what log lines carry",
        );
        return None;
    }
    Some(name)
}

/// Reads `ports`: those with a `hostPort` are published, all can be named by probes.
fn ports(
    reader: &mut Reader<'_>,
    value: Option<&Value<'_>>,
    service: &mut Service,
    published: &mut Published,
) -> Vec<(String, u16)> {
    let mut named = Vec::new();
    for item in value.map(|value| reader.items(value)).unwrap_or_default() {
        let (mut name, mut container, mut host, mut host_ip) = (None, None, None, None);
        let mut protocol = Protocol::Tcp;
        for (key, field) in fields::of(reader, &item, &keys::PORT) {
            match key {
                "name" => name = reader.parsed(&field, names::label, names::NAME),
                "containerPort" => container = reader.whole::<u16>(&field, 1..=65_535),
                "hostPort" => host = reader.whole::<u16>(&field, 1..=65_535),
                "hostIP" => host_ip = reader.parsed(&field, values::ip, "write an IP address"),
                "protocol" => {
                    protocol = reader
                        .parsed(&field, values::protocol, "write TCP or UDP")
                        .unwrap_or(Protocol::Tcp);
                }
                _ => keys::PORT.refuse(reader, &field, key),
            }
        }
        let Some(container) = container else {
            if fields::get(item.node, "containerPort").is_none() {
                reader.refuse(&item, "the port is missing", "write `containerPort`");
            }
            continue;
        };
        named.extend(name.map(|name| (name, container)));
        if let Some(host) = host {
            let port = Port {
                host_ip,
                host,
                container,
                protocol,
            };
            published.take(reader, &item, &service.name, std::slice::from_ref(&port));
            service.ports.push(port);
        }
    }
    named
}

fn pull_policy(reader: &mut Reader<'_>, value: &Value<'_>) {
    let known = |text: &str| match text {
        "Always" | "IfNotPresent" => Ok(()),
        _ => Err("this pull policy cannot be kept: a guest begins without any image"),
    };
    reader.parsed(
        value,
        known,
        "remove it: an image is fetched once, by its digest",
    );
}

/// Reads `resources`: limits hold; of what is requested, processor time is shared in proportion, and memory is there
/// anyway, because nobody else runs in the guest.
fn resources(reader: &mut Reader<'_>, value: &Value<'_>, limits: &mut Limits) {
    const BYTES: &str = "write a quantity such as 512Mi";
    const PROCESSORS: &str = "write a quantity such as 500m or 2";
    for (part, field) in fields::of(reader, value, &keys::RESOURCES) {
        match part {
            "limits" | "requests" => {}
            "claims" => {
                reader.unsupported(
                    &field,
                    part,
                    "remove it: containers see no device of the guest",
                );
                continue;
            }
            _ => {
                keys::RESOURCES.refuse(reader, &field, part);
                continue;
            }
        }
        let is_limit = part == "limits";
        for (key, field) in reader.entries(&field) {
            match key {
                "cpu" => {
                    let cpus = reader.decimal(&field, amounts::quantity_processors, PROCESSORS);
                    if is_limit {
                        limits.milli_cpus = cpus;
                    } else {
                        limits.cpu_weight = cpus.map(|cpus| (cpus / 10).clamp(1, 10_000));
                    }
                }
                "memory" => {
                    let memory = reader.decimal(&field, amounts::quantity_bytes, BYTES);
                    if is_limit {
                        limits.memory = memory;
                    }
                }
                _ => reader.refuse_key(
                    &field,
                    format!("the resource {key} is not rationed here"),
                    "write cpu and memory",
                ),
            }
        }
    }
}
