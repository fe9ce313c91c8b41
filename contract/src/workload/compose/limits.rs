//! What a service may use: `mem_limit`, `cpus` and their kin, and `deploy`, which says the same in other words.
//!
//! A limit that is said in both places must be said once. What asks for more than one container, or for a scheduler, is
//! refused.

use super::super::reader::{Reader, Value};
use super::super::{amounts, values};
use crate::plan::{Limits, Restart, Service, Ulimit};

const BYTES: &str = "write a number of bytes such as 512m or 2g";
const PROCESSORS: &str = "write a number of processors such as 0.5 or 2";

/// Reads a key that limits a service; false where it is none.
pub(super) fn key_of(
    reader: &mut Reader<'_>,
    limits: &mut Limits,
    key: &str,
    value: &Value<'_>,
) -> bool {
    match key {
        "mem_limit" => limits.memory = bytes(reader, value),
        "cpus" => limits.milli_cpus = processors(reader, value),
        "cpu_shares" => limits.cpu_weight = cpu_weight(reader, value),
        "pids_limit" => limits.pids = pids(reader, value),
        "shm_size" => limits.shm = bytes(reader, value),
        // Nobody else runs in the guest: what is reserved is there anyway.
        "mem_reservation" => {
            bytes(reader, value);
        }
        "oom_score_adj" => limits.oom_score_adj = reader.whole(value, -1_000..=1_000),
        "ulimits" => {
            for (name, field) in reader.entries(value) {
                let remedy = "write one such as nofile, nproc or memlock";
                let name = reader.accept(&field, values::ulimit(name), remedy);
                let limit = ulimit(reader, &field);
                limits.ulimits.extend(name.zip(limit));
            }
        }
        _ => return false,
    }
    true
}

/// A number of bytes; 0 is as good as none (Docker).
fn bytes(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<u64> {
    let parse = |text: &str| amounts::or_none(text, amounts::compose_bytes);
    reader.parsed(value, parse, BYTES).flatten()
}

/// A number of processors; 0 is as good as none (Docker).
fn processors(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<u32> {
    let parse = |text: &str| amounts::or_none(text, amounts::processors);
    reader.decimal(value, parse, PROCESSORS).flatten()
}

/// Shares of Docker (1,024 are usual) as the weight of cgroup v2 (100 is usual): the same proportions.
fn cpu_weight(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<u32> {
    let shares: u32 = reader.whole(value, 0..=262_144)?;
    // As in Docker, 0 says nothing.
    (shares > 0).then_some((shares * 100 / 1_024).clamp(1, 10_000))
}

/// A number of processes; none where it is 0 or -1 (Docker).
fn pids(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<u32> {
    let number: i64 = reader.whole(value, -1..=4_194_304)?;
    u32::try_from(number).ok().filter(|number| *number > 0)
}

/// One number for both limits, or `soft` and `hard`; -1 is none.
fn ulimit(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Ulimit> {
    const BOUNDS: std::ops::RangeInclusive<i64> = -1..=i64::MAX;
    let number = |number: i64| u64::try_from(number).unwrap_or(u64::MAX);
    if !value.is_mapping() {
        let both = number(reader.whole(value, BOUNDS)?);
        return Some(Ulimit {
            soft: both,
            hard: both,
        });
    }
    let (mut soft, mut hard) = (None, None);
    for (key, field) in reader.entries(value) {
        match key {
            "soft" => soft = Some(number(reader.whole(&field, BOUNDS)?)),
            "hard" => hard = Some(number(reader.whole(&field, BOUNDS)?)),
            _ => reader.unknown(&field, key, "soft, hard"),
        }
    }
    match (soft, hard) {
        (Some(soft), Some(hard)) if soft <= hard => Some(Ulimit { soft, hard }),
        _ => {
            reader.refuse(
                value,
                "the limits are not whole, or the soft one is above the hard one",
                "write both `soft` and `hard`",
            );
            None
        }
    }
}

/// Reads `deploy` over what the service says already.
pub(super) fn deploy(reader: &mut Reader<'_>, service: &mut Service, value: &Value<'_>) {
    for (key, field) in reader.entries(value) {
        match key {
            "resources" => resources(reader, &mut service.limits, &field),
            "restart_policy" => restart_policy(reader, service, &field),
            "replicas" => one_replica(reader, &field),
            "mode" if matches!(field.node.text(), Some("replicated" | "global")) => {}
            "labels" => {}
            "mode" | "placement" | "update_config" | "rollback_config" | "endpoint_mode" => reader
                .unsupported(
                    &field,
                    &format!("deploy.{key}"),
                    "remove it: one container runs for each service, in this one guest",
                ),
            _ => reader.unknown(
                &field,
                key,
                "resources, restart_policy, replicas, mode, labels",
            ),
        }
    }
}

/// `replicas` and `scale`.
pub(super) fn one_replica(reader: &mut Reader<'_>, value: &Value<'_>) {
    if reader.text(value).is_some_and(|text| *text != "1") {
        reader.refuse(
            value,
            "one container runs for each service",
            "write 1, or write the service out once more under another name",
        );
    }
}

fn resources(reader: &mut Reader<'_>, limits: &mut Limits, value: &Value<'_>) {
    for (part, field) in reader.entries(value) {
        match part {
            "limits" => {
                for (key, field) in reader.entries(&field) {
                    resource(reader, limits, key, &field);
                }
            }
            "reservations" => reservations(reader, &field),
            _ => reader.unknown(&field, part, "limits, reservations"),
        }
    }
}

fn resource(reader: &mut Reader<'_>, limits: &mut Limits, key: &str, value: &Value<'_>) {
    let is_said = match key {
        "cpus" => limits.milli_cpus.is_some(),
        "memory" => limits.memory.is_some(),
        "pids" => limits.pids.is_some(),
        _ => return reader.unknown(value, key, "cpus, memory, pids"),
    };
    if is_said {
        let remedy = "say it here, or by `cpus`, `mem_limit` and `pids_limit` of the service";
        return reader.refuse_key(value, "this limit is said twice", remedy);
    }
    match key {
        "cpus" => limits.milli_cpus = processors(reader, value),
        "memory" => limits.memory = bytes(reader, value),
        _ => limits.pids = pids(reader, value),
    }
}

/// Nobody else runs in the guest: what is reserved is there anyway. Devices are not.
fn reservations(reader: &mut Reader<'_>, value: &Value<'_>) {
    for (key, field) in reader.entries(value) {
        match key {
            "cpus" => {
                processors(reader, &field);
            }
            "memory" => {
                bytes(reader, &field);
            }
            "devices" | "generic_resources" => reader.unsupported(
                &field,
                key,
                "remove them: containers see no device of the guest",
            ),
            _ => reader.unknown(&field, key, "cpus, memory"),
        }
    }
}

fn restart_policy(reader: &mut Reader<'_>, service: &mut Service, value: &Value<'_>) {
    let (mut condition, mut tries) = (None, None);
    for (key, field) in reader.entries(value) {
        match key {
            "condition" => condition = reader.text(&field).map(|text| (text, field)),
            // 0 is without end, as in Docker.
            "max_attempts" => {
                tries = reader.whole(&field, 0..=1_000_000);
                tries = tries.filter(|tries| *tries > 0);
            }
            "delay" | "window" => reader.refuse_key(
                &field,
                format!("`{key}` is not supported"),
                "remove it: the time between two starts grows by itself",
            ),
            _ => reader.unknown(&field, key, "condition, max_attempts"),
        }
    }
    service.restart = match condition.as_ref().map(|(text, _)| text.as_str()) {
        None | Some("any") if tries.is_none() => Restart::Always,
        Some("none") if tries.is_none() => Restart::No,
        Some("on-failure") => Restart::OnFailure(tries),
        _ => {
            let at = condition.as_ref().map_or(value, |(_, field)| field);
            let remedy = "write none, on-failure or any; `max_attempts` goes with on-failure";
            reader.refuse(at, "this is no restart policy", remedy);
            return;
        }
    };
}
