//! What is mounted in a container. Pure.

use std::path::Path;

use hpcr_contract::plan::Mount as Wanted;
use oci_spec::OciSpecError;
use oci_spec::runtime::{Mount, MountBuilder};

use super::Input;

/// Bytes of a temporary file system where the service names none, as of Docker's /dev/shm: it is memory.
const TMPFS: u64 = 64 << 20;
/// Its permissions where the service names none.
const TMPFS_MODE: u32 = 0o1777;

pub(super) fn all(input: &Input<'_>) -> Result<Vec<Mount>, OciSpecError> {
    let access = if input.service.privileged { "rw" } else { "ro" };
    let mut mounts = Vec::new();
    let (dev, shm) = (size(None), size(input.service.limits.shm));
    for (target, kind, options) in [
        ("/proc", "proc", &["nosuid", "noexec", "nodev"][..]),
        (
            "/dev",
            "tmpfs",
            &["nosuid", "noexec", "strictatime", "mode=755", &dev],
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
            &["nosuid", "noexec", "nodev", "mode=1777", &shm],
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
    for wanted in &input.service.mounts {
        let Wanted::Tmpfs {
            target,
            bytes,
            mode,
        } = wanted
        else {
            continue;
        };
        let mode = format!("mode={:o}", mode.unwrap_or(TMPFS_MODE));
        own.push(mount(
            target.as_ref(),
            "tmpfs",
            "tmpfs".as_ref(),
            &["nosuid", "noexec", "nodev", &mode, &size(*bytes)],
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

fn size(bytes: Option<u64>) -> String {
    format!("size={}", bytes.unwrap_or(TMPFS))
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
