//! The deployer's section (specification 1.3).
//!
//! Unknown keys at its top level are tolerated, as the published schema does; what this version cannot honour is
//! recognised so that `planning` refuses it by name.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::auths::Auths;
use super::logging::Logging;
use super::policy::WorkloadPolicy;
use super::volumes::EnvVolumes;
use super::{Present, present};
use crate::secret::SecretString;

/// `env`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvSection {
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
    /// What the deployer asks of the workload (this appliance's own key).
    pub workload_policy: Option<WorkloadPolicy>,
    /// What the workload must name, too (this appliance's own key).
    pub contract_id: Option<SecretString>,
    /// Confidential containers.
    #[serde(
        default,
        rename = "confidential-containers",
        deserialize_with = "present"
    )]
    pub confidential_containers: Option<Present>,
}
