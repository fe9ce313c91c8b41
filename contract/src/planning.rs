//! Makes the plan: merges what the two parties say, refuses what cannot be honoured, and decides everything that is left
//! open.
//!
//! Every part reports all that is wrong with it, so that one look finds everything. What a contract asks for and this
//! version cannot do stops it: nothing is passed over in silence. Nothing here reads a clock, a network or a device.

use std::collections::BTreeMap;

use crate::consent;
use crate::finding::{Finding, Level, keep};
use crate::messages::{self, Code};
use crate::plan::{Evidence, Plan};
use crate::product::Product;
use crate::sections::Present;
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::workload::archive::{self, Unpacked, Way};
use crate::workload::{Given, Outcome, compose, pod};
use crate::yaml::Document;

pub(crate) mod alone;
mod half;
mod logging;
mod registries;
mod volumes;

pub(crate) use half::{Half, Halves, Salvage};

/// A section as its type, and as the document that knows where everything stands.
pub(crate) struct Part<'a, T> {
    pub(crate) section: &'a T,
    pub(crate) document: &'a Document,
    /// What has been unpacked of it.
    pub(crate) unpacked: &'a Unpacked,
}

/// Makes the plan of two sections that have been verified. `expires` is the end of the signing certificate.
///
/// # Errors
/// Everything that is wrong, each with its place in the section or the compose file.
pub(crate) fn build(
    product: Product,
    workload: &Part<'_, WorkloadSection>,
    env: &Part<'_, EnvSection>,
    expires: Option<i64>,
    evidence: Evidence,
) -> Result<Plan, Vec<Finding>> {
    if product == Product::Ccco {
        return Err(foreign(workload));
    }
    let of_workload = workload.section.confidential_containers;
    let of_env = env.section.confidential_containers;
    let mut findings = Vec::new();
    findings.extend(unsupported(workload.document, of_workload, PODS));
    findings.extend(unsupported(env.document, of_env, FOREIGN));
    findings.extend(volumes::idle_keys(env));
    findings.extend(logging::idle_keys(env));
    let logging = keep(&mut findings, logging::sink(env));
    let volumes = keep(&mut findings, volumes::volumes(workload, env));
    let registries = keep(&mut findings, registries::credentials(workload, env));
    let registry_authorities = keep(&mut findings, registries::authorities(env));
    let (containers, found) = containers(workload, Some(env.section));
    findings.extend(found);
    let services = containers
        .as_ref()
        .map(|workload| workload.services.as_slice());
    findings.extend(consent::privileged(
        workload,
        Some(env),
        services.unwrap_or_default(),
    ));
    if let (Some(services), Some(_)) = (services, &volumes) {
        findings.extend(volumes::idle(workload, services));
    }
    match (
        logging,
        volumes,
        registries,
        registry_authorities,
        containers,
    ) {
        (
            Some(logging),
            Some(volumes),
            Some(registries),
            Some(registry_authorities),
            Some(workload),
        ) if !findings.iter().any(Finding::stops) => Ok(Plan {
            logging,
            volumes,
            registries,
            registry_authorities,
            workload,
            expires,
            evidence,
            warnings: findings,
        }),
        _ => Err(findings),
    }
}

/// Why a contract of another runtime has no plan here; what its archive is stays worth a look.
fn foreign(workload: &Part<'_, WorkloadSection>) -> Vec<Finding> {
    let document = workload.document;
    let cause = "contracts of ccco are for another runtime: this guest does not run them";
    let remedy = "deploy it there, or write a contract for ccrt";
    let mut findings = vec![refuse(document, "", cause, remedy).with_level(Level::Limit)];
    findings.extend(archives(workload));
    findings
}

/// What is wrong with the archives of a workload section as such, whatever else is wrong with it.
fn archives(workload: &Part<'_, WorkloadSection>) -> Vec<Finding> {
    let document = workload.document;
    let problem = |way: Way| match (way, workload.unpacked.files(way, document)?) {
        (Way::Compose, Ok(files)) => archive::with_compose(files.clone()).err(),
        (_, outcome) => outcome.err().cloned(),
    };
    let finding = |way: Way| Some(problem(way)?.finding(document.place(way.pointer())));
    Way::ALL.into_iter().filter_map(finding).collect()
}

/// What else is wrong with a contract that is not verified: a fault in one section, or of the signature, is no reason to
/// leave the rest for the next time. What lies where something has been told already is not told again.
pub(crate) fn beyond(product: Product, halves: &Halves, told: &[Finding]) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&halves.workload, &halves.env) {
        (Some(workload), Some(env)) if workload.is_sound && env.is_sound => {
            let (workload, env, nothing) = (workload.part(), env.part(), Evidence::default());
            keep(
                &mut findings,
                build(product, &workload, &env, None, nothing),
            );
        }
        (workload, env) => {
            if let Some(workload) = workload {
                let env = env.as_ref().map(|env| &env.section);
                findings.extend(alone::workload(product, workload, env));
            }
            if let Some(env) = env {
                findings.extend(alone::env(product, env));
            }
        }
    }
    findings.retain(|finding| !told.iter().any(|told| told.place.is_same(&finding.place)));
    findings
}

/// A finding about the content of a section, at a JSON pointer.
fn refuse(document: &Document, pointer: &str, cause: &str, remedy: &str) -> Finding {
    refuse_as(
        messages::SCHEMA_VALIDATE_CONTRACT,
        document,
        pointer,
        cause,
        remedy,
    )
}

/// The same under a code of its own.
fn refuse_as(code: Code, document: &Document, pointer: &str, cause: &str, remedy: &str) -> Finding {
    Finding::new(code, document.place(pointer), cause, remedy)
}

/// What to do about a way to describe a workload, or a part of the env, that is not supported.
const PODS: &str =
    "describe the workload by a compose archive (`compose.archive`) or Pods (`play`)";
const FOREIGN: &str = "leave it out: it belongs to another platform";

/// Refuses `confidential-containers`, where it is there.
fn unsupported(document: &Document, present: Option<Present>, remedy: &str) -> Option<Finding> {
    let cause = "`confidential-containers` is not supported";
    present.map(|_| {
        refuse(document, "/confidential-containers", cause, remedy).with_level(Level::Limit)
    })
}

/// The containers, of the compose archive or the Pods.
fn containers(workload: &Part<'_, WorkloadSection>, env: Option<&EnvSection>) -> Outcome {
    let Part {
        section,
        document,
        unpacked,
    } = workload;
    let variables = match env {
        Some(env) => overlay(&env.env, &section.env),
        None => section.env.clone(),
    };
    let mounts = volumes::mounts(section);
    let images = &section.images;
    let signed: Vec<String> = images
        .dct
        .keys()
        .chain(images.rhs.keys())
        .cloned()
        .collect();
    let given = Given {
        variables: &variables,
        is_open: env.is_none(),
        volumes: &mounts,
        signed: &signed,
    };
    if section.play.is_some() {
        return pod::read(document, unpacked, &given);
    }
    let Some(files) = unpacked.files(Way::Compose, document) else {
        // Another way to describe the workload has been refused by name already.
        let is_told = section.confidential_containers.is_some();
        let missing = || {
            refuse(
                document,
                "",
                "there is no workload",
                "add `compose.archive` or `play`",
            )
        };
        return (None, if is_told { Vec::new() } else { vec![missing()] });
    };
    let place = document.place(Way::Compose.pointer());
    let archive = files
        .cloned()
        .map_err(Clone::clone)
        .and_then(archive::with_compose);
    match archive {
        Ok(archive) => compose::read(archive, &given, &place),
        Err(problem) => (None, vec![problem.finding(place)]),
    }
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
