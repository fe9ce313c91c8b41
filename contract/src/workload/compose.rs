//! Reads a compose file as the containers of the plan.
//!
//! Only a declared subset is understood; everything else stops with its place and a remedy, because a key that is passed
//! over silently is a promise that is not kept. Values are interpolated after parsing. Nothing here fetches or starts
//! anything.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::Archive;
use super::checks::Published;
use super::reader::{Reader, Value};
use super::room::Whole;
use super::sources::Files;
use super::{Given, Outcome, Surroundings, outcome, values};
use crate::finding::{self, Finding, Place};
use crate::messages;
use crate::plan::{Condition, Dependency, Service, Workload};
use crate::yaml::{Document, Origin};

use configs::Kind;
use service::Around;

mod beside;
mod configs;
mod depends;
mod env_file;
mod environment;
mod health;
mod limits;
mod mounts;
mod network;
mod ports;
mod refused;
mod service;
mod words;

/// The most services that one workload may have.
const MOST_SERVICES: usize = 64;

/// Reads the compose file of an archive that lies at a place of the contract; every finding has its place.
pub(crate) fn read(archive: Archive, given: &Given<'_>, place: &Place) -> Outcome {
    let parsed = text_of(&archive, archive.compose, place).and_then(|(text, origin)| {
        let document = Document::parse_file(text, origin)?;
        Ok((text, document))
    });
    let (text, document) = match parsed {
        Ok(parsed) => parsed,
        Err(finding) => return (None, vec![finding]),
    };
    let mut findings = beside::overrides(&archive, place);
    findings.extend(beside::passed_over(&archive, place));
    let variables = beside::variables(&archive, given, place, &mut findings);
    let given = Given {
        variables: &variables,
        ..*given
    };
    let surroundings = Surroundings::new(&given, &archive.files);
    let mut reader =
        Reader::new(&document, messages::IMAGE_PARSE_COMPOSE).interpolating(&given, text);
    let (services, files) = top(&mut reader, &Value::root(document.root()), &surroundings);
    files.bound(&mut reader, &Value::root(document.root()));
    let is_known = reader.is_known();
    findings.extend(reader.into_findings());
    outcome(finding::bound(findings), is_known, || Workload {
        services,
        files: files.with_archive(archive.files),
    })
}

/// A file of the archive as text, and as what its findings call it.
fn text_of<'a>(
    archive: &'a Archive,
    name: &str,
    place: &Place,
) -> Result<(&'a str, Origin), Finding> {
    let origin = Origin::within(place.clone(), name, messages::IMAGE_PARSE_COMPOSE);
    let file = archive.files.get(name);
    let bytes = file.map(|file| file.bytes.as_slice()).unwrap_or_default();
    Ok((utf8(bytes, &origin)?, origin))
}

/// The text of a file of an archive.
pub(super) fn utf8<'b>(bytes: &'b [u8], origin: &Origin) -> Result<&'b str, Finding> {
    std::str::from_utf8(bytes)
        .map_err(|_| origin.finding("the file is not UTF-8", "save it as UTF-8"))
}

fn top(
    reader: &mut Reader<'_>,
    root: &Value<'_>,
    surroundings: &Surroundings<'_>,
) -> (Vec<Service>, Files) {
    let (mut services, mut configs, mut secrets) = (None, None, None);
    for (key, value) in reader.entries(root) {
        match key {
            "services" => services = Some(value),
            "configs" => configs = Some(value),
            "secrets" => secrets = Some(value),
            "networks" => network::declared(reader, &value),
            "version" | "name" => {}
            "volumes" if value.is_empty() => {}
            "volumes" => reader.refuse_key(
                &value,
                "named volumes would be lost at power-off",
                "declare the volume in `volumes` of both sections and bind its mount path",
            ),
            _ => {
                if let Some(remedy) = refused::of_file(key) {
                    reader.unsupported(&value, key, remedy);
                } else {
                    let known = "services, configs, secrets, networks, version, name, x-...";
                    reader.unknown(&value, key, known);
                }
            }
        }
    }
    let mut around = Around {
        surroundings,
        configs: configs::declared(reader, Kind::Config, configs.as_ref(), *surroundings),
        secrets: configs::declared(reader, Kind::Secret, secrets.as_ref(), *surroundings),
        files: Files::default(),
        env_files: BTreeMap::new(),
        whole: Whole::default(),
    };
    let Some(services) = services.filter(|services| !services.is_empty()) else {
        reader.refuse(
            root,
            "there is no service",
            "name at least one under `services`",
        );
        return (Vec::new(), Files::default());
    };
    let services = all_services(reader, &services, &mut around);
    (services, around.files)
}

/// Every service that runs, in the order to start them.
fn all_services(
    reader: &mut Reader<'_>,
    services: &Value<'_>,
    around: &mut Around<'_>,
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
    let (mut read, mut needs, mut joins) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut active, mut published) = (BTreeSet::new(), Published::default());
    let mut idle = 0;
    for (name, value) in &entries {
        if !values::is_service_name(name) {
            reader.refuse_key(
                value,
                "a service cannot have this name",
                "begin with a letter or digit and use at most 48 letters, digits, `_`, `.` and `-`",
            );
            continue;
        }
        let found = service::read(reader, name, value, around);
        if found.is_idle {
            idle += 1;
            reader.advise(
                value,
                "none of its profiles is active: it does not run",
                "name one in `COMPOSE_PROFILES` of the contract's env, if it should",
            );
        } else {
            active.insert(*name);
            for (entry, ports) in found.ports.iter().filter(|_| !found.may_be_idle) {
                published.take(reader, entry, name, ports);
            }
            read.extend(found.service.map(|service| (*name, service)));
            needs.insert(*name, found.needs);
            joins.extend(found.joins.map(|join| (*name, join)));
        }
    }
    if idle == entries.len() {
        reader.refuse_key(
            services,
            "nothing would run: no service has an active profile",
            "name a profile in `COMPOSE_PROFILES` of the contract's env",
        );
    }
    refer_to_known(reader, &mut read, &mut needs, &joins, &active);
    depends::settle(reader, &mut read, &needs);
    if !network::join(reader, &mut read, &joins) {
        return Vec::new();
    }
    let names: Vec<&str> = entries
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| active.contains(name))
        .collect();
    let waits = needs
        .iter()
        .map(|(name, needs)| {
            let others = needs.iter().map(|need| need.service.as_str());
            let joined = joins.get(name).map(|(other, _)| other.as_str());
            (*name, others.chain(joined).collect())
        })
        .collect();
    match depends::in_order(&names, &waits) {
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

/// Reports what is referred to and does not run, and forgets what need not.
fn refer_to_known(
    reader: &mut Reader<'_>,
    read: &mut BTreeMap<&str, Service>,
    needs: &mut BTreeMap<&str, Vec<depends::Need<'_>>>,
    joins: &BTreeMap<&str, (String, Value<'_>)>,
    active: &BTreeSet<&str>,
) {
    const CAUSE: &str =
        "it refers to a service that does not exist, or whose profile is not active";
    const REMEDY: &str = "name one of this file's services; `COMPOSE_PROFILES` in the contract's env makes profiles active";
    for needs in needs.values_mut() {
        needs.retain(|need| {
            let is_known = active.contains(need.service.as_str());
            if !is_known && need.required {
                reader.refuse(&need.value, CAUSE, REMEDY);
            }
            is_known
        });
    }
    for (name, service) in read {
        service
            .depends_on
            .retain(|need| active.contains(need.service.as_str()));
        if let Some((other, value)) = joins.get(name) {
            if !active.contains(other.as_str()) {
                reader.refuse(value, CAUSE, REMEDY);
            } else if service.depends_on.iter().all(|need| need.service != *other) {
                service.depends_on.push(Dependency {
                    service: other.clone(),
                    condition: Condition::Started,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
