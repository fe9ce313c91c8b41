//! ConfigMaps, and the one that every workload has: `contract.config.map`, the merged environment of the contract.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::super::interpolation::Variables;
use super::super::reader::{Reader, Value};
use super::{fields, keys, names};
use crate::secret::ExposeSecret as _;

/// The generated one.
const GENERATED: &str = "contract.config.map";

/// A value of a ConfigMap.
pub(super) struct Item {
    pub(super) bytes: Arc<Zeroizing<Vec<u8>>>,
    /// Of `binaryData`: files alone are made of it.
    pub(super) is_binary: bool,
}

impl Item {
    fn new(bytes: Vec<u8>, is_binary: bool) -> Self {
        Self {
            bytes: Arc::new(Zeroizing::new(bytes)),
            is_binary,
        }
    }
}

/// The values of a ConfigMap.
pub(super) type ConfigMap = BTreeMap<String, Item>;

/// All ConfigMaps by name.
pub(super) struct ConfigMaps {
    maps: BTreeMap<String, ConfigMap>,
    /// The generated one may have further keys.
    is_open: bool,
    /// All that are written could be read.
    pub(super) is_known: bool,
}

impl ConfigMaps {
    /// The generated one alone.
    pub(super) fn new(variables: &Variables, is_open: bool) -> Self {
        let values = variables.iter().map(|(name, value)| {
            let bytes = value.expose_secret().as_bytes().to_vec();
            (name.clone(), Item::new(bytes, false))
        });
        Self {
            maps: [(GENERATED.to_owned(), values.collect())].into(),
            is_open,
            is_known: true,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&ConfigMap> {
        self.maps.get(name)
    }

    /// Whether a ConfigMap, or a key of it, may be there and not be known here.
    pub(super) fn may_have(&self, name: &str) -> bool {
        !self.is_known || (self.is_open && name == GENERATED)
    }

    /// Reads a ConfigMap.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, value: &Value<'_>) {
        let (mut metadata, mut map) = (None, ConfigMap::new());
        for (key, field) in fields::of(reader, value, &keys::CONFIG_MAP) {
            match key {
                "kind" | "apiVersion" => {}
                "metadata" => metadata = Some(field),
                "data" | "binaryData" => entries(reader, &field, key == "binaryData", &mut map),
                "immutable" => {
                    reader.flag(&field);
                }
                _ => keys::CONFIG_MAP.refuse(reader, &field, key),
            }
        }
        let Some(metadata) = names::metadata(reader, value, metadata.as_ref()) else {
            return;
        };
        if metadata.name == GENERATED {
            let cause = "this ConfigMap is made of the contract's environment";
            reader.refuse(value, cause, "give yours another name");
        } else if self.maps.insert(metadata.name, map).is_some() {
            let cause = "another ConfigMap has the same name";
            reader.refuse(value, cause, "give every ConfigMap a name of its own");
        }
    }
}

fn entries(reader: &mut Reader<'_>, value: &Value<'_>, is_binary: bool, map: &mut ConfigMap) {
    for (key, field) in reader.entries(value) {
        if !is_key(key) {
            let remedy = "use letters, digits, `-`, `_` and `.`";
            reader.refuse_key(&field, "a ConfigMap cannot have this key", remedy);
            continue;
        }
        let Some(text) = names::entry(reader, &field) else {
            continue;
        };
        let bytes = if is_binary {
            let packed: String = text.split_ascii_whitespace().collect();
            let decoded = STANDARD.decode(packed).map_err(|_| "this is not base64");
            reader.accept(&field, decoded, "write the output of `base64 -w0 FILE`")
        } else {
            Some(text.as_bytes().to_vec())
        };
        if let Some(bytes) = bytes
            && map
                .insert(key.to_owned(), Item::new(bytes, is_binary))
                .is_some()
        {
            reader.refuse_key(
                &field,
                "the key stands in both data and binaryData",
                "remove one",
            );
        }
    }
}

/// A key becomes the name of a file.
fn is_key(key: &str) -> bool {
    (1..=253).contains(&key.len())
        && !matches!(key, "." | "..")
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
