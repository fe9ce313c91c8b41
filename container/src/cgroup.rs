//! The control groups that containers live in (cgroup v2): `hpcr` holds all of them, `service-NAME` in it one service
//! with its share of the processor, `container` in that what runs, `check-N` in that one check of its health.
//!
//! A name of a contract never stands alone: `memory.max` is a good name for a service, and the kernel's for a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const ALL: &str = "hpcr";
const CONTAINER: &str = "container";
/// What is handed on from group to group; all else crun hands on where a container asks for it.
const CONTROLLERS: &str = "+cpu +memory";

/// Makes the group of all services and gives it. Refused by a kernel without the controllers: then nothing would bound
/// containers. `root` is where the guest's groups are mounted.
pub(crate) fn make_all(root: &Path) -> io::Result<PathBuf> {
    let all = root.join(ALL);
    hand_on(root)?;
    make_folder(&all)?;
    hand_on(&all)?;
    Ok(all)
}

/// The group of a service's container, from the root of the hierarchy on: what its runtime configuration says.
pub(crate) fn of_container(service: &str) -> PathBuf {
    Cgroup::new(Path::new("/"), service).0.join(CONTAINER)
}

/// The group of one service. It outlives the service's containers, and so tells what became of them.
#[derive(Debug, Clone)]
pub(crate) struct Cgroup(PathBuf);

impl Cgroup {
    /// `root` is where the guest's groups are mounted.
    pub(crate) fn new(root: &Path, service: &str) -> Self {
        Self(root.join(ALL).join(format!("service-{service}")))
    }

    /// Makes it. The weight (1 to 10,000; 100 is usual) stands here, where the other services are its siblings: on the
    /// container's own group, which has none, it would divide nothing.
    pub(crate) fn make(&self, weight: Option<u32>) -> io::Result<()> {
        make_folder(&self.0)?;
        weight.map_or(Ok(()), |weight| {
            fs::write(self.0.join("cpu.weight"), weight.to_string())
        })
    }

    /// How many processes of the service the kernel has killed for want of memory, its earlier containers counted; none
    /// where it has not run yet.
    pub(crate) fn kills(&self) -> u64 {
        let text = fs::read_to_string(self.0.join("memory.events")).unwrap_or_default();
        let count = |line: &str| line.strip_prefix("oom_kill ")?.trim().parse().ok();
        text.lines().find_map(count).unwrap_or_default()
    }

    /// Takes it away. One that is left holds nothing and does no harm.
    pub(crate) fn forget(&self) {
        let _ = fs::remove_dir(&self.0);
    }

    /// Makes the group of a check, in that of the running container, whose limits hold for it; it goes with that.
    pub(crate) fn check(&self, number: usize) -> io::Result<Check> {
        let name = format!("check-{number}");
        let path = self.0.join(CONTAINER).join(&name);
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(Check { name, path }),
        }
    }
}

/// The group of a check: whatever the check starts, however often it forks, is in it.
#[derive(Debug)]
pub(crate) struct Check {
    /// Its name in the container's group, for crun.
    pub name: String,
    path: PathBuf,
}

impl Check {
    /// Ends everything in it, also what is just being forked.
    pub(crate) fn kill(&self) {
        // Where it is gone, the container is, and with that all its processes.
        let _ = fs::write(self.path.join("cgroup.kill"), "1");
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).create(path)
}

fn hand_on(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.subtree_control"), CONTROLLERS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_services_weight_stands_where_the_other_services_are_its_siblings() {
        let root = tempfile::tempdir().unwrap();
        let all = make_all(root.path()).unwrap();
        for parent in [root.path(), &all] {
            let handed_on = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap();
            assert_eq!(handed_on, "+cpu +memory");
        }
        for (service, weight, expected) in [("a", Some(7), Some("7")), ("b", None, None)] {
            let group = Cgroup::new(root.path(), service);
            group.make(weight).unwrap();
            assert_eq!(group.0.parent(), Some(&*all));
            let set = fs::read_to_string(group.0.join("cpu.weight")).ok();
            assert_eq!(set.as_deref(), expected);
        }
    }

    #[test]
    fn no_name_of_a_service_is_one_of_the_kernels() {
        for service in ["memory.max", "cgroup.procs", "web"] {
            let path = of_container(service);
            assert_eq!(
                path,
                Path::new(&format!("/hpcr/service-{service}/container"))
            );
            let inside = path.strip_prefix("/").unwrap();
            let group = Cgroup::new(Path::new("/mounted"), service);
            assert_eq!(
                group.0.join(CONTAINER),
                Path::new("/mounted").join(inside),
                "crun and we mean the same"
            );
        }
    }

    #[test]
    fn kills_for_want_of_memory_are_counted() {
        let root = tempfile::tempdir().unwrap();
        let group = Cgroup::new(root.path(), "web");
        assert_eq!(group.kills(), 0);
        group.make(None).unwrap();
        let events = "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n";
        fs::write(group.0.join("memory.events"), events).unwrap();
        assert_eq!(group.kills(), 2);
    }

    #[test]
    fn a_check_has_a_group_in_that_of_the_container_and_is_killed_whole() {
        let root = tempfile::tempdir().unwrap();
        let group = Cgroup::new(root.path(), "web");
        assert!(group.check(3).is_err(), "there is no container");
        fs::create_dir_all(group.0.join(CONTAINER)).unwrap();
        for _ in 0..2 {
            let check = group.check(3).unwrap();
            check.kill();
            let path = root
                .path()
                .join(of_container("web").strip_prefix("/").unwrap())
                .join(&check.name);
            assert_eq!(fs::read_to_string(path.join("cgroup.kill")).unwrap(), "1");
        }
    }
}
