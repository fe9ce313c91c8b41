//! Makes the plan: merges what the two parties say, refuses what cannot be honoured, and decides everything that is left
//! open.
//!
//! Every part reports all that is wrong with it, so that one look finds everything. What a contract asks for and this
//! version cannot do stops it: nothing is passed over in silence. Nothing here reads a clock, a network or a device.

use std::collections::BTreeMap;

use crate::finding::{Finding, Place};
use crate::messages;
use crate::plan::{Evidence, Plan, Workload};
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::workload::{archive, compose};

mod logging;
mod pem;
mod registries;
mod volumes;

/// Makes the plan of two sections that have been verified. `expires` is the end of the signing certificate.
///
/// # Errors
/// Everything that is wrong, each with its place in the section or the compose file.
pub(crate) fn build(
    workload: &WorkloadSection,
    env: &EnvSection,
    expires: Option<i64>,
    evidence: Evidence,
) -> Result<Plan, Vec<Finding>> {
    let mut findings = unsupported(workload, env);
    let logging = keep(&mut findings, logging::sink(env.logging.as_ref()));
    let volumes = keep(
        &mut findings,
        volumes::volumes(&workload.volumes, &env.volumes),
    );
    let registries = keep(
        &mut findings,
        registries::credentials(&workload.auths, &env.auths),
    );
    let authorities = keep(&mut findings, registries::authorities(&env.cacerts));
    let mounts: Vec<String> = volumes
        .iter()
        .flatten()
        .map(|volume| volume.mount.clone())
        .collect();
    let containers = keep(&mut findings, containers(workload, env, &mounts));
    match (logging, volumes, registries, authorities, containers) {
        (
            Some(logging),
            Some(volumes),
            Some(registries),
            Some(registry_authorities),
            Some(workload),
        ) if findings.is_empty() => Ok(Plan {
            logging,
            volumes,
            registries,
            registry_authorities,
            workload,
            expires,
            evidence,
        }),
        _ => Err(findings),
    }
}

fn keep<T>(findings: &mut Vec<Finding>, outcome: Result<T, Vec<Finding>>) -> Option<T> {
    outcome.map_err(|found| findings.extend(found)).ok()
}

/// A finding about the content of a section.
fn refuse(
    section: &str,
    path: impl Into<String>,
    cause: impl Into<String>,
    remedy: impl Into<String>,
) -> Finding {
    Finding::new(
        messages::SCHEMA_VALIDATE_CONTRACT,
        Place::at(section, path),
        cause,
        remedy,
    )
}

/// What a contract may ask for and this version does not do.
fn unsupported(workload: &WorkloadSection, env: &EnvSection) -> Vec<Finding> {
    const PODS: &str = "describe the workload by a compose archive (`compose.archive`)";
    const CONTAINERS: &str = "leave it out: it belongs to another platform";
    [
        ("workload", "play", workload.play, PODS),
        (
            "workload",
            "confidential-containers",
            workload.confidential_containers,
            PODS,
        ),
        (
            "workload",
            "envPolicy",
            workload.env_policy,
            "leave it out: this version would not enforce it",
        ),
        (
            "env",
            "confidential-containers",
            env.confidential_containers,
            CONTAINERS,
        ),
        ("env", "host-attestation", env.host_attestation, CONTAINERS),
    ]
    .into_iter()
    .filter(|(_, _, present, _)| present.is_some())
    .map(|(section, key, _, remedy)| {
        refuse(section, key, format!("`{key}` is not supported"), remedy)
    })
    .collect()
}

/// The containers of the compose archive.
fn containers(
    workload: &WorkloadSection,
    env: &EnvSection,
    mounts: &[String],
) -> Result<Workload, Vec<Finding>> {
    let Some(compose) = &workload.compose else {
        // Another way to describe the workload has been refused by name already.
        let is_told = workload.play.is_some() || workload.confidential_containers.is_some();
        let missing = || {
            refuse(
                "workload",
                "compose",
                "there is no workload",
                "add `compose.archive`",
            )
        };
        return Err(if is_told { Vec::new() } else { vec![missing()] });
    };
    let archive = archive::unpack(&compose.archive).map_err(|finding| vec![finding])?;
    compose::read(archive, &overlay(&env.env, &workload.env), mounts)
}

/// The deployer's entries with the workload provider's over them.
fn overlay<V: Clone>(
    env: &BTreeMap<String, V>,
    workload: &BTreeMap<String, V>,
) -> BTreeMap<String, V> {
    let mut merged = env.clone();
    merged.extend(
        workload
            .iter()
            .map(|(key, value)| (key.clone(), value.clone())),
    );
    merged
}

#[cfg(test)]
mod tests;
