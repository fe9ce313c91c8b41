//! Builds the peer from Debian packages: a root disk, and a first file system that does no more than mount it.
//!
//! No root is needed: files are owned, and the packages' own programs are run, by the root of a user namespace.
//! Maintainer scripts never run; what they would leave behind for this job is done here.

use std::{fs, path::Path, process::Command};

use hpcr_image::{
    initramfs::{self, Node, Tree},
    manifest::Manifest,
    modules,
    packages::{Package, PrivateRoot},
};
use sha2::{Digest as _, Sha256};

use super::{Files, root};
use crate::{Error, Result, command, place, workload};

const INIT: &str = include_str!("../../peer/init");
/// What stands between the kernel and the root disk.
const MODULES: [&str; 3] = ["virtio_blk", "ext4", "overlay"];
const MOUNT_POINTS: [&str; 5] = ["dev", "sys", "lower", "changes", "root"];
/// Room in the root's file system beyond its files, MiB: tables, and the rounding of every file to a block.
const SPARE_MIB: u64 = 96;

/// Makes the parts, unless they are there and of the same inputs.
pub(super) fn build(files: &Files, progress: fn(&str)) -> Result<()> {
    let packages = PrivateRoot::open_with_progress(
        &place::target().join("packages"),
        workload::SUITE,
        progress,
    )?;
    let manifest = Manifest::read(&place::image())?;
    let kernel = kernel(&packages, &manifest)?;
    let chosen = packages.closure(&root::PACKAGES)?;
    let key = fs::read(place::development_key()).map_err(Error::io("reading the contract key"))?;
    let stamp = stamp(chosen.iter().chain([&kernel]), &key);
    if fs::read_to_string(&files.stamp).is_ok_and(|of| of == stamp) {
        return Ok(());
    }
    progress("building the peer's root disk");
    let folder = files.stamp.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io(format!("creating {}", folder.display())))?;
    let work = tempfile::tempdir_in(folder).map_err(Error::io("making a folder for the root"))?;
    let tree = work.path().join("root");
    for package in chosen.iter().chain([&kernel]) {
        packages.extract(package, &tree)?;
    }
    root::configure(&tree, &manifest.kernel_release, &key)?;
    make_disk(&tree, files)?;
    let unpacked = packages.unpacked(&kernel)?;
    fs::write(
        &files.initramfs,
        first_file_system(&tree, &unpacked, &manifest.kernel_release)?,
    )
    .map_err(Error::io("writing the peer's initramfs"))?;
    fs::write(&files.stamp, stamp).map_err(Error::io("writing the peer's stamp"))
}

/// The package of the image's own kernel.
fn kernel(packages: &PrivateRoot, manifest: &Manifest) -> Result<Package> {
    let entry = manifest
        .packages
        .iter()
        .find(|package| package.name.starts_with("linux-image-"));
    let fetched = match entry {
        Some(entry) => packages.fetch(&[&format!("{}={}", entry.name, entry.version)])?,
        None => Vec::new(),
    };
    fetched
        .into_iter()
        .next()
        .ok_or_else(|| Error::Broken("the image names no kernel package".into()))
}

/// A digest of all that the peer is made of, and of how it is made.
fn stamp<'a>(packages: impl Iterator<Item = &'a Package>, key: &[u8]) -> String {
    let mut hash = Sha256::new();
    for package in packages {
        hash.update(&package.sha256);
    }
    let how = [include_bytes!("build.rs"), &include_bytes!("root.rs")[..]];
    let ours = root::contents().chain([INIT.as_bytes(), key]);
    for content in ours.chain(how) {
        hash.update(content.len().to_le_bytes());
        hash.update(content);
    }
    hex::encode(hash.finalize())
}

/// The folder as an ext4 file system, plain and compressed.
fn make_disk(tree: &Path, files: &Files) -> Result<()> {
    let used = command::run(Command::new("du").args(["-sm", "--"]).arg(tree), b"")?;
    let used = String::from_utf8_lossy(&used);
    let mib: u64 = used
        .split_whitespace()
        .next()
        .and_then(|mib| mib.parse().ok())
        .ok_or_else(|| Error::Broken(format!("du said `{used}`")))?;
    let mut command = root::as_root("mke2fs");
    command
        .args(["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0"])
        .args(["-E", "root_owner=0:0", "-d"])
        .arg(tree)
        .arg(&files.root)
        .arg(format!("{}M", mib + SPARE_MIB));
    command::run(&mut command, b"")?;
    let plain = fs::read(&files.root).map_err(Error::io("reading the peer's root"))?;
    let compressed =
        initramfs::compress(&plain).map_err(Error::io("compressing the peer's root"))?;
    fs::write(&files.compressed, compressed).map_err(Error::io("writing the peer's root"))
}

fn first_file_system(root: &Path, kernel: &Path, release: &str) -> Result<Vec<u8>> {
    let mut tree = Tree::default();
    for path in MOUNT_POINTS {
        tree.insert(path, Node::Dir(0o755));
    }
    // The kernel opens it for the first process before anything is mounted.
    tree.insert("dev/console", Node::Device(0o600, 5, 1));
    tree.insert("init", Node::File(0o755, INIT.into()));
    let busybox =
        fs::read(root.join("usr/bin/busybox")).map_err(Error::io("reading the peer's busybox"))?;
    tree.insert("bin/busybox", Node::File(0o755, busybox));
    let mut order = String::new();
    for module in modules::collect_named(
        &kernel.join("usr/lib/modules").join(release),
        release,
        &MODULES,
    )? {
        order.extend([&module.name, "\n"]);
        tree.insert(
            &format!("modules/{}.ko", module.name),
            Node::File(0o644, module.ko),
        );
    }
    tree.insert("modules/order", Node::File(0o644, order.into()));
    initramfs::compress(&tree.to_cpio(0)).map_err(Error::io("compressing the peer's initramfs"))
}
