//! What a workload asks of the env that it is paired with (`workload.envPolicy`), and the reverse
//! (`env.workloadPolicy`); both are this appliance's own.
//!
//! A workload that was sealed can be stolen and paired with an env of the host's making; this is how its author says
//! which env it consents to. `consent` decides; a key that is absent asks for nothing.

use serde::Deserialize;

/// `env.workloadPolicy`: what the deployer asks of the workload that he runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WorkloadPolicy {
    /// Whether a container may be privileged.
    pub privileged: Option<bool>,
}

/// `workload.envPolicy`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EnvPolicy {
    /// SHA-256 of the public keys (DER) that may sign the contract, hexadecimal.
    pub signers: Option<Vec<String>>,
    /// Where lines may go: hosts, or `*.example` for every host below `example`.
    pub collectors: Option<Vec<String>>,
    /// The variables that `env.env` may set.
    pub environment: Option<Vec<String>>,
    /// SHA-256 of the auditor's key (PEM), hexadecimal: there must be one, and no other.
    pub auditor_key_hash: Option<String>,
    /// Whether a container may be privileged.
    pub privileged: Option<bool>,
}
