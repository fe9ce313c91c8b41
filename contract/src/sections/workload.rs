//! The workload provider's section (specification 1.2).
//!
//! Unknown keys at its top level are tolerated, as the published schema does; ways to describe a workload that this
//! version cannot run are recognised so that `planning` refuses them by name.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::auths::Auths;
use super::images::Images;
use super::volumes::WorkloadVolumes;
use super::{Present, Typed, present};
use crate::finding::Finding;
use crate::secret::SecretString;
use crate::yaml::Document;

/// `workload`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSection {
    #[serde(rename = "type")]
    kind: String,
    /// The compose archive.
    pub compose: Option<Compose>,
    /// Pods.
    #[serde(default, deserialize_with = "present")]
    pub play: Option<Present>,
    /// Confidential containers.
    #[serde(
        default,
        rename = "confidential-containers",
        deserialize_with = "present"
    )]
    pub confidential_containers: Option<Present>,
    /// Environment for interpolation; wins over the deployer's.
    #[serde(default)]
    pub env: BTreeMap<String, SecretString>,
    /// Registry credentials; win over the deployer's.
    #[serde(default)]
    pub auths: Auths,
    /// Keys for images without a digest.
    #[serde(default)]
    pub images: Images,
    /// Data volumes.
    #[serde(default)]
    pub volumes: WorkloadVolumes,
    /// What the workload asks of the env that it is paired with (this appliance's own key).
    #[serde(default, deserialize_with = "present")]
    pub env_policy: Option<Present>,
}

/// `workload.compose`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compose {
    /// base64 of a tar.gz with `docker-compose.yaml` at its top.
    pub archive: String,
}

impl Typed for WorkloadSection {
    fn kind(&self) -> &str {
        &self.kind
    }
}

/// Reads a section that has been parsed.
///
/// # Errors
/// One finding where the document is not of this shape, or says another `type`.
pub fn read(document: &Document) -> Result<WorkloadSection, Vec<Finding>> {
    super::read("workload", document)
}

#[cfg(test)]
pub(crate) fn parse(text: &str) -> Result<WorkloadSection, Vec<Finding>> {
    super::parse("workload", text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_full_section_is_read_and_prints_no_secret() {
        let section = parse(concat!(
            "type: workload\ncompose:\n  archive: H4sI\n",
            "env: {REGISTRY: hunter2}\n",
            "auths:\n  registry.example:5000: {username: puller, password: hunter2}\n",
            "images: {rhs: {registry.example/web: {publicKey: a2V5}}}\n",
            "volumes:\n  data: {seed: hunter2-hunter2, previousSeed: hunter2-hunter1, mount: /mnt/data, filesystem: xfs, create: never}\n",
            "something-of-tomorrow: {}\n",
        ))
        .unwrap();
        assert_eq!(section.compose.as_ref().unwrap().archive, "H4sI");
        assert_eq!(section.volumes["data"].mount.as_deref(), Some("/mnt/data"));
        assert_eq!(section.images.rhs.len(), 1);
        assert!(section.play.is_none() && section.env_policy.is_none());
        assert!(!format!("{section:?}").contains("hunter"));
    }

    #[test]
    fn what_has_another_shape_is_refused_at_its_place() {
        for (text, place) in [
            ("type: env\n", "workload:1:7 at type"),
            (
                "type: workload\ncompose: {archive: x, file: y}\n",
                "workload:2:23 at compose.file",
            ),
            (
                "type: workload\nvolumes: {data: {seed: 42}}\n",
                "workload:2:24 at volumes.data.seed",
            ),
            (
                "type: workload\nvolumes: {data: {seed: a, seeed: b}}\n",
                "workload:2:27 at volumes.data.seeed",
            ),
            (
                "type: workload\nauths: {r: {username: a}}\n",
                "workload:2:12 at auths.r",
            ),
            ("compose: {archive: x}\n", "workload:1:1"),
            ("- a\n", "workload:1:1"),
        ] {
            let findings = parse(text).unwrap_err();
            assert_eq!(
                findings
                    .first()
                    .map(|finding| finding.place.to_string())
                    .as_deref(),
                Some(place),
                "{text}"
            );
        }
    }

    #[test]
    fn what_will_be_refused_by_name_counts_also_when_it_is_empty() {
        let section = parse("type: workload\nplay: {}\nenvPolicy:\n").unwrap();
        assert!(section.play.is_some() && section.env_policy.is_some());
    }
}
