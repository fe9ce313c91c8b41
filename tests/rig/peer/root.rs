//! What the peer's root holds: the packages, our few files, and what the packages' own programs make of them.

use std::{
    fs, io,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use crate::{Error, Result, command};

/// Debian's essential packages, and what does the appliance's job; with all that these depend on.
pub(super) const PACKAGES: [&str; 35] = [
    "base-files",
    "base-passwd",
    "bash",
    "bsdutils",
    "busybox-static",
    "coreutils",
    "cryptsetup-bin",
    "dash",
    "debianutils",
    "diffutils",
    "dpkg",
    "e2fsprogs",
    "fdisk",
    "findutils",
    "grep",
    "gzip",
    "hostname",
    "init-system-helpers",
    "kmod",
    "libc-bin",
    "login",
    "ncurses-base",
    "ncurses-bin",
    "netbase",
    "nftables",
    "openssl",
    "perl-base",
    "podman",
    "rsyslog",
    "rsyslog-gnutls",
    "sed",
    "systemd-sysv",
    "tar",
    "udev",
    "util-linux",
];

/// Left out, as images for machines do.
const UNREAD: [&str; 4] = [
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
];

macro_rules! ours {
    ($($path:literal $mode:literal $name:literal,)*) => {
        [$(($path, $mode, include_str!(concat!("../../peer/", $name)))),*]
    };
}

const SCRIPTS_AND_SETTINGS: [(&str, u32, &str); 12] = ours! {
    "usr/local/sbin/contract" 0o755 "contract",
    "usr/local/sbin/volume" 0o755 "volume",
    "usr/local/sbin/workload" 0o755 "workload",
    "etc/systemd/system/contract.service" 0o644 "contract.service",
    "etc/systemd/system/volume.service" 0o644 "volume.service",
    "etc/systemd/system/workload.service" 0o644 "workload.service",
    "etc/systemd/system/default.target" 0o644 "appliance.target",
    "etc/systemd/system/rsyslog.service.d/after-contract.conf" 0o644 "rsyslog-after-contract.conf",
    "etc/systemd/network/dhcp.network" 0o644 "dhcp.network",
    "etc/rsyslog.conf" 0o644 "rsyslog.conf",
    "etc/containers/containers.conf" 0o644 "containers.conf",
    "etc/containers/policy.json" 0o644 "policy.json",
};

/// One line each. A fixed machine id spares the peer systemd's work of a first boot.
const LINES: [(&str, u32, &str); 4] = [
    ("etc/hostname", 0o644, "peer\n"),
    ("etc/hosts", 0o644, "127.0.0.1 localhost\n"),
    (
        "etc/machine-id",
        0o444,
        "5eed5eed5eed5eed5eed5eed5eed5eed\n",
    ),
    // QEMU's name server; the peer runs no resolver of its own.
    ("etc/resolv.conf", 0o644, "nameserver 10.0.2.3\n"),
];

/// What base-files' maintainer script links, and the name by which rsyslog's unit answers to its socket.
const LINKS: [(&str, &str); 3] = [
    ("var/run", "/run"),
    ("var/lock", "/run/lock"),
    (
        "etc/systemd/system/syslog.service",
        "/usr/lib/systemd/system/rsyslog.service",
    ),
];

/// What base-passwd's maintainer script copies.
const COPIES: [(&str, &str); 2] = [
    ("usr/share/base-passwd/passwd.master", "etc/passwd"),
    ("usr/share/base-passwd/group.master", "etc/group"),
];

/// The content of every file of ours.
pub(super) fn contents<'a>() -> impl Iterator<Item = &'a [u8]> {
    let ours = SCRIPTS_AND_SETTINGS.iter().chain(&LINES);
    ours.map(|(_, _, text)| text.as_bytes())
}

/// Makes a root of unpacked packages one that boots; `key` opens contracts.
pub(super) fn configure(root: &Path, release: &str, key: &[u8]) -> Result<()> {
    fill(root, key).map_err(Error::io("filling the peer's root"))?;
    for program in [
        &["/usr/sbin/ldconfig"][..],
        &["/usr/sbin/depmod", "-a", release],
        &["/usr/bin/systemd-sysusers"],
        // Or systemd would take the first boot for one after an update, and build its hardware database there.
        &["/usr/lib/systemd/systemd-update-done"],
    ] {
        let mut inside = as_root("chroot");
        command::run(inside.arg(root).args(program), b"")?;
    }
    Ok(())
}

fn fill(root: &Path, key: &[u8]) -> io::Result<()> {
    for folder in UNREAD {
        let folder = root.join(folder);
        if folder.is_dir() {
            fs::remove_dir_all(folder)?;
        }
    }
    for (from, to) in COPIES {
        fs::copy(root.join(from), root.join(to))?;
    }
    for (path, mode, text) in SCRIPTS_AND_SETTINGS.iter().chain(&LINES) {
        put(&root.join(path), *mode, text.as_bytes())?;
    }
    put(&root.join("etc/contract-key.pem"), 0o600, key)?;
    for (path, target) in LINKS {
        let path = root.join(path);
        // The package has an empty folder there.
        if path.is_dir() {
            fs::remove_dir(&path)?;
        }
        symlink(target, path)?;
    }
    Ok(())
}

fn put(path: &Path, mode: u32, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// A command that sees this user's files as root's own.
pub(super) fn as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--", program]);
    command
}
