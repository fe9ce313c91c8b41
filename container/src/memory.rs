//! A bound on the memory of all containers together, so that they run out of it before the guest does: temporary file
//! systems and the page cache of what they do count, too. Also whether the kernel killed for want of memory. How
//! containers share it is said by their own limits.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ContainerError;
use crate::limits;
use crate::spec;

/// Sets the bound, by what the guest has left before the first container starts. `cgroups` is where the guest's unified
/// control groups are mounted.
pub(crate) fn bound(proc: &Path, cgroups: &Path) -> Result<(), ContainerError> {
    let path = proc.join("meminfo");
    let text = fs::read_to_string(&path).map_err(|e| fault(&path, e))?;
    let most = most(&text).ok_or_else(|| fault(&path, "it does not say how much is available"))?;
    apply(cgroups, most)
}

/// What is available without the reserve, but always half of it. Pure; `meminfo` is the text of /proc/meminfo.
fn most(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    let available = kib.checked_mul(1 << 10)?;
    Some(
        available
            .saturating_sub(limits::MEMORY_RESERVE)
            .max(available / 2),
    )
}

fn apply(cgroups: &Path, most: u64) -> Result<(), ContainerError> {
    let group = cgroups.join(spec::CGROUP);
    let set = |path: &Path, value: &str| fs::write(path, value).map_err(|e| fault(path, e));
    // Refused by a kernel without the controller: then nothing would bound containers.
    set(&cgroups.join("cgroup.subtree_control"), "+memory")?;
    fs::DirBuilder::new()
        .recursive(true)
        .create(&group)
        .map_err(|e| fault(&group, e))?;
    set(&group.join("memory.max"), &most.to_string())
}

/// The control group of a service.
pub(crate) fn of_service(cgroups: &Path, service: &str) -> PathBuf {
    cgroups.join(spec::CGROUP).join(service)
}

/// How many processes of a service the kernel has killed for want of memory, its earlier containers counted; none where
/// it has not run yet.
pub(crate) fn kills(of_service: &Path) -> u64 {
    let text = fs::read_to_string(of_service.join("memory.events")).unwrap_or_default();
    let count = |line: &str| line.strip_prefix("oom_kill ")?.trim().parse().ok();
    text.lines().find_map(count).unwrap_or_default()
}

/// Takes the control group of a service away. One that is left holds nothing and does no harm.
pub(crate) fn forget(of_service: &Path) {
    let _ = fs::remove_dir(of_service);
}

fn fault(path: &Path, cause: impl std::fmt::Display) -> ContainerError {
    ContainerError::Service {
        service: "all".into(),
        act: "bounding their memory",
        cause: format!("{}: {cause}", path.display()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn containers_get_what_is_available_without_the_reserve() {
        let meminfo = |kib| format!("MemTotal: 9 kB\nMemFree: 1 kB\nMemAvailable: {kib:>8} kB\n");
        for (kib, expected) in [
            (1 << 20, (1 << 30) - (96 << 20)),
            (128 << 10, 64 << 20),
            (0, 0),
        ] {
            assert_eq!(most(&meminfo(kib)), Some(expected), "{kib}");
        }
        for odd in [
            "",
            "MemAvailable: many kB\n",
            "MemAvailable: 5\n",
            &meminfo(u64::MAX),
        ] {
            assert_eq!(most(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn kills_for_want_of_memory_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(kills(folder.path()), 0);
        let events = "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n";
        fs::write(folder.path().join("memory.events"), events).unwrap();
        assert_eq!(kills(folder.path()), 2);
    }

    #[test]
    fn the_bound_is_set_on_the_group_that_holds_every_container() {
        let folder = tempfile::tempdir().unwrap();
        apply(folder.path(), 5).unwrap();
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
        assert_eq!(read("cgroup.subtree_control"), "+memory");
        assert_eq!(read("hpcr/memory.max"), "5");
        assert!(spec::cgroup("web").starts_with("/hpcr"));
    }
}
