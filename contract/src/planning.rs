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
use crate::preflight;
use crate::product::Product;
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::workload::{Given, Outcome, archive, compose, pod};
use crate::yaml::Document;

mod logging;
pub(crate) mod pem;
mod registries;
mod volumes;

/// A section as its type, and as the document that knows where everything stands.
pub(crate) struct Part<'a, T> {
    pub(crate) section: &'a T,
    pub(crate) document: &'a Document,
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
    let mut findings = unsupported(workload, env);
    findings.extend(volumes::idle_keys(env));
    findings.extend(logging::idle_keys(env));
    let logging = keep(&mut findings, logging::sink(env));
    let volumes = keep(&mut findings, volumes::volumes(workload, env));
    let registries = keep(&mut findings, registries::credentials(workload, env));
    let registry_authorities = keep(&mut findings, registries::authorities(env));
    let mounts = volumes::mounts(workload.section);
    let (containers, found) = containers(workload, env.section, &mounts);
    findings.extend(found);
    let services = containers
        .as_ref()
        .map(|workload| workload.services.as_slice());
    findings.extend(consent::privileged(
        workload,
        env,
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
    findings.extend(archives(document));
    findings
}

/// What is wrong with the archives of a workload section as such, whatever else is wrong with it.
pub(crate) fn archives(document: &Document) -> Vec<Finding> {
    let text = |way: &str| document.root().get(way)?.get("archive")?.text();
    let found = [
        (
            "/compose/archive",
            text("compose").map(|text| archive::unpack(text).map(drop)),
        ),
        (
            "/play/archive",
            text("play").map(|text| archive::files(text).map(drop)),
        ),
    ];
    found
        .into_iter()
        .filter_map(|(pointer, outcome)| Some(outcome?.err()?.finding(document.place(pointer))))
        .collect()
}

/// A section that follows the schema or, where it does not, its document as far as it is YAML.
pub(crate) type Known<'a, T> = Result<Part<'a, T>, Option<&'a Document>>;

/// What else is wrong with a contract that is not verified: a fault in one section, or of the signature, is no reason to
/// leave the rest for the next time. What lies where something has been told already is not told again.
pub(crate) fn beyond(
    product: Product,
    workload: &Known<'_, WorkloadSection>,
    env: &Known<'_, EnvSection>,
    told: &[Finding],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let documents = [
        workload
            .as_ref()
            .map_or_else(|unsound| *unsound, |part| Some(part.document)),
        env.as_ref()
            .map_or_else(|unsound| *unsound, |part| Some(part.document)),
    ];
    for document in documents.into_iter().flatten() {
        findings.extend(preflight::placeholders(document));
    }
    match (workload, env) {
        (Err(Some(document)), _) if product == Product::Ccco => {
            findings.extend(archives(document));
        }
        _ if product == Product::Ccco => {}
        (Ok(workload), Ok(env)) => {
            let nothing = Evidence::default();
            keep(&mut findings, build(product, workload, env, None, nothing));
        }
        (workload, Ok(env)) => {
            findings.extend(salvaged(workload, env.section));
            keep(&mut findings, logging::sink(env));
            keep(&mut findings, registries::authorities(env));
        }
        (workload, Err(document)) => {
            let rest = document.map(EnvSection::salvaged).unwrap_or_default();
            findings.extend(salvaged(workload, &rest));
        }
    }
    findings.retain(|finding| !told.iter().any(|told| told.place.is_same(&finding.place)));
    findings
}

/// What is wrong with the containers of a workload that is not sound, or whose env is not.
fn salvaged(workload: &Known<'_, WorkloadSection>, env: &EnvSection) -> Vec<Finding> {
    let of =
        |part: &Part<'_, WorkloadSection>| containers(part, env, &volumes::mounts(part.section)).1;
    match workload {
        Ok(part) => of(part),
        Err(None) => Vec::new(),
        Err(Some(document)) => {
            let section = &WorkloadSection::salvaged(document);
            let is_there = section.compose.is_some() || section.play.is_some();
            if is_there {
                of(&Part { section, document })
            } else {
                Vec::new()
            }
        }
    }
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

/// What a contract may ask for and this version does not do.
fn unsupported(workload: &Part<'_, WorkloadSection>, env: &Part<'_, EnvSection>) -> Vec<Finding> {
    const PODS: &str =
        "describe the workload by a compose archive (`compose.archive`) or Pods (`play`)";
    const FOREIGN: &str = "leave it out: it belongs to another platform";
    let (workload, env, of_workload, of_env) = (
        workload.document,
        env.document,
        workload.section,
        env.section,
    );
    [
        (
            workload,
            "confidential-containers",
            of_workload.confidential_containers,
            PODS,
        ),
        (
            env,
            "confidential-containers",
            of_env.confidential_containers,
            FOREIGN,
        ),
    ]
    .into_iter()
    .filter(|(_, _, present, _)| present.is_some())
    .map(|(document, key, _, remedy)| {
        let cause = format!("`{key}` is not supported");
        refuse(document, &format!("/{key}"), &cause, remedy).with_level(Level::Limit)
    })
    .collect()
}

/// The containers, of the compose archive or the Pods.
fn containers(
    workload: &Part<'_, WorkloadSection>,
    env: &EnvSection,
    mounts: &[String],
) -> Outcome {
    let Part { section, document } = workload;
    let variables = overlay(&env.env, &section.env);
    let images = &section.images;
    let signed: Vec<String> = images
        .dct
        .keys()
        .chain(images.rhs.keys())
        .cloned()
        .collect();
    let given = Given {
        variables: &variables,
        volumes: mounts,
        signed: &signed,
    };
    if section.play.is_some() {
        return pod::read(document, &given);
    }
    let Some(compose) = &section.compose else {
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
    let place = document.place("/compose/archive");
    match archive::unpack(&compose.archive) {
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
