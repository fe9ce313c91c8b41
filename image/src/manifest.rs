//! `image.json`: what an image is and what it is made of, for those who run it, check it or list its packages.
//!
//! It lies outside of what is measured: it helps to find differences and proves nothing by itself.

use std::collections::BTreeMap;
use std::path::Path;

use hpcr_contract::image_config::ImageKind;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, files};

/// The kernel, as a boot loader takes it.
pub const KERNEL: &str = "vmlinuz";
/// The first file system.
pub const INITRAMFS: &str = "initramfs";
/// The certificate that contracts are encrypted to.
pub const CERTIFICATE: &str = "encryption.crt";
/// The age recipient that sections may be encrypted to, a line of text.
pub const RECIPIENT: &str = "encryption.age";
/// The public key of the attestation record's signature.
pub const ATTESTATION_KEY: &str = "attestation.pub";
/// The description itself.
pub const FILE: &str = "image.json";

/// The content of `image.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Version of the appliance.
    pub version: String,
    /// What the attestation records of its guests have as `baseimage`: lower-case hexadecimal SHA-256 of kernel, command line
    /// and first file system without keys and configuration.
    pub base_image: String,
    /// Development or production.
    pub kind: ImageKind,
    /// `x86_64`
    pub architecture: String,
    /// When it was built, seconds since the Unix epoch: `SOURCE_DATE_EPOCH`, or the newest of its inputs.
    pub built: i64,
    /// The Debian suite that the packages come from.
    pub suite: String,
    /// `uname -r` of the guest.
    pub kernel_release: String,
    /// The kernel's command line.
    pub command_line: String,
    /// The image's files beside this one, by name.
    pub parts: BTreeMap<String, Part>,
    /// Every Debian package that was at hand, by name.
    pub packages: Vec<PackageEntry>,
    /// Every file inside the initramfs, by path.
    pub files: BTreeMap<String, Part>,
}

/// A file's digest and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    /// Lower-case hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

impl Part {
    /// Digest and size of bytes in memory.
    pub fn of(content: &[u8]) -> Self {
        Self {
            sha256: files::sha256(content),
            size: content.len() as u64,
        }
    }
}

/// A Debian package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackageEntry {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Lower-case hexadecimal SHA-256 of the `.deb`.
    pub sha256: String,
}

impl Manifest {
    /// Reads an image folder's `image.json`.
    pub fn read(image: &Path) -> Result<Self> {
        let path = image.join(FILE);
        serde_json::from_slice(&files::read(&path)?)
            .map_err(|source| Error::Manifest { path, source })
    }

    /// Writes it into an image folder.
    pub fn write(&self, image: &Path) -> Result<()> {
        let path = image.join(FILE);
        let mut text = serde_json::to_vec_pretty(self).map_err(|source| Error::Manifest {
            path: path.clone(),
            source,
        })?;
        text.push(b'\n');
        files::write(&path, &text, 0o644)
    }

    /// Fails unless every part of the image folder is there, with the digest that it was built with.
    pub fn verify(&self, image: &Path) -> Result<()> {
        let mut differences = Vec::new();
        for (name, part) in &self.parts {
            match files::sha256_of_file(&image.join(name)) {
                Ok((sha256, _)) if sha256 == part.sha256 => {}
                Ok(_) => differences.push(format!("{name} has another SHA-256")),
                Err(error) => differences.push(error.to_string()),
            }
        }
        if differences.is_empty() {
            Ok(())
        } else {
            Err(Error::PartsDiffer {
                path: image.to_path_buf(),
                differences,
            })
        }
    }
}
