//! The containers of a plan: what each one runs, may use and may touch, and how its life is watched.
//!
//! Compose files and Pods both become these types. Nothing here is executed, and what may be secret does not print.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::health::HealthCheck;
use crate::secret::SecretString;

/// The containers to run.
pub struct Workload {
    /// Services in start order: one never comes before what it depends on.
    pub services: Vec<Service>,
    /// The files that [`Mount::File`] refers to, by relative path: those of the archive below `archive/`, and those that
    /// the workload writes out itself (`configs`, `secrets`, ConfigMaps) below `generated/`.
    pub files: BTreeMap<String, File>,
}

/// A file that containers may read. It may hold secrets: its bytes do not print.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// Content; the same file may be seen at several paths.
    pub bytes: Arc<Zeroizing<Vec<u8>>>,
    /// Permissions (`0o644`); it belongs to root.
    pub mode: u32,
}

impl File {
    /// A file that everybody may read.
    pub fn plain(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Arc::new(Zeroizing::new(bytes)),
            mode: 0o644,
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("bytes", &self.bytes.len())
            .field("mode", &format_args!("{:#o}", self.mode))
            .finish()
    }
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
#[derive(Clone)]
pub struct Service {
    /// Service name.
    pub name: String,
    /// Whether it is a step that must end well before those that depend on it, or one that stays.
    pub role: Role,
    /// Services of one group share a network namespace and find each other at `127.0.0.1`, as the containers of a Pod do.
    /// A compose service is a group of its own.
    pub group: String,
    /// What must have happened before it starts.
    pub depends_on: Vec<Dependency>,
    /// What it runs.
    pub image: ImageReference,
    /// The architecture that it is meant for (`amd64`, `s390x`), where its author says: a guest of another refuses it.
    pub architecture: Option<String>,
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
    /// Further names in `/etc/hosts`.
    pub extra_hosts: Vec<(String, IpAddr)>,
    /// Read-only root file system.
    pub read_only: bool,
    /// Capabilities added to the default set (`NET_ADMIN`, or `ALL`).
    pub cap_add: Vec<String>,
    /// Capabilities taken from the default set.
    pub cap_drop: Vec<String>,
    /// All capabilities and devices.
    pub privileged: bool,
    /// No process of it gains privileges by executing a program (`no_new_privs`).
    pub no_new_privileges: bool,
    /// Further groups of its processes, by name or number.
    pub groups: Vec<String>,
    /// Kernel parameters of its namespaces (`net.*`, `kernel.shm*`, `kernel.msg*`, `kernel.sem`, `fs.mqueue.*`).
    pub sysctls: BTreeMap<String, String>,
    /// What it may use of the machine.
    pub limits: Limits,
    /// How its health is told.
    pub health: Vec<HealthCheck>,
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

impl Service {
    /// A service that says nothing but what it runs.
    pub fn new(name: impl Into<String>, image: ImageReference) -> Self {
        let name = name.into();
        Self {
            group: name.clone(),
            name,
            role: Role::Main,
            depends_on: Vec::new(),
            image,
            architecture: None,
            entrypoint: None,
            command: None,
            environment: BTreeMap::new(),
            ports: Vec::new(),
            mounts: Vec::new(),
            user: None,
            working_dir: None,
            hostname: None,
            extra_hosts: Vec::new(),
            read_only: false,
            cap_add: Vec::new(),
            cap_drop: Vec::new(),
            privileged: false,
            no_new_privileges: false,
            groups: Vec::new(),
            sysctls: BTreeMap::new(),
            limits: Limits::default(),
            health: Vec::new(),
            restart: Restart::No,
            stop_grace_seconds: STOP_GRACE_SECONDS,
            stop_signal: None,
        }
    }
}

/// How long a service may take to stop where its file does not say: Compose's default.
const STOP_GRACE_SECONDS: u64 = 10;

/// What a service is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A step: it is run to its end, which must be good (an init container).
    Init,
    /// It stays.
    Main,
}

/// Something that must have happened before a service starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Name of another service of the workload.
    pub service: String,
    /// What must have happened to it.
    pub condition: Condition,
}

/// `depends_on.*.condition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Its program has been executed.
    Started,
    /// Its [`Purpose::Readiness`](super::Purpose::Readiness) check has passed.
    Healthy,
    /// It has ended well.
    Completed,
}

/// What a service may use; `None` is no limit but the guest's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of memory.
    pub memory: Option<u64>,
    /// Most processor time, in thousandths of one processor.
    pub milli_cpus: Option<u32>,
    /// Share of processor time under contention, as the cgroup v2 weight (1 to 10,000; 100 is usual).
    pub cpu_weight: Option<u32>,
    /// Most processes.
    pub pids: Option<u32>,
    /// Bytes of `/dev/shm`.
    pub shm: Option<u64>,
    /// Limits of each process by their name without `RLIMIT_` (`NOFILE`).
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Added to the process's out-of-memory score, -1000 to 1000.
    pub oom_score_adj: Option<i32>,
}

/// One limit of getrlimit(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ulimit {
    /// What holds.
    pub soft: u64,
    /// What the process may raise it to.
    pub hard: u64,
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
    pub host_ip: Option<IpAddr>,
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
    /// A file or folder of [`Workload::files`], which no container writes.
    File {
        /// Relative path there, normalised (`archive/conf/nginx.conf`; `archive` for all of the archive).
        source: String,
        /// Absolute path in the container.
        target: String,
    },
    /// A temporary file system in memory.
    Tmpfs {
        /// Absolute path in the container.
        target: String,
        /// Most bytes, where the author says.
        bytes: Option<u64>,
        /// Permissions of its root, where the author says (`0o1777` else).
        mode: Option<u32>,
    },
    /// A folder on the encrypted scratch volume that the services naming it share (`emptyDir` of a Pod): empty at each
    /// boot, gone at power-off.
    Shared {
        /// Its name, unique in the workload.
        name: String,
        /// Absolute path in the container.
        target: String,
        /// Without write access.
        read_only: bool,
    },
}

impl Mount {
    /// Where it is seen in the container.
    pub fn target(&self) -> &str {
        match self {
            Self::Bind { target, .. }
            | Self::File { target, .. }
            | Self::Tmpfs { target, .. }
            | Self::Shared { target, .. } => target,
        }
    }
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
