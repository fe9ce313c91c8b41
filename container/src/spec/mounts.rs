//! What is mounted in a container. Pure.

use std::path::Path;

use oci_spec::OciSpecError;
use oci_spec::runtime::{Mount, MountBuilder};

use super::Input;

/// Size of each temporary file system, as of Docker's /dev/shm: it is memory. What needs more belongs on a volume.
const TMPFS: &str = "size=65536k";

pub(super) fn all(input: &Input<'_>) -> Result<Vec<Mount>, OciSpecError> {
    let access = if input.service.privileged { "rw" } else { "ro" };
    let mut mounts = Vec::new();
    for (target, kind, options) in [
        ("/proc", "proc", &["nosuid", "noexec", "nodev"][..]),
        (
            "/dev",
            "tmpfs",
            &["nosuid", "noexec", "strictatime", "mode=755", TMPFS],
        ),
        (
            "/dev/pts",
            "devpts",
            &[
                "nosuid",
                "noexec",
                "newinstance",
                "ptmxmode=0666",
                "mode=0620",
                "gid=5",
            ],
        ),
        (
            "/dev/shm",
            "tmpfs",
            &["nosuid", "noexec", "nodev", "mode=1777", TMPFS],
        ),
        ("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
        ("/sys", "sysfs", &["nosuid", "noexec", "nodev", access]),
        (
            "/sys/fs/cgroup",
            "cgroup",
            &["nosuid", "noexec", "nodev", "relatime", access],
        ),
    ] {
        mounts.push(mount(target.as_ref(), kind, kind.as_ref(), options)?);
    }
    let mut own = Vec::new();
    for target in input.tmpfs {
        own.push(mount(
            target.as_ref(),
            "tmpfs",
            "tmpfs".as_ref(),
            &["nosuid", "noexec", "nodev", "mode=1777", TMPFS],
        )?);
    }
    for bind in input.binds {
        let access = if bind.read_only { "ro" } else { "rw" };
        own.push(mount(
            &bind.target,
            "bind",
            &bind.source,
            &["bind", "rprivate", "nosuid", "nodev", access],
        )?);
    }
    // A mount must not hide one that lies inside it.
    own.sort_by_key(|mount| mount.destination().components().count());
    mounts.extend(own);
    Ok(mounts)
}

fn mount(
    target: &Path,
    kind: &str,
    source: &Path,
    options: &[&str],
) -> Result<Mount, OciSpecError> {
    let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
    MountBuilder::default()
        .destination(target)
        .typ(kind)
        .source(source)
        .options(options)
        .build()
}
