//! The plan: everything a verified contract decides, as plain data.
//!
//! The phases of the guest only carry a plan out; nothing here touches a clock, a network or a device. Secrets sit in
//! types that do not print, so a plan can be logged, compared by eye and tested without a guest.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::certificate::PublicKey;
use crate::finding::Finding;
use crate::secret::SecretString;

mod health;
mod privilege;
mod workload;

pub use health::{HealthCheck, Probe, Purpose};
pub use workload::{
    Condition, Dependency, File, ImageReference, Limits, Mount, Port, Protocol, Restart, Role,
    Service, Ulimit, Workload,
};

/// What the guest is going to do.
#[derive(Debug)]
pub struct Plan {
    /// Where every line of the guest goes.
    pub logging: Syslog,
    /// The data volumes, in the order of their names.
    pub volumes: Vec<Volume>,
    /// Registry credentials by host (`registry.example:5000`), both parties' merged, the workload's winning.
    pub registries: BTreeMap<String, Credentials>,
    /// Further certificate authorities for registries, PEM, by name (`env.cacerts`).
    pub registry_authorities: BTreeMap<String, Vec<u8>>,
    /// The containers.
    pub workload: Workload,
    /// When the contract ends, seconds since the Unix epoch (`notAfter` of a signing certificate), if it ever does.
    pub expires: Option<i64>,
    /// What the attestation record says of the contract.
    pub evidence: Evidence,
    /// What is worth a word and stops nothing.
    pub warnings: Vec<Finding>,
}

/// A syslog collector.
#[derive(Debug)]
pub struct Syslog {
    /// Host name or address, checked against the collector's certificate.
    pub host: String,
    /// TCP port, 6514 where the contract names none.
    pub port: u16,
    /// The certificate authorities that may vouch for the collector, PEM, one or more.
    pub authorities: Vec<u8>,
    /// The guest's own certificate and key, where the collector asks for one.
    pub client: Option<ClientIdentity>,
}

/// A client certificate with its key.
#[derive(Debug)]
pub struct ClientIdentity {
    /// The certificate, PEM.
    pub certificate: Vec<u8>,
    /// The private key, PEM (PKCS#8, PKCS#1 or SEC1, not encrypted).
    pub key: SecretString,
}

/// A user name and password of a registry.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: SecretString,
}

/// virtio-blk cuts the serials of disks off here (Virtio 1.2, 5.2.6, `VIRTIO_BLK_ID_BYTES`).
pub const VIRTIO_SERIAL: usize = 20;

/// A data volume.
#[derive(Debug)]
pub struct Volume {
    /// Its key in both sections.
    pub name: String,
    /// How its disk is known: compared with the disk's serial. The only spare disk serves where none matches.
    pub disk: String,
    /// Absolute path in the guest, `/mnt/data` where the contract names none.
    pub mount: String,
    /// File system for a new volume.
    pub filesystem: Filesystem,
    /// The LUKS passphrase: 64 hexadecimal characters.
    pub passphrase: SecretString,
    /// Passphrases to roll from, where `previousSeed` is given: tried in this order after `passphrase`.
    pub previous_passphrases: Vec<SecretString>,
    /// Whether a blank disk may be formatted.
    pub create: Create,
    /// Whether a volume without a header record is taken over.
    pub header_record: HeaderRecord,
}

/// The file systems a volume may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filesystem {
    /// ext4, the default.
    Ext4,
    /// XFS.
    Xfs,
    /// Btrfs.
    Btrfs,
}

/// `volumes.*.create`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// A blank disk is formatted; the default.
    IfBlank,
    /// A blank disk is refused, because data is expected.
    Never,
}

/// `volumes.*.headerRecord`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderRecord {
    /// A volume made elsewhere passes the header checks and gets a record; the default.
    Adopt,
    /// A volume without a record is refused.
    Require,
}

/// What the attestation record needs to know of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// SHA-256 of the workload section in the clear.
    pub workload: [u8; 32],
    /// SHA-256 of the env section in the clear.
    pub env: [u8; 32],
    /// The auditor's public key in the clear (PEM, as it was given) with the SHA-256 of that value.
    pub auditor: Option<Auditor>,
}

/// Whom the attestation record is encrypted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auditor {
    /// SHA-256 of the exact decoded value.
    pub hash: [u8; 32],
    /// The RSA public key, PEM.
    pub public_key: Vec<u8>,
}

impl From<&PublicKey> for Auditor {
    fn from(key: &PublicKey) -> Self {
        Self {
            hash: Sha256::digest(key.pem()).into(),
            public_key: key.pem().to_vec(),
        }
    }
}
