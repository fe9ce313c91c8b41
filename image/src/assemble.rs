//! Builds an image: packages, kernel, userland, keys, configuration, and the description of it all.
//!
//! Inputs are the packages, `hpcr-init`, the development keys and `SOURCE_DATE_EPOCH`; the same ones give the same
//! bytes. It refuses production images, because nothing here could hide their key.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hpcr_contract::image_config::{self, ImageConfig, ImageKind, KeySource};
use sha2::{Digest as _, Sha256};

use crate::files::{self, io_error};
use crate::initramfs::{self, Node, Tree};
use crate::keys::{self, DevelopmentKeys};
use crate::manifest::{self, Manifest, PackageEntry, Part};
use crate::packages::{Package, PrivateRoot};
use crate::userland::Unpacked;
use crate::{Error, Result, lock, modules, userland};

/// What to build.
#[derive(Debug, Clone)]
pub struct Request {
    /// The image's folder; made if it is missing.
    pub output: PathBuf,
    /// Development or production.
    pub kind: ImageKind,
    /// The Debian suite.
    pub suite: String,
    /// The program for `/init`.
    pub init: PathBuf,
    /// Where fetched packages are kept.
    pub cache: PathBuf,
    /// A lock file that the packages must match.
    pub locked: Option<PathBuf>,
    /// Fetch the package lists afresh.
    pub refresh: bool,
    /// Make new development keys even if there are some.
    pub new_keys: bool,
    /// `SOURCE_DATE_EPOCH`, seconds since the Unix epoch.
    pub built: Option<i64>,
}

const KERNEL_PACKAGE: &str = "linux-image-cloud-amd64";
const CONTRACT_KEY: &str = "/etc/hpcr/contract-key.pem";
const CONTRACT_IDENTITY: &str = "/etc/hpcr/contract-identity.age";
const ATTESTATION_KEY: &str = "/etc/hpcr/attestation-key.pem";
const MODULES: &str = "/usr/lib/modules";
/// A guest of 512 MiB has a `MemTotal` of some 450 MiB; below this, unpacking images would be a gamble.
const MINIMUM_MEMORY: u64 = 400 << 20;

/// A panic ends the guest at once (with QEMU's `-no-reboot`: for good); `quiet` leaves the console to the appliance;
/// pages are wiped when they are freed, so no key outlives the initramfs it came in.
const COMMAND_LINE: &str = "console=ttyS0 panic=-1 quiet init_on_free=1";

/// Builds the image and gives its description.
pub fn build(request: &Request, progress: fn(&str)) -> Result<Manifest> {
    if request.kind == ImageKind::Production {
        return Err(Error::ProductionNeedsSecureExecution);
    }
    // What is missing here is told before anything is fetched.
    let init = &request.init;
    init.metadata().map_err(io_error("read", init))?;
    let root = PrivateRoot::open_with_progress(&request.cache, &request.suite, progress)?;
    if request.refresh {
        root.refresh()?;
    }
    let kernel_package = fetch_kernel(&root)?;
    let mut packages = root.closure(userland::WITH_DEPENDENCIES)?;
    packages.extend(root.fetch(userland::DATA_ONLY)?);
    let unpacked = Unpacked::of(&root, &packages)?;
    packages.push(kernel_package.clone());
    packages.sort();
    if let Some(path) = &request.locked {
        lock::verify(path, &packages)?;
    }

    files::create_dir(&request.output)?;
    if request.new_keys {
        progress("making development keys");
        keys::make(&request.output)?;
    }
    let keys = keys::read_or_make(&request.output, progress)?;

    progress("choosing files");
    let kernel = Kernel::of(&root.unpacked(&kernel_package)?)?;
    let built = request
        .built
        .unwrap_or_else(|| kernel.built.max(keys.validity.0));
    let mut tree = Tree::default();
    userland::fill(&mut tree, &unpacked, &request.init)?;
    let modules = insert_modules(&mut tree, &kernel)?;
    let base_image = base_image(&kernel, &tree);
    insert_configuration(&mut tree, &keys, built, base_image, modules)?;

    progress("packing the initramfs");
    let archive = tree.to_cpio(u32::try_from(built).unwrap_or_default());
    let initramfs_path = request.output.join(manifest::INITRAMFS);
    let packed = initramfs::compress(&archive).map_err(io_error("compress", &initramfs_path))?;
    // The initramfs holds the private keys.
    files::write(&initramfs_path, &packed, 0o600)?;
    files::write(&request.output.join(manifest::KERNEL), &kernel.image, 0o644)?;
    lock::write(&request.output.join("packages.lock"), &packages)?;

    let manifest = describe(request, &tree, &kernel, built, base_image, &packages)?;
    manifest.write(&request.output)?;
    Ok(manifest)
}

/// The meta package names the kernel of the day; its other dependencies are for installing, and stay away.
fn fetch_kernel(root: &PrivateRoot) -> Result<Package> {
    let depends = root.depends(KERNEL_PACKAGE)?;
    let name = depends.iter().find(|name| name.starts_with("linux-image-"));
    let name = name.ok_or_else(|| Error::Answer {
        program: "apt-cache",
        answer: depends.join(", "),
    })?;
    let mut packages = root.fetch(&[name])?;
    packages.pop().ok_or_else(|| Error::NotPackaged {
        path: manifest::KERNEL.to_owned(),
    })
}

struct Kernel {
    release: String,
    image: Vec<u8>,
    modules: PathBuf,
    /// When the file was made, seconds since the Unix epoch.
    built: i64,
}

impl Kernel {
    fn of(package: &Path) -> Result<Self> {
        let boot = package.join("boot");
        let entries = std::fs::read_dir(&boot).map_err(io_error("read", &boot))?;
        for entry in entries {
            let path = entry.map_err(io_error("read", &boot))?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if let Some(release) = name.strip_prefix("vmlinuz-") {
                let merged = package.join("usr/lib/modules").join(release);
                let before_merge = package.join("lib/modules").join(release);
                return Ok(Self {
                    release: release.to_owned(),
                    image: files::read(&path)?,
                    modules: if merged.is_dir() {
                        merged
                    } else {
                        before_merge
                    },
                    built: path.metadata().map_err(io_error("read", &path))?.mtime(),
                });
            }
        }
        Err(Error::NotPackaged {
            path: "boot/vmlinuz-*".to_owned(),
        })
    }
}

/// Gives the paths in load order.
fn insert_modules(tree: &mut Tree, kernel: &Kernel) -> Result<Vec<String>> {
    let modules = modules::collect(&kernel.modules, &kernel.release)?;
    let mut paths = Vec::with_capacity(modules.len());
    for module in modules {
        let path = format!("{MODULES}/{}.ko", module.name);
        tree.insert(&path, Node::File(0o644, module.ko));
        paths.push(path);
    }
    Ok(paths)
}

/// What stays the same whoever the image is built for: the same packages and `hpcr-init` give the same digest.
fn base_image(kernel: &Kernel, tree: &Tree) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [COMMAND_LINE.as_bytes(), &kernel.image, &tree.to_cpio(0)] {
        digest.update(Sha256::digest(part));
    }
    digest.finalize().into()
}

fn insert_configuration(
    tree: &mut Tree,
    keys: &DevelopmentKeys,
    built: i64,
    base_image: [u8; 32],
    modules: Vec<String>,
) -> Result<()> {
    let config = ImageConfig {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        base_image,
        kind: ImageKind::Development,
        built,
        contract_key: KeySource::Embedded {
            path: CONTRACT_KEY.to_owned(),
        },
        contract_identity: Some(KeySource::Embedded {
            path: CONTRACT_IDENTITY.to_owned(),
        }),
        attestation_key: KeySource::Embedded {
            path: ATTESTATION_KEY.to_owned(),
        },
        encryption_certificate_expires: keys.validity.1,
        modules,
        minimum_memory: MINIMUM_MEMORY,
    };
    let path = PathBuf::from(image_config::PATH);
    let text =
        serde_json::to_vec_pretty(&config).map_err(|source| Error::Manifest { path, source })?;
    tree.insert("etc/hpcr", Node::Dir(0o700));
    tree.insert(image_config::PATH, Node::File(0o600, text));
    for (path, key) in [
        (CONTRACT_KEY, &keys.contract_key),
        (CONTRACT_IDENTITY, &keys.contract_identity),
        (ATTESTATION_KEY, &keys.attestation_key),
    ] {
        tree.insert(path, Node::File(0o600, key.to_vec()));
    }
    Ok(())
}

fn describe(
    request: &Request,
    tree: &Tree,
    kernel: &Kernel,
    built: i64,
    base_image: [u8; 32],
    packages: &[Package],
) -> Result<Manifest> {
    let part = |name: &str| -> Result<(String, Part)> {
        let (sha256, size) = files::sha256_of_file(&request.output.join(name))?;
        Ok((name.to_owned(), Part { sha256, size }))
    };
    let names = [
        manifest::KERNEL,
        manifest::INITRAMFS,
        manifest::CERTIFICATE,
        manifest::RECIPIENT,
        manifest::ATTESTATION_KEY,
    ];
    let contents = tree.iter().filter_map(|(path, node)| match node {
        Node::File(_, content) => Some((format!("/{path}"), Part::of(content))),
        _ => None,
    });
    let entry = |package: &Package| PackageEntry {
        name: package.name.clone(),
        version: package.version.clone(),
        sha256: package.sha256.clone(),
    };
    Ok(Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        base_image: hex::encode(base_image),
        kind: ImageKind::Development,
        architecture: "x86_64".to_owned(),
        built,
        suite: request.suite.clone(),
        kernel_release: kernel.release.clone(),
        command_line: COMMAND_LINE.to_owned(),
        parts: names.into_iter().map(part).collect::<Result<_>>()?,
        packages: packages.iter().map(entry).collect(),
        files: contents.collect(),
    })
}
