//! A bound on the memory of all containers together, so that they run out of it before the guest does: temporary file
//! systems and the page cache of what they do count, too. How containers share it is said by their own limits.

use std::fs;
use std::path::Path;

use crate::cgroup;
use crate::error::ContainerError;
use crate::limits;

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
    let group = cgroup::make_all(cgroups).map_err(|e| fault(cgroups, e))?;
    let path = group.join("memory.max");
    fs::write(&path, most.to_string()).map_err(|e| fault(&path, e))
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
    fn the_bound_is_set_on_the_group_that_holds_every_container() {
        let folder = tempfile::tempdir().unwrap();
        apply(folder.path(), 5).unwrap();
        let set = fs::read_to_string(folder.path().join("hpcr/memory.max")).unwrap();
        assert_eq!(set, "5");
        assert!(cgroup::of_container("web").starts_with("/hpcr"));
    }
}
