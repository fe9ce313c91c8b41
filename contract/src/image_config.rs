//! What was fixed when the guest image was built: the file that `hpcr-image` writes into the initramfs and `hpcr-init`
//! reads before anything else. It is measured with the image, so nothing at run time can change what it says.
//!
//! This module never reads or writes the file itself.

use serde::{Deserialize, Serialize};

/// Where the file lies in the guest.
pub const PATH: &str = "/etc/hpcr/image-config.json";

/// The kind of image, which decides what may be told before a contract is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageKind {
    /// Keys lie in the open, errors are explained, and the first console line says so.
    Development,
    /// Nothing about a sealed contract is told until it is authenticated.
    Production,
}

/// Where the key that opens contracts comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeySource {
    /// A PEM or age key file inside the image: development images, and images that the platform decrypts (Secure Execution).
    Embedded {
        /// Absolute path in the guest.
        path: String,
    },
}

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageConfig {
    /// Version of the appliance (`0.1.0`).
    pub version: String,
    /// SHA-256 of what images of one build have in common: the kernel, its command line, and the first file system without
    /// keys and configuration. The attestation record has it as `baseimage`.
    #[serde(with = "hex")]
    pub base_image: [u8; 32],
    /// Development or production.
    pub kind: ImageKind,
    /// When the image was built, seconds since the Unix epoch (`SOURCE_DATE_EPOCH` where it is set).
    pub built: i64,
    /// The contract key.
    pub contract_key: KeySource,
    /// The age identity that opens sections sealed as age files, where the image has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract_identity: Option<KeySource>,
    /// The key that signs the attestation record.
    pub attestation_key: KeySource,
    /// `notAfter` of the encryption certificate, seconds since the Unix epoch.
    pub encryption_certificate_expires: i64,
    /// Kernel modules in load order, absolute paths in the guest of uncompressed `.ko` files.
    pub modules: Vec<String>,
    /// The least `MemTotal` that the guest starts with, in bytes.
    pub minimum_memory: u64,
}
