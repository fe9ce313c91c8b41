//! Keys that vouch for images without a digest (`workload.images`; specification 1.6).
//!
//! This version runs images by digest only, which need no such key; nothing here is ever trusted.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `images`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Images {
    /// Docker Content Trust, by `host/namespace/name`.
    #[serde(default)]
    pub dct: BTreeMap<String, ContentTrust>,
    /// Red Hat simple signing, by image name.
    #[serde(default)]
    pub rhs: BTreeMap<String, SimpleSigning>,
}

/// An entry of `images.dct`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ContentTrust {
    /// URL of the notary server.
    pub notary: String,
    /// The root key, base64.
    pub public_key: String,
}

/// An entry of `images.rhs`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SimpleSigning {
    /// The OpenPGP public key, ASCII armour in base64.
    pub public_key: String,
}
