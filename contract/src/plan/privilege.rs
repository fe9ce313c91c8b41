//! Which services have a privilege that reaches the appliance: what consent is asked for, and what is recorded.
//!
//! It grants and takes nothing.

use super::Service;

/// Capabilities that reach no further than a container's own namespaces, processes and mounts: Docker's default set, and
/// what acts on them alone. All others act on the kernel that the appliance runs on, or get around its file permissions
/// (`SYS_ADMIN`, `SYS_MODULE`, `SYS_RAWIO`, `DAC_READ_SEARCH`, `BPF`, `PERFMON`, `SYS_BOOT`, `SYS_TIME`, ...); so does one
/// that is not known here. `MKNOD` and `NET_ADMIN` are contained by the list of devices and by the network namespace.
const CONTAINED: &[&str] = &[
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
    "SYS_NICE",
];

impl Service {
    /// Whether it has a privilege that reaches the appliance: all of them, or a capability that is not contained.
    pub fn reaches_out(&self) -> bool {
        let is_contained = |name: &String| {
            let name = name.strip_prefix("CAP_").unwrap_or(name);
            CONTAINED.contains(&name)
        };
        self.privileged || !self.cap_add.iter().all(is_contained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ImageReference;

    fn service() -> Service {
        let image = ImageReference {
            registry: String::new(),
            repository: String::new(),
            digest: String::new(),
        };
        Service::new("web", image)
    }

    #[test]
    fn the_book_lists_every_capability_that_is_contained() {
        let book = include_str!("../../../docs/contract.md");
        let row = book
            .lines()
            .find(|line| line.starts_with("| `privileged` |"));
        let (_, list) = row
            .and_then(|row| row.split_once(": `"))
            .unwrap_or_default();
        let listed = list
            .split("`, `")
            .map(|name| name.trim_end_matches(['`', ' ', '|', ')']));
        assert_eq!(listed.collect::<Vec<_>>(), CONTAINED);
    }

    #[test]
    fn a_capability_that_reaches_the_appliance_is_a_privilege() {
        let added = |names: &[&str]| {
            let mut service = service();
            service.cap_add = names.iter().map(|name| (*name).to_owned()).collect();
            service.reaches_out()
        };
        for name in [
            "ALL",
            "SYS_ADMIN",
            "CAP_SYS_ADMIN",
            "SYS_PTRACE",
            "SYS_MODULE",
            "SYS_RAWIO",
            "DAC_READ_SEARCH",
            "BPF",
            "PERFMON",
            "SYS_BOOT",
            "SYS_TIME",
            "SYSLOG",
            "MAC_ADMIN",
            "sys_admin",
            "OF_TOMORROW",
        ] {
            assert!(added(&["NET_ADMIN", name]), "{name}");
        }
        assert!(!added(&[]));
        assert!(!added(&["NET_ADMIN", "CAP_CHOWN", "MKNOD", "IPC_LOCK"]));
        let mut privileged = service();
        privileged.privileged = true;
        assert!(privileged.reaches_out());
    }
}
