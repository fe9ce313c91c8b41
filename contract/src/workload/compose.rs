//! Reads a compose file as the containers of the plan.
//!
//! Only a declared subset is understood; everything else stops with its place and a remedy, because a key that is passed
//! over silently is a promise that is not kept. Values are interpolated after parsing. Nothing here fetches or starts
//! anything.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::Archive;
use super::interpolation::{Interpolator, Variables};
use super::options;
use super::reader::{Reader, Value};
use super::service::{self, Surroundings};
use crate::finding::{Finding, Place};
use crate::messages;
use crate::plan::{Service, Workload};
use crate::yaml::Document;

/// The most services that one workload may have.
const MOST_SERVICES: usize = 64;

/// Reads the compose file of an archive.
///
/// `variables` serve interpolation; `volumes` are the paths in the guest that data volumes are mounted at.
///
/// # Errors
/// Everything that is wrong with the file, each with its place.
pub fn read(
    archive: Archive,
    variables: &Variables,
    volumes: &[String],
) -> Result<Workload, Vec<Finding>> {
    let document = parse(&archive).map_err(|finding| vec![finding])?;
    let mut reader = Reader::new(archive.compose, Interpolator::new(variables));
    let surroundings = Surroundings {
        files: &archive.files,
        variables,
        volumes,
    };
    let services = top(&mut reader, &Value::root(document.root()), &surroundings);
    let findings = reader.into_findings();
    if findings.is_empty() {
        Ok(Workload {
            services,
            files: archive.files,
        })
    } else {
        Err(findings)
    }
}

fn parse(archive: &Archive) -> Result<Document, Finding> {
    let code = messages::IMAGE_PARSE_COMPOSE;
    let bytes = archive
        .files
        .get(archive.compose)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Finding::new(
            code,
            Place::at(archive.compose, ""),
            "the file is not UTF-8",
            "save it as UTF-8",
        )
    })?;
    Document::parse(text, archive.compose, code)
}

fn top(reader: &mut Reader<'_>, root: &Value<'_>, surroundings: &Surroundings<'_>) -> Vec<Service> {
    let mut services = None;
    for (key, value) in reader.entries(root) {
        match key {
            "services" => services = Some(value),
            "version" | "name" => {}
            "volumes" | "networks" | "secrets" | "configs" if is_empty(&value) => {}
            "volumes" => reader.refuse_key(
                &value,
                "named volumes are not supported",
                "declare the volume in `volumes` of both sections and bind its mount path",
            ),
            "networks" => reader.refuse_key(
                &value,
                "networks are not supported",
                "remove them: all services of the workload share one network",
            ),
            "secrets" | "configs" => reader.refuse_key(
                &value,
                format!("`{key}` is not supported"),
                "put the file into the archive and bind it (`./file:/path`), or pass it in the environment",
            ),
            _ => reader.refuse_key(
                &value,
                format!("the key `{key}` is not known here"),
                "known keys: services, version, name, x-...",
            ),
        }
    }
    let Some(services) = services.filter(|services| !is_empty(services)) else {
        reader.refuse(
            root,
            "there is no service",
            "name at least one under `services`",
        );
        return Vec::new();
    };
    all_services(reader, &services, surroundings)
}

fn is_empty(value: &Value<'_>) -> bool {
    value.is_null()
        || matches!(&value.node.kind, crate::yaml::Kind::Mapping(entries) if entries.is_empty())
}

/// Every service, in the order to start them.
fn all_services(
    reader: &mut Reader<'_>,
    services: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> Vec<Service> {
    let entries = reader.entries(services);
    if entries.len() > MOST_SERVICES {
        reader.refuse(
            services,
            format!("there are more than {MOST_SERVICES} services"),
            "run fewer in one guest",
        );
        return Vec::new();
    }
    let mut read = BTreeMap::new();
    let mut waits = BTreeMap::new();
    for (name, value) in &entries {
        if !options::is_service_name(name) {
            reader.refuse_key(
                value,
                "a service cannot have this name",
                "begin with a letter or digit and use at most 48 letters, digits, `_`, `.` and `-`",
            );
            continue;
        }
        let (service, needs) = service::read(reader, name, value, surroundings);
        for need in needs {
            if entries.iter().any(|(other, _)| *other == need.service) {
                waits
                    .entry(*name)
                    .or_insert_with(BTreeSet::new)
                    .insert(need.service);
            } else {
                reader.refuse(
                    &need.value,
                    "it depends on a service that does not exist",
                    "name one of this file's services",
                );
            }
        }
        read.extend(service.map(|service| (*name, service)));
    }
    published_once(reader, services, read.values());
    let names: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
    match in_order(&names, &waits) {
        Ok(order) => order
            .into_iter()
            .filter_map(|name| read.remove(name))
            .collect(),
        Err(stuck) => {
            let cause = format!(
                "these services depend on each other in a circle: {}",
                stuck.join(", ")
            );
            reader.refuse(services, cause, "remove one `depends_on` of the circle");
            Vec::new()
        }
    }
}

/// The names so that each comes after those that it waits for, and else as they stand in the file.
fn in_order<'n>(
    names: &[&'n str],
    waits: &BTreeMap<&'n str, BTreeSet<String>>,
) -> Result<Vec<&'n str>, Vec<&'n str>> {
    let mut order: Vec<&str> = Vec::new();
    while order.len() < names.len() {
        let is_ready = |name: &&&str| {
            !order.contains(name)
                && waits
                    .get(**name)
                    .is_none_or(|needs| needs.iter().all(|need| order.contains(&need.as_str())))
        };
        match names.iter().find(is_ready) {
            Some(next) => order.push(next),
            None => {
                return Err(names
                    .iter()
                    .copied()
                    .filter(|name| !order.contains(name))
                    .collect());
            }
        }
    }
    Ok(order)
}

/// Two services cannot have the same port of the guest.
fn published_once<'s>(
    reader: &mut Reader<'_>,
    services: &Value<'_>,
    read: impl Iterator<Item = &'s Service>,
) {
    let mut taken: BTreeMap<_, Vec<Option<std::net::IpAddr>>> = BTreeMap::new();
    for service in read {
        for port in &service.ports {
            let addresses = taken
                .entry((port.host, port.protocol == crate::plan::Protocol::Udp))
                .or_default();
            let clash = |other: &Option<std::net::IpAddr>| {
                *other == port.host_ip
                    || other.is_none_or(|ip| ip.is_unspecified())
                    || port.host_ip.is_none_or(|ip| ip.is_unspecified())
            };
            if addresses.iter().any(clash) {
                let cause = format!(
                    "a port of the guest is published twice, the second time by {}",
                    service.name
                );
                reader.refuse(services, cause, "publish every port of the guest once");
                return;
            }
            addresses.push(port.host_ip);
        }
    }
}

#[cfg(test)]
mod tests;
