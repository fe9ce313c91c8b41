//! Secrets among the variables of containers: of Pods that stand in the section, and of the files of its archives.
//!
//! A value that takes a variable of the contract is none: that is told of where it is set.

use super::{Secret, is_secret};
use crate::messages::SCHEMA_PARSE_CONTRACT;
use crate::planning::Part;
use crate::sections::workload::WorkloadSection;
use crate::workload::archive::{self, Way};
use crate::yaml::{Document, Kind, Node, Origin, step};

/// What a workload section says to its containers and should not say in the clear.
pub(super) fn secrets(part: &Part<'_, WorkloadSection>) -> Vec<Secret> {
    let document = part.document;
    let root = document.root();
    let mut found = Vec::new();
    if let Some(play) = root.get("play") {
        for list in ["resources", "templates"] {
            for (index, pod) in items(play.get(list)) {
                let paths = of_pod(pod).into_iter();
                found.extend(paths.map(|path| Secret::at(format!("/play/{list}/{index}{path}"))));
            }
        }
    }
    for way in Way::ALL {
        let pointer = way.pointer();
        // What does not unpack is told of by the plan.
        let files = part.unpacked.files(way, document).and_then(Result::ok);
        for (path, file) in files.into_iter().flatten() {
            if archive::is_manifest(path)
                && let Ok(text) = std::str::from_utf8(&file.bytes)
            {
                let origin = Origin::within(document.place(pointer), path, SCHEMA_PARSE_CONTRACT);
                let documents = Document::parse_stream(text, &origin).unwrap_or_default();
                let within = documents.iter().flat_map(|one| of_file(one.root()));
                found.extend(within.map(|inner| Secret::within(pointer, path, &inner)));
            }
        }
    }
    found
}

fn of_file(root: &Node) -> Vec<String> {
    match root.get("services").map(|services| &services.kind) {
        Some(Kind::Mapping(services)) => services
            .iter()
            .flat_map(|(name, service)| {
                let variables = of_service(service).into_iter();
                variables.map(move |variable| format!("/services/{}{variable}", step(&name.name)))
            })
            .collect(),
        _ => of_pod(root),
    }
}

/// `environment` of a service, as a mapping or as a list.
fn of_service(service: &Node) -> Vec<String> {
    let environment = service.get("environment");
    let is_told = |name: &str, value: &str| is_secret(name) && is_literal(value);
    match environment.map(|environment| &environment.kind) {
        Some(Kind::Mapping(entries)) => entries
            .iter()
            .filter(|(name, value)| is_told(&name.name, value.text().unwrap_or_default()))
            .map(|(name, _)| format!("/environment/{}", step(&name.name)))
            .collect(),
        _ => items(environment)
            .filter_map(|(_, item)| item.text()?.split_once('='))
            .filter(|(name, value)| is_told(name, value))
            .map(|(name, _)| format!("/environment/{}", step(name)))
            .collect(),
    }
}

fn of_pod(pod: &Node) -> Vec<String> {
    let mut paths = Vec::new();
    let spec = pod.get("spec");
    for list in ["initContainers", "containers"] {
        for (container, node) in items(spec.and_then(|spec| spec.get(list))) {
            for (index, variable) in items(node.get("env")) {
                let text = |key: &str| variable.get(key).and_then(Node::text).unwrap_or_default();
                if is_secret(text("name")) && is_literal(text("value")) {
                    paths.push(format!("/spec/{list}/{container}/env/{index}/value"));
                }
            }
        }
    }
    paths
}

/// Whether a value says something by itself: `$NAME`, `$(NAME)` and `{{ .Env.NAME }}` say it elsewhere.
fn is_literal(value: &str) -> bool {
    let value = value.trim();
    !(value.is_empty() || value.starts_with('$') || value.contains("{{"))
}

/// The items of a list with their numbers; none where it is no list.
fn items(node: Option<&Node>) -> impl Iterator<Item = (usize, &Node)> {
    let list = match node.map(|node| &node.kind) {
        Some(Kind::Sequence(items)) => items.as_slice(),
        _ => &[],
    };
    list.iter().enumerate()
}
