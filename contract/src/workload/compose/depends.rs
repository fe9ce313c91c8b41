//! `depends_on`: what must have happened to other services, and the order in which all are started.

use std::collections::{BTreeMap, BTreeSet};

use super::super::reader::{Reader, Value};
use crate::plan::{Condition, Restart, Role, Service};

/// A service that must come earlier, and where that is said.
pub(super) struct Need<'n> {
    pub(super) service: String,
    pub(super) condition: Condition,
    /// Whether it is an error that no such service runs.
    pub(super) required: bool,
    pub(super) value: Value<'n>,
}

/// Reads `depends_on`, short and long.
pub(super) fn read<'n>(reader: &mut Reader<'_>, value: &Value<'n>) -> Vec<Need<'n>> {
    if value.is_mapping() {
        let entries = reader.entries(value);
        return entries
            .into_iter()
            .map(|(service, value)| long(reader, service, value))
            .collect();
    }
    let items = reader.items(value);
    items
        .into_iter()
        .filter_map(|value| {
            Some(Need {
                service: reader.text(&value)?.to_string(),
                condition: Condition::Started,
                required: true,
                value,
            })
        })
        .collect()
}

fn long<'n>(reader: &mut Reader<'_>, service: &str, value: Value<'n>) -> Need<'n> {
    let (mut condition, mut required) = (Condition::Started, true);
    for (key, field) in reader.entries(&value) {
        match key {
            "condition" => {
                let remedy =
                    "write service_started, service_healthy or service_completed_successfully";
                if let Some(named) = reader.parsed(&field, named, remedy) {
                    condition = named;
                }
            }
            "required" => required = reader.flag(&field).unwrap_or(true),
            // It speaks of restarts by a command of Compose, not by the restart policy: nobody gives one in the guest.
            "restart" => {
                reader.flag(&field);
            }
            _ => reader.unknown(&field, key, "condition, required, restart"),
        }
    }
    Need {
        service: service.to_owned(),
        condition,
        required,
        value,
    }
}

fn named(condition: &str) -> Result<Condition, &'static str> {
    match condition {
        "service_started" => Ok(Condition::Started),
        "service_healthy" => Ok(Condition::Healthy),
        "service_completed_successfully" => Ok(Condition::Completed),
        _ => Err("this is no condition that can be waited for"),
    }
}

/// Checks that what is waited for can happen, and makes those that are waited for to their end steps.
pub(super) fn settle(
    reader: &mut Reader<'_>,
    services: &mut BTreeMap<&str, Service>,
    needs: &BTreeMap<&str, Vec<Need<'_>>>,
) {
    for need in needs.values().flatten() {
        let Some(service) = services.get_mut(need.service.as_str()) else {
            continue;
        };
        match need.condition {
            Condition::Healthy if service.health.is_empty() => reader.refuse(
                &need.value,
                "it waits for the health of a service that has no health check",
                "write a `healthcheck` for that service: a check that the image brings is not read",
            ),
            Condition::Completed if service.restart == Restart::Always => reader.refuse(
                &need.value,
                "it waits for the end of a service that is always started again",
                "write `restart: no` or `restart: on-failure` for that service",
            ),
            Condition::Completed => service.role = Role::Init,
            Condition::Healthy | Condition::Started => {}
        }
    }
}

/// The names so that each comes after those that it waits for, and else as they stand in the file.
///
/// # Errors
/// Those that wait for each other in a circle, or for such.
pub(super) fn in_order<'n>(
    names: &[&'n str],
    waits: &BTreeMap<&'n str, BTreeSet<&str>>,
) -> Result<Vec<&'n str>, Vec<&'n str>> {
    let mut order: Vec<&str> = Vec::new();
    while order.len() < names.len() {
        let is_ready = |name: &&&str| {
            !order.contains(name)
                && waits
                    .get(**name)
                    .is_none_or(|needs| needs.iter().all(|need| order.contains(need)))
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
