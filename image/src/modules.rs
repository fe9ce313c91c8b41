//! The kernel's modules: which ones the guest has, and in which order they are loaded.
//!
//! The table names what the appliance uses; what these need in turn stands in each module's own `.modinfo`, so nothing
//! in the guest has to find, order or decompress anything. Names that are built into the kernel are skipped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use object::read::elf::ElfFile64;
use object::{Object, ObjectSection};

use crate::files::{self, io_error};
use crate::{Error, Result};

/// What the guest has, and why; loaded in this order, each after what it needs.
///
/// Each one costs boot time, by its signature alone, so only what is used stands here.
const TABLE: &[(&str, &[&str])] = &[
    ("random numbers of the host, mixed in", &["virtio-rng"]),
    ("block devices", &["virtio_blk"]),
    ("network", &["virtio_net", "af_packet"]),
    ("the power button", &["evdev", "button"]),
    (
        "AES-XTS for LUKS: the processor's instructions, and generic code",
        &["aesni-intel", "xts", "ecb", "cbc"],
    ),
    ("encrypted volumes", &["dm-mod", "dm-crypt"]),
    ("file systems", &["ext4", "overlay"]),
    ("container networks", &["bridge", "veth"]),
    (
        "netavark's nftables rules",
        &[
            "nf_tables",
            "nft_chain_nat",
            "nft_nat",
            "nft_masq",
            "nft_ct",
            "nft_fib_inet",
        ],
    ),
    (
        "evidence of SEV-SNP and TDX",
        &["tsm", "sev-guest", "tdx-guest"],
    ),
];

/// A module as it goes into the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// `virtio_blk`
    pub name: String,
    /// The module, uncompressed, with the kernel maker's signature behind it.
    pub ko: Vec<u8>,
}

/// The modules of the table out of a kernel package's `lib/modules/RELEASE`, in load order.
pub fn collect(modules: &Path, release: &str) -> Result<Vec<Module>> {
    let names: Vec<_> = TABLE
        .iter()
        .flat_map(|(_, names)| *names)
        .copied()
        .collect();
    collect_named(modules, release, &names)
}

/// The named modules and what they need, in load order.
pub fn collect_named(modules: &Path, release: &str, names: &[&str]) -> Result<Vec<Module>> {
    let builtin: BTreeSet<String> = files::read_to_string(&modules.join("modules.builtin"))?
        .lines()
        .map(name_of)
        .collect();
    let mut present = BTreeMap::new();
    find(&modules.join("kernel"), &mut present)?;

    let mut loader = Loader {
        builtin,
        present,
        release,
        loaded: BTreeSet::new(),
        order: Vec::new(),
    };
    for name in names {
        loader.load(&normal(name), &mut Vec::new())?;
    }
    Ok(loader.order)
}

struct Loader<'a> {
    builtin: BTreeSet<String>,
    present: BTreeMap<String, PathBuf>,
    release: &'a str,
    loaded: BTreeSet<String>,
    order: Vec<Module>,
}

impl Loader<'_> {
    fn load(&mut self, name: &str, above: &mut Vec<String>) -> Result<()> {
        if self.builtin.contains(name) || self.loaded.contains(name) {
            return Ok(());
        }
        if above.iter().any(|module| module == name) {
            return Err(Error::ModuleCycle {
                name: name.to_owned(),
            });
        }
        let Some(path) = self.present.get(name) else {
            return Err(Error::ModuleMissing {
                name: name.to_owned(),
                release: self.release.to_owned(),
            });
        };
        let ko = read_module(path)?;
        above.push(name.to_owned());
        for dependency in dependencies(name, &ko)? {
            self.load(&dependency, above)?;
        }
        above.pop();
        self.loaded.insert(name.to_owned());
        self.order.push(Module {
            name: name.to_owned(),
            ko,
        });
        Ok(())
    }
}

/// `depends` of `.modinfo`, which the module cannot be linked without. (`softdep` names helpers that the table lists
/// where they are wanted.)
fn dependencies(name: &str, ko: &[u8]) -> Result<Vec<String>> {
    let failed = |source| Error::Elf {
        path: name.to_owned(),
        source,
    };
    let elf = ElfFile64::<object::Endianness>::parse(ko).map_err(failed)?;
    let Some(section) = elf.section_by_name(".modinfo") else {
        return Ok(Vec::new());
    };
    Ok(depends(section.data().map_err(failed)?))
}

fn depends(modinfo: &[u8]) -> Vec<String> {
    let entry = modinfo
        .split(|byte| *byte == 0)
        .find_map(|entry| entry.strip_prefix(b"depends="));
    let names = String::from_utf8_lossy(entry.unwrap_or_default()).into_owned();
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(normal)
        .collect()
}

fn find(dir: &Path, found: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir).map_err(io_error("read", dir))? {
        let entry = entry.map_err(io_error("read", dir))?;
        let path = entry.path();
        if entry.file_type().map_err(io_error("read", dir))?.is_dir() {
            find(&path, found)?;
        } else {
            let name = name_of(&path.to_string_lossy());
            found.insert(name, path);
        }
    }
    Ok(())
}

/// `kernel/drivers/md/dm-crypt.ko.xz` is `dm_crypt`.
fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or_default();
    normal(file.split('.').next().unwrap_or_default())
}

/// The kernel takes `-` and `_` in names for the same.
fn normal(name: &str) -> String {
    name.trim().replace('-', "_")
}

fn read_module(path: &Path) -> Result<Vec<u8>> {
    let packed = files::read(path)?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => {
            let mut ko = Vec::new();
            std::io::copy(
                &mut liblzma::read::XzDecoder::new(packed.as_slice()),
                &mut ko,
            )
            .map_err(io_error("decompress", path))?;
            Ok(ko)
        }
        Some("zst") => {
            zstd::stream::decode_all(packed.as_slice()).map_err(io_error("decompress", path))
        }
        _ => Ok(packed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_kernels_whatever_the_file_is_called() {
        assert_eq!(name_of("kernel/drivers/md/dm-crypt.ko.xz"), "dm_crypt");
        assert_eq!(name_of("kernel/fs/ext4/ext4.ko"), "ext4");
    }

    #[test]
    fn dependencies_are_read_from_modinfo() {
        let modinfo = b"license=GPL\0depends=dm-mod,xts\0retpoline=Y\0";
        assert_eq!(depends(modinfo), ["dm_mod", "xts"]);
        assert!(depends(b"license=GPL\0depends=\0").is_empty());
        assert!(depends(b"").is_empty());
    }

    #[test]
    fn a_module_that_is_nowhere_is_named() {
        let mut loader = Loader {
            builtin: BTreeSet::from(["ext4".to_owned()]),
            present: BTreeMap::new(),
            release: "6.12",
            loaded: BTreeSet::new(),
            order: Vec::new(),
        };
        assert!(loader.load("ext4", &mut Vec::new()).is_ok());
        let missing = loader.load("zfs", &mut Vec::new());
        assert!(matches!(missing, Err(Error::ModuleMissing { name, .. }) if name == "zfs"));
    }
}
