//! The JSON of a LUKS2 header as types that can only hold what is accepted: an unknown key, cipher, derivation or a
//! null cipher does not parse.
//!
//! (LUKS2 On-Disk Format Specification 1.1, section 3.) What is parsed here is what libcryptsetup will see, because the
//! copy that it gets is written anew from these types: there is no second reading of the host's text.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The whole JSON area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    pub(crate) keyslots: BTreeMap<u8, Keyslot>,
    pub(crate) tokens: Nothing,
    pub(crate) segments: BTreeMap<u8, Segment>,
    pub(crate) digests: BTreeMap<u8, Digest>,
    pub(crate) config: Config,
}

/// An object without members: tokens are not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A slot that holds the volume key under a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Keyslot {
    #[serde(rename = "type")]
    pub(crate) kind: KeyslotKind,
    pub(crate) key_size: u32,
    pub(crate) af: Splitter,
    pub(crate) area: Area,
    pub(crate) kdf: Kdf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<u8>,
}

/// `luks2`; `reencrypt` is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyslotKind {
    #[serde(rename = "luks2")]
    Luks2,
}

/// The anti-forensic splitter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Splitter {
    #[serde(rename = "type")]
    pub(crate) kind: SplitterKind,
    pub(crate) stripes: u32,
    pub(crate) hash: Hash,
}

/// `luks1`, the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SplitterKind {
    #[serde(rename = "luks1")]
    Luks1,
}

/// The bytes of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Area {
    #[serde(rename = "type")]
    pub(crate) kind: AreaKind,
    pub(crate) offset: Decimal,
    pub(crate) size: Decimal,
    pub(crate) encryption: Cipher,
    pub(crate) key_size: u32,
}

/// `raw`, the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AreaKind {
    #[serde(rename = "raw")]
    Raw,
}

/// How the passphrase becomes the slot's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", deny_unknown_fields)]
pub(crate) enum Kdf {
    #[serde(rename = "argon2id")]
    Argon2id {
        time: u32,
        memory: u32,
        cpus: u32,
        salt: Base64,
    },
    #[serde(rename = "argon2i")]
    Argon2i {
        time: u32,
        memory: u32,
        cpus: u32,
        salt: Base64,
    },
    #[serde(rename = "pbkdf2")]
    Pbkdf2 {
        hash: Hash,
        iterations: u32,
        salt: Base64,
    },
}

/// The encrypted part of the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Segment {
    #[serde(rename = "type")]
    pub(crate) kind: SegmentKind,
    pub(crate) offset: Decimal,
    pub(crate) size: SegmentSize,
    pub(crate) iv_tweak: Decimal,
    pub(crate) encryption: Cipher,
    pub(crate) sector_size: u32,
}

/// `crypt`; `linear`, which is not encrypted, is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SegmentKind {
    #[serde(rename = "crypt")]
    Crypt,
}

/// To the end of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SegmentSize {
    #[serde(rename = "dynamic")]
    Dynamic,
}

/// The cipher of segments and slots alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cipher {
    #[serde(rename = "aes-xts-plain64")]
    AesXtsPlain64,
}

/// A hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Hash {
    #[serde(rename = "sha256")]
    Sha256,
    #[serde(rename = "sha512")]
    Sha512,
}

/// By what a volume key is recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Digest {
    #[serde(rename = "type")]
    pub(crate) kind: DigestKind,
    pub(crate) keyslots: Vec<Decimal>,
    pub(crate) segments: Vec<Decimal>,
    pub(crate) hash: Hash,
    pub(crate) iterations: u32,
    pub(crate) salt: Base64,
    #[serde(rename = "digest")]
    pub(crate) value: Base64,
}

/// `pbkdf2`, the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum DigestKind {
    #[serde(rename = "pbkdf2")]
    Pbkdf2,
}

/// Sizes. Flags and requirements (reencryption, for one) are not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) json_size: Decimal,
    pub(crate) keyslots_size: Decimal,
}

/// A number that LUKS2 writes as a string, because JSON's reach only to 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal(pub(crate) u64);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let number = text
            .parse()
            .ok()
            .filter(|number: &u64| number.to_string() == text);
        number
            .map(Self)
            .ok_or_else(|| D::Error::custom("a string is not a decimal number"))
    }
}

/// Bytes that LUKS2 writes in base64 (RFC 4648, section 4).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Base64(pub(crate) Vec<u8>);

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD
            .decode(text)
            .map(Self)
            .map_err(|_| D::Error::custom("a string is not base64"))
    }
}
