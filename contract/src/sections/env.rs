//! The deployer's section (specification 1.3).
//!
//! Unknown keys at its top level are tolerated, as the published schema does; what this version cannot honour is
//! recognised so that `planning` refuses it by name.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::auths::Auths;
use super::logging::Logging;
use super::volumes::EnvVolumes;
use super::{Present, Typed, present};
use crate::finding::Finding;
use crate::secret::SecretString;
use crate::yaml::Document;

/// `env`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvSection {
    #[serde(rename = "type")]
    kind: String,
    /// Where the lines of the guest go.
    pub logging: Option<Logging>,
    /// Data volumes.
    #[serde(default)]
    pub volumes: EnvVolumes,
    /// Registry credentials; the workload's win.
    #[serde(default)]
    pub auths: Auths,
    /// Further authorities for registries: base64 of PEM by name.
    #[serde(default)]
    pub cacerts: Vec<BTreeMap<String, String>>,
    /// Environment for interpolation; the workload's wins.
    #[serde(default)]
    pub env: BTreeMap<String, SecretString>,
    /// The key or certificate that verifies the contract's signature: PEM, or base64 of it once or twice.
    pub signing_key: Option<String>,
    /// Attestation of confidential hosts.
    #[serde(default, rename = "host-attestation", deserialize_with = "present")]
    pub host_attestation: Option<Present>,
    /// Confidential containers.
    #[serde(
        default,
        rename = "confidential-containers",
        deserialize_with = "present"
    )]
    pub confidential_containers: Option<Present>,
}

impl Typed for EnvSection {
    fn kind(&self) -> &str {
        &self.kind
    }
}

/// Reads a section that has been parsed.
///
/// # Errors
/// One finding where the document is not of this shape, or says another `type`.
pub fn read(document: &Document) -> Result<EnvSection, Vec<Finding>> {
    super::read("env", document)
}

#[cfg(test)]
pub(crate) fn parse(text: &str) -> Result<EnvSection, Vec<Finding>> {
    super::parse("env", text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_full_section_is_read_and_prints_no_secret() {
        let section = parse(concat!(
            "type: env\nlogging:\n  syslog: {hostname: logs.example, port: 6514, server: CA, cert: C, key: hunter2}\n",
            "  logDNA: {ingestionKey: hunter2}\n",
            "volumes:\n  data: {seed: hunter2-hunter2, volumeID: 0717-1, kms: [{apiKey: hunter2}]}\n",
            "auths:\n  docker.io: {username: puller, password: hunter2}\n",
            "cacerts: [{registry: Q0E=}]\nenv: {REGISTRY: hunter2}\nsigningKey: LS0t\n",
        ))
        .unwrap();
        let syslog = section
            .logging
            .as_ref()
            .and_then(|logging| logging.syslog.as_ref())
            .unwrap();
        assert_eq!(
            (syslog.hostname.as_str(), syslog.port),
            ("logs.example", Some(6514))
        );
        assert!(section.volumes["data"].kms.is_some() && section.volumes["data"].grep11.is_none());
        assert!(!format!("{section:?}").contains("hunter"));
    }

    #[test]
    fn what_has_another_shape_is_refused_at_its_place() {
        for (text, place) in [
            ("type: workload\n", "env:1:7 at type"),
            (
                "type: env\nlogging: {syslog: {hostname: a, server: b, port: \"6514\"}}\n",
                "env:2:50 at logging.syslog.port",
            ),
            (
                "type: env\nlogging: {logRouter: {hostname: a, iamApiKey: b, tags: []}}\n",
                "env:2:50 at logging.logRouter.tags",
            ),
            ("type: env\nenv: {PORT: 80}\n", "env:2:13 at env.PORT"),
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
}
