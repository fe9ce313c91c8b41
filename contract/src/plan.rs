//! The plan: everything a verified contract decides, as plain data.
//!
//! The phases of the guest only carry a plan out; nothing here touches a clock, a network or a device. Secrets sit in
//! types that do not print, so a plan can be logged, compared by eye and tested without a guest.

use std::collections::BTreeMap;
use std::fmt;

use crate::secret::SecretString;

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

/// The containers to run.
pub struct Workload {
    /// Services in start order.
    pub services: Vec<Service>,
    /// The regular files of the compose archive by relative path: what relative bind mounts and `env_file` refer to.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// The files of an archive may hold secrets: their names print, their bytes do not.
impl fmt::Debug for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.files.keys().collect();
        f.debug_struct("Workload")
            .field("services", &self.services)
            .field("files", &files)
            .finish()
    }
}

/// One container.
pub struct Service {
    /// Service name.
    pub name: String,
    /// What it runs.
    pub image: ImageReference,
    /// Replaces the image's entry point.
    pub entrypoint: Option<Vec<String>>,
    /// Replaces the image's command.
    pub command: Option<Vec<String>>,
    /// Environment of the container; values may be secret.
    pub environment: BTreeMap<String, SecretString>,
    /// Published ports.
    pub ports: Vec<Port>,
    /// Bind mounts and temporary file systems.
    pub mounts: Vec<Mount>,
    /// `user[:group]`, by name or number.
    pub user: Option<String>,
    /// Working directory.
    pub working_dir: Option<String>,
    /// Host name in the container.
    pub hostname: Option<String>,
    /// Read-only root file system.
    pub read_only: bool,
    /// Capabilities added to the default set (`NET_ADMIN`, or `ALL`).
    pub cap_add: Vec<String>,
    /// Capabilities taken from the default set.
    pub cap_drop: Vec<String>,
    /// All capabilities and devices.
    pub privileged: bool,
    /// What happens when it ends.
    pub restart: Restart,
    /// Seconds between the stop signal and the kill.
    pub stop_grace_seconds: u64,
    /// The stop signal's name (`SIGTERM`), where the image's is replaced.
    pub stop_signal: Option<String>,
}

/// Interpolation may have put a secret into a command: only what a service is and may do prints.
impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment: Vec<_> = self.environment.keys().collect();
        f.debug_struct("Service")
            .field("name", &self.name)
            .field("image", &self.image)
            .field("environment", &environment)
            .field("ports", &self.ports)
            .field("mounts", &self.mounts)
            .field("privileged", &self.privileged)
            .field("cap_add", &self.cap_add)
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}

/// An image by digest: a name without one never becomes this type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageReference {
    /// Registry host with port.
    pub registry: String,
    /// Repository path.
    pub repository: String,
    /// Manifest digest, `sha256:` and 64 lowercase hexadecimal digits.
    pub digest: String,
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.registry, self.repository, self.digest)
    }
}

/// A published port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Address in the guest that it is bound to, where one is named.
    pub host_ip: Option<std::net::IpAddr>,
    /// Port of the guest.
    pub host: u16,
    /// Port in the container.
    pub container: u16,
    /// Protocol.
    pub protocol: Protocol,
}

/// Transport of a published port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// TCP, the default.
    Tcp,
    /// UDP.
    Udp,
}

/// A mount in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mount {
    /// A path of the guest (a data volume's, or `/var/hyperprotect`).
    Bind {
        /// Absolute path in the guest.
        source: String,
        /// Absolute path in the container.
        target: String,
        /// Without write access.
        read_only: bool,
    },
    /// A file or folder of the compose archive ([`Workload::files`]).
    File {
        /// Relative path in the archive, normalised.
        source: String,
        /// Absolute path in the container.
        target: String,
        /// Without write access.
        read_only: bool,
    },
    /// A temporary file system in memory.
    Tmpfs {
        /// Absolute path in the container.
        target: String,
    },
}

/// `restart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// `no`: when it ends well the workload has ended; when it fails the appliance fails.
    No,
    /// `on-failure`, with the number of tries where one is given.
    OnFailure(Option<u32>),
    /// `always` and `unless-stopped`.
    Always,
}

/// What the attestation record needs to know of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
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
