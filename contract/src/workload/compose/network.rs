//! How a service is reached and what it reaches: published ports, networks, whose network namespace it has.
//!
//! All services of a workload share one network and find each other by name. What would separate them, or open the
//! guest's own network to them, is refused.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::reader::{Reader, Value};
use super::super::values;
use super::ports;
use crate::plan::{Port, Service};

/// Reads `networks` of a service: the default one, and nothing about it.
pub(super) fn of_service(reader: &mut Reader<'_>, value: &Value<'_>) {
    let named: Vec<(String, Value<'_>, bool)> = if value.is_mapping() {
        let entries = reader.entries(value);
        entries
            .into_iter()
            .map(|(name, field)| (name.to_owned(), field.clone(), field.is_empty()))
            .collect()
    } else {
        let items = reader.items(value);
        items
            .into_iter()
            .filter_map(|item| Some((reader.text(&item)?.to_string(), item, true)))
            .collect()
    };
    for (name, value, is_plain) in named {
        if name != "default" || !is_plain {
            reader.refuse_key(
                &value,
                "networks are not supported, nor settings of the default one",
                "remove them: all services of the workload share one network and find each other by name",
            );
        }
    }
}

/// Reads `networks` at the top of the file.
pub(super) fn declared(reader: &mut Reader<'_>, value: &Value<'_>) {
    for (name, field) in reader.entries(value) {
        if name != "default" || !field.is_empty() {
            reader.refuse_key(
                &field,
                "networks are not supported: services could not be kept apart by them",
                "remove them: all services of the workload share one network and find each other by name",
            );
        }
    }
}

/// Reads `network_mode`: the service whose network namespace this one shares, where it names one.
pub(super) fn mode(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<String> {
    let text = reader.text(value)?;
    match text.strip_prefix("service:") {
        Some(service) => Some(service.to_owned()),
        None if *text == "bridge" => None,
        None => {
            reader.refuse(
                value,
                "this network mode is not supported: a container never has the guest's own network",
                "remove it, or write `service:NAME` to share the network namespace of another service",
            );
            None
        }
    }
}

/// Reads `extra_hosts`, as a list or a mapping of names to one or more addresses.
pub(super) fn extra_hosts(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<(String, IpAddr)> {
    const REMEDY: &str = "write `name=address`";
    if !value.is_mapping() {
        let items = reader.items_or_entries(value);
        let read = |item| reader.parsed(item, values::host_address, REMEDY);
        return items.iter().filter_map(read).collect();
    }
    let mut hosts = Vec::new();
    for (name, field) in reader.entries(value) {
        let name = reader.accept(&field, values::hostname(name), REMEDY);
        for item in reader.one_or_many(&field) {
            let address = reader.parsed(&item, values::ip, REMEDY);
            hosts.extend(name.clone().zip(address));
        }
    }
    hosts
}

/// Checks `expose`: it tells of ports that are open within the workload's network anyway.
pub(super) fn exposed(reader: &mut Reader<'_>, value: &Value<'_>) {
    reader.each(
        value,
        ports::exposed,
        "write port numbers, such as 8080 or 8080/udp",
    );
}

/// The most ports that one service may publish.
const MOST_PORTS: usize = 4096;

/// Reads `ports`, short and long: what each entry publishes.
pub(super) fn published<'n>(
    reader: &mut Reader<'_>,
    value: &Value<'n>,
) -> Vec<(Value<'n>, Vec<Port>)> {
    let (mut published, mut count) = (Vec::new(), 0);
    for item in reader.items(value) {
        let ports = if item.is_mapping() {
            long_port(reader, &item)
        } else {
            reader.text(&item).map(|text| ports::short(&text))
        };
        let ports = match ports {
            Some(Ok(ports)) => ports,
            Some(Err(problem)) => {
                reader.refuse(&item, problem, ports::remedy(problem));
                Vec::new()
            }
            None => Vec::new(),
        };
        count += ports.len();
        if count > MOST_PORTS {
            let cause = format!("the service publishes more than {MOST_PORTS} ports");
            reader.refuse(&item, cause, "publish fewer");
            break;
        }
        published.push((item, ports));
    }
    published
}

fn long_port(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
) -> Option<Result<Vec<Port>, ports::Problem>> {
    let mut fields: BTreeMap<&str, String> = BTreeMap::new();
    for (key, field) in reader.entries(value) {
        match key {
            "target" | "published" | "protocol" | "host_ip" => {
                fields.insert(key, reader.text(&field)?.to_string());
            }
            // Descriptions, and a mode that differs only within a swarm.
            "name" | "app_protocol" | "mode" => {}
            _ => {
                let known = "target, published, protocol, host_ip, mode, name, app_protocol";
                reader.unknown(&field, key, known);
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
    let host_ip = fields.get("host_ip").map(String::as_str);
    Some(ports::publish(host_ip, host, container, protocol))
}

/// Puts each service that shares another's network namespace into the group of that one; false where they share in a
/// circle.
pub(super) fn join<'n>(
    reader: &mut Reader<'_>,
    services: &mut BTreeMap<&'n str, Service>,
    joins: &BTreeMap<&'n str, (String, Value<'_>)>,
) -> bool {
    let mut ends = true;
    for (name, (_, value)) in joins {
        let (mut at, mut steps): (&str, usize) = (name, 0);
        while let Some((next, _)) = joins.get(at) {
            at = next;
            steps += 1;
            if steps > joins.len() {
                ends = false;
                reader.refuse(
                    value,
                    "the network namespaces refer to each other in a circle",
                    "let one of the services have a network namespace of its own",
                );
                break;
            }
        }
        if let Some(service) = services.get_mut(name) {
            if !service.ports.is_empty() {
                reader.refuse(
                    value,
                    "a service that shares another's network namespace cannot publish ports",
                    "publish them by that other service",
                );
            }
            at.clone_into(&mut service.group);
        }
    }
    ends
}
