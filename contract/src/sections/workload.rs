//! The workload provider's section (specification 1.2).
//!
//! Unknown keys at its top level are tolerated, as the published schema does; ways to describe a workload that this
//! version cannot run are recognised so that `planning` refuses them by name.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::auths::Auths;
use super::images::Images;
use super::policy::EnvPolicy;
use super::volumes::WorkloadVolumes;
use super::{Present, present};
use crate::secret::SecretString;

/// `workload`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadSection {
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
    pub env_policy: Option<EnvPolicy>,
    /// What the env must name, too (this appliance's own key).
    pub contract_id: Option<SecretString>,
}

/// `workload.compose`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compose {
    /// base64 of a tar.gz with `docker-compose.yaml` at its top.
    pub archive: String,
}
