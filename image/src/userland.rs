//! The guest's userland: files chosen one by one out of Debian packages, and nothing else.
//!
//! There is no shell, interpreter, package manager or login here, and no way for one to come in unnoticed: a file is
//! in the image because a line of this table, a `DT_NEEDED` entry or the kernel's module table asks for it.

use std::path::{Path, PathBuf};

use crate::files::{self, io_error};
use crate::initramfs::{Node, Tree};
use crate::packages::{Package, PrivateRoot};
use crate::{Error, Result, closure};

/// Packages that files are taken from, and all that these depend on.
pub const WITH_DEPENDENCIES: &[&str] = &[
    "crun",
    "netavark",
    "nftables",
    "e2fsprogs",
    "libcryptsetup12",
    "libblkid1",
];

/// Packages that only data is taken from: what they depend on would be programs that the guest does not have.
pub const DATA_ONLY: &[&str] = &["ca-certificates", "netbase"];

/// Programs, by their path in the package and in the guest.
const PROGRAMS: &[&str] = &[
    "usr/bin/crun",
    "usr/lib/podman/netavark",
    "usr/sbin/nft",
    "usr/sbin/mke2fs",
];

/// Other files, by their path in the package and in the guest.
const DATA: &[&str] = &["etc/mke2fs.conf", "etc/protocols"];

/// Public certificate authorities, concatenated as `update-ca-certificates` does.
const AUTHORITIES: &str = "usr/share/ca-certificates/mozilla";
const AUTHORITIES_BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

/// Files that are ours, because no package holds them as a file.
const OWN: &[(&str, &str)] = &[
    ("etc/nsswitch.conf", "hosts: files dns\nprotocols: files\n"),
    ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
];

/// Empty folders, with their permission bits.
const FOLDERS: &[(&str, u32)] = &[
    ("dev", 0o755),
    ("proc", 0o555),
    ("sys", 0o555),
    ("run", 0o755),
    ("mnt", 0o755),
    ("tmp", 0o1777),
    ("var/lib", 0o755),
    ("var/log", 0o755),
    ("var/tmp", 0o1777),
];

/// The merged `/usr` of Debian.
const LINKS: &[(&str, &str)] = &[
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib64"),
    ("var/run", "../run"),
];

const LIBRARIES: &str = "usr/lib/x86_64-linux-gnu";

/// The unpacked files of packages, looked up by path.
pub struct Unpacked {
    roots: Vec<PathBuf>,
}

impl Unpacked {
    /// Unpacks packages through the cache.
    pub fn of(root: &PrivateRoot, packages: &[Package]) -> Result<Self> {
        Ok(Self {
            roots: packages
                .iter()
                .map(|package| root.unpacked(package))
                .collect::<Result<_>>()?,
        })
    }

    /// Where a path of the guest lies, followed through links that stay in its package. Suites before the merge of
    /// `/usr` have libraries without that prefix.
    pub fn find(&self, path: &str) -> Option<PathBuf> {
        let before_merge = path.strip_prefix("usr/");
        self.roots.iter().find_map(|root| {
            [Some(path), before_merge]
                .into_iter()
                .flatten()
                .find_map(|path| follow(root, &root.join(path)))
        })
    }

    fn file(&self, path: &str) -> Result<PathBuf> {
        self.find(path).ok_or_else(|| Error::NotPackaged {
            path: path.to_owned(),
        })
    }
}

/// The end of a chain of links, if it lies in `root`: an absolute link means the guest, never the host.
fn follow(root: &Path, path: &Path) -> Option<PathBuf> {
    let target = path.canonicalize().ok()?;
    target.starts_with(root).then_some(target)
}

/// Fills the tree with the userland and with `init` at `/init`.
pub fn fill(tree: &mut Tree, packages: &Unpacked, init: &Path) -> Result<()> {
    for (path, mode) in FOLDERS {
        tree.insert(path, Node::Dir(*mode));
    }
    for (path, target) in LINKS {
        tree.insert(path, Node::Link((*target).to_owned()));
    }
    // The kernel opens it for PID 1 before anything is mounted.
    tree.insert("dev/console", Node::Device(0o600, 5, 1));
    for (path, text) in OWN {
        tree.insert(path, Node::File(0o644, text.as_bytes().to_vec()));
    }
    for path in DATA {
        tree.insert(path, Node::File(0o644, files::read(&packages.file(path)?)?));
    }
    tree.insert(
        AUTHORITIES_BUNDLE,
        Node::File(0o644, authorities(packages)?),
    );

    let mut programs = vec![("init", files::read(init)?)];
    for path in PROGRAMS {
        programs.push((path, files::read(&packages.file(path)?)?));
    }
    insert_libraries(tree, packages, &programs)?;
    for (path, content) in programs {
        tree.insert(path, Node::File(0o755, content));
    }
    Ok(())
}

fn insert_libraries(
    tree: &mut Tree,
    packages: &Unpacked,
    programs: &[(&str, Vec<u8>)],
) -> Result<()> {
    let borrowed: Vec<(&str, &[u8])> = programs
        .iter()
        .map(|(path, elf)| (*path, elf.as_slice()))
        .collect();
    let in_packages = |soname: &str| {
        packages
            .find(&format!("{LIBRARIES}/{soname}"))
            .map(|path| files::read(&path))
            .transpose()
    };
    for (soname, content) in closure::libraries(&borrowed, in_packages)? {
        tree.insert(&format!("{LIBRARIES}/{soname}"), Node::File(0o755, content));
    }
    for (path, elf) in &borrowed {
        let Some(loader) = closure::needs(path, elf)?.loader else {
            continue;
        };
        let name = loader.rsplit('/').next().unwrap_or_default();
        let in_libraries = format!("{LIBRARIES}/{name}");
        tree.insert(
            &in_libraries,
            Node::File(0o755, files::read(&packages.file(&in_libraries)?)?),
        );
        tree.insert(
            &format!("usr/lib64/{name}"),
            Node::Link(format!("/{in_libraries}")),
        );
    }
    Ok(())
}

fn authorities(packages: &Unpacked) -> Result<Vec<u8>> {
    let dir = packages.file(AUTHORITIES)?;
    let mut paths = std::fs::read_dir(&dir)
        .and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<Vec<_>>>()
        })
        .map_err(io_error("read", &dir))?;
    paths.sort();
    let mut bundle = Vec::new();
    for path in paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "crt"))
    {
        bundle.extend(files::read(path)?);
    }
    Ok(bundle)
}
