//! Data volumes as the two parties write them (`volumes` of both sections; specification 1.5).
//!
//! Keys of other ways to a volume key (a key management service, an HSM, ultravisor secrets) are recognised here so that
//! `planning` can refuse them by name; their content is never read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Present, present};
use crate::secret::SecretString;

/// `workload.volumes`, by volume key.
pub type WorkloadVolumes = BTreeMap<String, WorkloadVolume>;

/// `env.volumes`, by volume key.
pub type EnvVolumes = BTreeMap<String, EnvVolume>;

/// One entry of `workload.volumes`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct WorkloadVolume {
    /// The workload's half of the passphrase.
    pub seed: SecretString,
    /// The seed that this one replaces.
    pub previous_seed: Option<SecretString>,
    /// Absolute path in the guest.
    pub mount: Option<String>,
    /// File system of a new volume.
    pub filesystem: Option<Filesystem>,
    /// Whether a blank disk may be formatted (this appliance's own key).
    pub create: Option<Create>,
    /// Whether a volume without a header record is taken over (this appliance's own key).
    pub header_record: Option<HeaderRecord>,
}

/// One entry of `env.volumes`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EnvVolume {
    /// The deployer's half of the passphrase.
    pub seed: Option<SecretString>,
    /// The seed that this one replaces.
    pub previous_seed: Option<SecretString>,
    /// The disk's identifier.
    #[serde(rename = "volumeID")]
    pub volume_id: Option<String>,
    /// The disk's name, where no identifier is given.
    pub volume_name: Option<String>,
    /// A key for the cloud's volume look-up. The guest knows disks by their serial and asks nobody: unused.
    pub api_key: Option<SecretString>,
    /// Whether a blank disk may be formatted (this appliance's own key).
    pub create: Option<Create>,
    /// Whether a volume without a header record is taken over (this appliance's own key).
    pub header_record: Option<HeaderRecord>,
    /// A third seed wrapped by a key management service.
    #[serde(default, deserialize_with = "present")]
    pub kms: Option<Present>,
    /// How long to try the key management service.
    #[serde(default, deserialize_with = "present")]
    pub kms_timeout: Option<Present>,
    /// A key wrapped by an HSM.
    #[serde(default, deserialize_with = "present")]
    pub grep11: Option<Present>,
    /// A seed kept by the ultravisor.
    #[serde(default, rename = "uv-secret-id", deserialize_with = "present")]
    pub uv_secret_id: Option<Present>,
    /// The ultravisor's seed that this one replaces.
    #[serde(
        default,
        rename = "uv-previous-secret-id",
        deserialize_with = "present"
    )]
    pub uv_previous_secret_id: Option<Present>,
}

/// `filesystem`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filesystem {
    /// ext4.
    Ext4,
    /// XFS.
    Xfs,
    /// Btrfs.
    Btrfs,
}

/// `create`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Create {
    /// A blank disk is formatted.
    IfBlank,
    /// A blank disk is refused.
    Never,
}

/// `headerRecord`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HeaderRecord {
    /// A volume without a record gets one.
    Adopt,
    /// A volume without a record is refused.
    Require,
}
