//! Reads Pods and ConfigMaps (`play.resources`, `play.templates`, `play.archive`) as the containers of the plan.
//!
//! Containers of one Pod share a network namespace; two Pods are two groups. What a scheduler, an API server or a node
//! would be needed for stops with its place and a remedy. Nothing here fetches or starts anything.

use std::collections::{BTreeMap, BTreeSet};

use super::archive::{self, Unpacked, Way};
use super::checks::Published;
use super::reader::{Reader, Value};
use super::room::Whole;
use super::sources::Files;
use super::{Given, Outcome, Surroundings, compose, outcome};
use crate::finding::{self, Finding, Place};
use crate::messages::PODS_FAILED;
use crate::plan::{File, Service, Workload};
use crate::yaml::{Document, Node, Origin};

use config_map::ConfigMaps;

mod config_map;
mod container;
mod environment;
mod fields;
mod keys;
mod names;
mod probes;
mod refused;
mod security;
mod spec;
mod volumes;

/// The most containers that one workload may have.
const MOST_CONTAINERS: usize = 64;

/// Reads `play` of a workload section; every finding has its place.
pub(crate) fn read(section: &Document, unpacked: &Unpacked, given: &Given<'_>) -> Outcome {
    let place = section.place(Way::Play.pointer());
    let Some(play) = section.root().get("play") else {
        return (None, Vec::new());
    };
    let mut top = Reader::new(section, PODS_FAILED);
    let (mut parts, mut has_archive) = (Vec::new(), false);
    for (key, value) in top.entries(&Value::at(play, "play")) {
        match key {
            "resources" | "templates" => {
                let items = top.items(&value);
                parts.extend(items.into_iter().map(|item| (item, key == "templates")));
            }
            "archive" => has_archive = top.text(&value).is_some(),
            _ => top.unknown(&value, key, "resources, templates, archive"),
        }
    }
    let mut findings = Vec::new();
    let files = match unpacked.files(Way::Play, section) {
        Some(Ok(files)) if has_archive => files.clone(),
        Some(Err(problem)) if has_archive => {
            findings.push(problem.finding(place.clone()));
            BTreeMap::new()
        }
        _ => BTreeMap::new(),
    };
    let (documents, unread) = archived(&files, &place);
    findings.extend(unread);

    let surroundings = Surroundings::new(given, &files);
    let mut manifests = Vec::new();
    for (value, is_template) in &parts {
        let reader = Reader::new(section, PODS_FAILED);
        let reader = if *is_template {
            reader.templating(given)
        } else {
            reader
        };
        manifests.push(Manifest::new(reader, value.clone()));
    }
    for document in &documents {
        let reader = Reader::new(document, PODS_FAILED);
        manifests.push(Manifest::new(reader, Value::root(document.root())));
    }
    let mut all = All::new(&surroundings);
    all.config_maps(&mut manifests);
    all.pods(&mut manifests);
    let is_known = manifests.iter().all(|one| one.reader.is_known());
    let is_good = findings.is_empty() && manifests.iter().all(Manifest::is_good);
    if all.services.is_empty() && is_good && is_known {
        top.refuse(
            &Value::at(play, "play"),
            "there is no Pod",
            "write one under `resources` or `templates`, or into a .yaml file at the top of `archive`",
        );
    }
    if all.is_closed() {
        top.advise(
            &Value::at(play, "play"),
            "containers name ports, and none is published: nothing outside of the guest reaches them",
            "write `hostPort` beside `containerPort`, if something should",
        );
    }
    let All {
        services,
        generated,
        ..
    } = all;
    generated.bound(&mut top, &Value::at(play, "play"));
    findings.extend(top.into_findings());
    for manifest in manifests {
        findings.extend(manifest.reader.into_findings());
    }
    outcome(finding::bound(findings), is_known, || Workload {
        services,
        files: generated.with_archive(files),
    })
}

/// The documents of every YAML file at the top of the archive.
fn archived(files: &BTreeMap<String, File>, place: &Place) -> (Vec<Document>, Vec<Finding>) {
    let (mut documents, mut findings) = (Vec::new(), Vec::new());
    for path in files.keys().filter(|path| archive::is_manifest(path)) {
        let origin = Origin::within(place.clone(), path, PODS_FAILED);
        let read = compose::utf8(&files[path].bytes, &origin)
            .and_then(|text| Document::parse_stream(text, &origin));
        match read {
            Ok(read) => documents.extend(read),
            Err(finding) => findings.push(finding),
        }
    }
    (documents, findings)
}

/// A Pod or a ConfigMap that is about to be read.
struct Manifest<'r, 'n> {
    reader: Reader<'r>,
    value: Value<'n>,
    kind: &'n str,
}

impl<'r, 'n> Manifest<'r, 'n> {
    fn new(mut reader: Reader<'r>, value: Value<'n>) -> Self {
        let node: &'n Node = value.node;
        let kind = fields::get(node, "kind").and_then(Node::text);
        let is_v1 = fields::get(node, "apiVersion").is_none_or(|said| said.text() == Some("v1"));
        let kind = match kind {
            Some(kind @ ("Pod" | "ConfigMap")) if is_v1 => kind,
            Some("Pod" | "ConfigMap") => {
                let at = named(&mut reader, &value, "apiVersion");
                reader.refuse(&at, "the `apiVersion` is not v1", "write `apiVersion: v1`");
                ""
            }
            Some(kind)
                if kind.len() <= 64 && kind.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                let at = named(&mut reader, &value, "kind");
                reader.refuse(
                    &at,
                    format!("the kind {kind} is not supported: there is no cluster that could act on it"),
                    "write Pods and ConfigMaps (`kind: Pod`); of a Deployment, its template is the Pod",
                );
                ""
            }
            _ => {
                reader.refuse(
                    &value,
                    "the `kind` is missing",
                    "write `kind: Pod` or `kind: ConfigMap`",
                );
                ""
            }
        };
        Self {
            reader,
            value,
            kind,
        }
    }

    fn is_good(&self) -> bool {
        self.reader.is_good()
    }
}

/// The field of a manifest that is wrong.
fn named<'n>(reader: &mut Reader<'_>, manifest: &Value<'n>, wanted: &str) -> Value<'n> {
    let mut entries = reader.entries(manifest).into_iter();
    let found = entries.find(|(key, _)| key.eq_ignore_ascii_case(wanted));
    found.map_or_else(|| manifest.clone(), |(_, field)| field)
}

/// What has been read of all manifests.
struct All<'a> {
    surroundings: &'a Surroundings<'a>,
    config_maps: ConfigMaps,
    services: Vec<Service>,
    generated: Files,
    published: Published,
    /// What the texts of all containers may take.
    whole: Whole,
    /// Whether a container names a port.
    names_ports: bool,
}

impl<'a> All<'a> {
    fn new(surroundings: &'a Surroundings<'a>) -> Self {
        Self {
            surroundings,
            config_maps: ConfigMaps::new(surroundings.variables, surroundings.is_open),
            services: Vec::new(),
            generated: Files::default(),
            published: Published::default(),
            whole: Whole::default(),
            names_ports: false,
        }
    }

    /// ConfigMaps come first, wherever they stand: Pods refer to them.
    fn config_maps(&mut self, manifests: &mut [Manifest<'_, '_>]) {
        for manifest in manifests
            .iter_mut()
            .filter(|manifest| manifest.kind == "ConfigMap")
        {
            self.config_maps.read(&mut manifest.reader, &manifest.value);
            self.config_maps.is_known &= manifest.reader.is_known();
        }
    }

    /// Whether ports are named, and none is published.
    fn is_closed(&self) -> bool {
        self.names_ports && self.services.iter().all(|service| service.ports.is_empty())
    }

    fn pods(&mut self, manifests: &mut [Manifest<'_, '_>]) {
        let (mut pods, mut names) = (BTreeSet::new(), BTreeSet::new());
        for manifest in manifests
            .iter_mut()
            .filter(|manifest| manifest.kind == "Pod")
        {
            let (reader, value) = (&mut manifest.reader, &manifest.value);
            let mut around = spec::Around {
                surroundings: self.surroundings,
                config_maps: &self.config_maps,
                files: &mut self.generated,
                published: &mut self.published,
                whole: &mut self.whole,
            };
            let Some(pod) = spec::read(reader, value, &mut around) else {
                continue;
            };
            self.names_ports |= pod.names_ports;
            if !pods.insert(pod.name.clone()) {
                reader.refuse(
                    value,
                    "another Pod has the same name",
                    "give every Pod a name of its own",
                );
                continue;
            }
            for service in pod.services {
                if !names.insert(service.name.clone()) {
                    reader.refuse(
                        value,
                        format!("another container is also called {}", service.name),
                        "name Pods and containers so that POD-CONTAINER is unique",
                    );
                }
                self.services.push(service);
            }
            if self.services.len() > MOST_CONTAINERS {
                reader.refuse(
                    value,
                    format!("there are more than {MOST_CONTAINERS} containers"),
                    "run fewer in one guest",
                );
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
