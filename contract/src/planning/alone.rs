//! What planning finds in one section, without the other's half: what an author can know before they are put together,
//! and what is still to be told of a section beside a faulty one.
//!
//! Nothing here decides anything: decisions take both sections.

use super::half::Half;
use super::{FOREIGN, PODS, archives, containers, keep, logging, registries, unsupported, volumes};
use crate::consent;
use crate::finding::Finding;
use crate::product::Product;
use crate::sections::env::EnvSection;
use crate::sections::logging::Logging;
use crate::sections::workload::WorkloadSection;

/// What is to be told of a workload section. Without an env section, values that take variables of it are not judged.
pub(crate) fn workload(
    product: Product,
    half: &Half<WorkloadSection>,
    env: Option<&EnvSection>,
) -> Vec<Finding> {
    let (section, document) = (&half.section, &half.document);
    if product == Product::Ccco {
        return archives(&half.part());
    }
    let part = half.part();
    let mut findings = Vec::new();
    findings.extend(unsupported(document, section.confidential_containers, PODS));
    keep(&mut findings, registries::by_host(document, &section.auths));
    let places = keep(&mut findings, volumes::places(&part));
    let is_there = section.compose.is_some() || section.play.is_some();
    if !(is_there || half.is_sound) {
        return findings;
    }
    let (containers, found) = containers(&part, env);
    findings.extend(found);
    if let Some(containers) = &containers {
        findings.extend(consent::privileged(&part, None, &containers.services));
        if places.is_some() {
            findings.extend(volumes::idle(&part, &containers.services));
        }
    }
    findings
}

/// What is to be told of an env section.
pub(crate) fn env(product: Product, half: &Half<EnvSection>) -> Vec<Finding> {
    let (section, document, part) = (&half.section, &half.document, half.part());
    let mut findings = Vec::new();
    if product == Product::Ccco {
        return findings;
    }
    findings.extend(unsupported(
        document,
        section.confidential_containers,
        FOREIGN,
    ));
    findings.extend(volumes::idle_keys(&part));
    findings.extend(volumes::foreign_keys(&part));
    findings.extend(volumes::shared_disks(&part));
    findings.extend(logging::idle_keys(&part));
    // A sink that cannot be read has been told of.
    let has_sink =
        |sinks: &Logging| half.is_sound || sinks.syslog.is_some() || sinks.log_router.is_some();
    if section.logging.as_ref().is_some_and(has_sink) {
        keep(&mut findings, logging::sink(&part));
    }
    keep(&mut findings, registries::by_host(document, &section.auths));
    keep(&mut findings, registries::authorities(&part));
    findings
}
