//! System calls that a container has no business with. Pure: a table of reasons becomes a seccomp profile.
//!
//! The table names what is refused rather than what is allowed: an unknown newer call of a newer C library then works,
//! and every row says which capability gives it back, as in Docker's profile.

use oci_spec::OciSpecError;
use oci_spec::runtime::{
    Capabilities, Capability, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArgBuilder,
    LinuxSeccompBuilder, LinuxSeccompOperator, LinuxSyscall, LinuxSyscallBuilder,
};

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;
/// `CLONE_NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET` (clone(2)).
const NEW_NAMESPACES: u64 = 0x7E02_0000;

/// The calls, and the capability that allows them.
const REFUSED: &[(Option<Capability>, &[&str])] = &[
    // The kernel itself: other code, other clock, other power state.
    (
        Some(Capability::SysModule),
        &[
            "create_module",
            "delete_module",
            "finit_module",
            "init_module",
            "query_module",
        ],
    ),
    (
        Some(Capability::SysBoot),
        &["kexec_file_load", "kexec_load", "reboot"],
    ),
    (
        Some(Capability::SysTime),
        &[
            "clock_adjtime",
            "clock_adjtime64",
            "clock_settime",
            "clock_settime64",
            "settimeofday",
            "stime",
        ],
    ),
    (Some(Capability::Syslog), &["syslog"]),
    // Mounts and namespaces: a container stays in the tree that it was given.
    (
        Some(Capability::SysAdmin),
        &[
            "fanotify_init",
            "fsconfig",
            "fsmount",
            "fsopen",
            "fspick",
            "lookup_dcookie",
            "mount",
            "mount_setattr",
            "move_mount",
            "open_tree",
            "pivot_root",
            "quotactl",
            "quotactl_fd",
            "setns",
            "swapoff",
            "swapon",
            "umount",
            "umount2",
            "unshare",
        ],
    ),
    (Some(Capability::DacReadSearch), &["open_by_handle_at"]),
    // Other processes' memory, and programs in the kernel.
    (
        Some(Capability::SysPtrace),
        &[
            "kcmp",
            "pidfd_getfd",
            "process_madvise",
            "process_vm_readv",
            "process_vm_writev",
        ],
    ),
    (Some(Capability::Bpf), &["bpf"]),
    (Some(Capability::Perfmon), &["perf_event_open"]),
    (Some(Capability::SysRawio), &["ioperm", "iopl"]),
    (Some(Capability::SysPacct), &["acct"]),
    // The kernel's key ring is not kept apart by namespaces.
    (None, &["add_key", "keyctl", "request_key"]),
    // Large and often broken: every container escape of recent years began in one of these.
    (
        None,
        &[
            "io_uring_enter",
            "io_uring_register",
            "io_uring_setup",
            "userfaultfd",
        ],
    ),
    // Without a use today.
    (
        None,
        &[
            "_sysctl",
            "get_kernel_syms",
            "nfsservctl",
            "sysfs",
            "uselib",
            "ustat",
            "vm86",
            "vm86old",
        ],
    ),
];

/// The profile for a container with these capabilities.
pub(crate) fn profile(capabilities: &Capabilities) -> Result<LinuxSeccomp, OciSpecError> {
    let refused = REFUSED
        .iter()
        .filter(|(key, _)| key.is_none_or(|key| !capabilities.contains(&key)));
    let mut rules = vec![refuse(
        refused.flat_map(|(_, names)| *names).copied(),
        EPERM,
    )?];
    if !capabilities.contains(&Capability::SysAdmin) {
        // The flags of clone3 lie in memory, out of a filter's sight: C libraries fall back to clone on ENOSYS.
        rules.push(refuse(["clone3"], ENOSYS)?);
        // The first argument holds the flags, on s390x the second.
        let index = usize::from(cfg!(target_arch = "s390x"));
        for bit in (0..64)
            .map(|shift| 1u64 << shift)
            .filter(|bit| bit & NEW_NAMESPACES != 0)
        {
            let flag = LinuxSeccompArgBuilder::default()
                .index(index)
                .value(bit)
                .value_two(bit);
            let flag = flag.op(LinuxSeccompOperator::ScmpCmpMaskedEq).build()?;
            let rule = LinuxSyscallBuilder::default()
                .names(["clone".to_owned()])
                .args([flag]);
            rules.push(
                rule.action(LinuxSeccompAction::ScmpActErrno)
                    .errno_ret(EPERM)
                    .build()?,
            );
        }
    }
    LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActAllow)
        .syscalls(rules)
        .build()
}

fn refuse<'a>(
    names: impl IntoIterator<Item = &'a str>,
    errno: u32,
) -> Result<LinuxSyscall, OciSpecError> {
    let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
    LinuxSyscallBuilder::default()
        .names(names)
        .action(LinuxSeccompAction::ScmpActErrno)
        .errno_ret(errno)
        .build()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(capabilities: &[Capability]) -> std::collections::BTreeSet<String> {
        let profile = profile(&capabilities.iter().copied().collect()).unwrap();
        profile
            .syscalls()
            .iter()
            .flatten()
            .flat_map(|rule| rule.names().clone())
            .collect()
    }

    #[test]
    fn a_plain_container_cannot_reach_the_kernel_or_make_namespaces() {
        let refused = refused(&[]);
        for name in [
            "init_module",
            "kexec_load",
            "mount",
            "unshare",
            "clone",
            "clone3",
            "bpf",
            "keyctl",
            "io_uring_setup",
        ] {
            assert!(refused.contains(name), "{name}");
        }
        assert!(!refused.contains("openat"));
    }

    #[test]
    fn a_capability_gives_its_calls_back_and_no_other() {
        let refused = refused(&[Capability::SysAdmin]);
        assert!(!refused.contains("mount") && !refused.contains("clone3"));
        assert!(refused.contains("init_module") && refused.contains("keyctl"));
    }
}
