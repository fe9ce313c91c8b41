//! A contract as one tree, for those who look into it: sections opened where the key is there, archives unpacked, and
//! nothing shown that may be secret.
//!
//! Nothing here judges a contract: what cannot be opened, parsed or unpacked stays one hidden value.

use std::fmt;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::finding::{Finding, Place};
use crate::messages::SCHEMA_PARSE_CONTRACT;
use crate::opening::{self, Keys};
use crate::public::{HIDDEN, is_public, shown_key};
use crate::user_data::{KEYS, Part, Places, Text, UserData};
use crate::workload::archive::{self, Way};
use crate::yaml::{self, Document};

mod changes;

pub use changes::Change;

/// What a contract holds. It wipes itself, and prints its keys only.
pub struct Contents {
    tree: Value,
    parts: Vec<Described>,
}

/// How a part of a contract is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Its key at the top of the contract.
    pub name: &'static str,
    /// Whether only the holder of a private key can read it.
    pub sealed: bool,
    /// Whether it is open here: in the clear, or sealed for the key that was given.
    pub open: bool,
    /// How it is written, in words.
    pub form: &'static str,
}

impl Contents {
    /// Looks into a contract; `name` is what findings call the file.
    ///
    /// # Errors
    /// What is wrong with its envelope.
    pub fn read(bytes: &[u8], name: &str, keys: Keys<'_>) -> Result<Self, Vec<Finding>> {
        let read = UserData::parse(bytes, name)?;
        let mut contents = Self {
            tree: json!({}),
            parts: Vec::new(),
        };
        if !read.unknown_keys().is_empty() {
            contents.unknown(bytes, name);
        }
        let UserData {
            workload,
            env,
            auditor,
            signature,
            places,
            ..
        } = read;
        let Places {
            workload: of_workload,
            env: of_env,
            auditor: of_auditor,
            ..
        } = &places;
        contents.part("workload", workload, keys, of_workload);
        contents.part("env", env, keys, of_env);
        if let Some(auditor) = auditor {
            contents.text("attestationPublicKey", &auditor, keys, of_auditor, "text");
        }
        if let Some(signature) = signature {
            contents.put("envWorkloadSignature", json!(signature));
        }
        Ok(contents)
    }

    /// How each part is written.
    pub fn parts(&self) -> &[Described] {
        &self.parts
    }

    /// Whether it carries a signature, good or not.
    pub fn is_signed(&self) -> bool {
        self.tree.get("envWorkloadSignature").is_some()
    }

    /// The whole tree with what may be secret replaced.
    pub fn redacted(&self) -> Value {
        redact(&self.tree, &mut Vec::new())
    }

    /// The same as YAML.
    pub fn redacted_yaml(&self) -> Result<String, crate::error::ContractError> {
        yaml::write(&self.redacted())
    }

    /// Keys that are none of a contract's: whoever compares two wants to see them.
    fn unknown(&mut self, bytes: &[u8], name: &str) {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let document = Document::parse(text, name, SCHEMA_PARSE_CONTRACT);
        let Ok(Value::Object(keys)) = document.map(|document| document.to_json()) else {
            return;
        };
        for (key, mut value) in keys {
            if KEYS.contains(&key.as_str()) {
                yaml::wipe(&mut value);
            } else {
                self.put(&key, value);
            }
        }
    }

    fn part(&mut self, name: &'static str, part: Part, keys: Keys<'_>, place: &Place) {
        match part {
            Part::Mapping(document) => {
                self.describe(name, false, true, "mapping");
                self.put(name, section(document.to_json()));
            }
            Part::Text(text, origin) => {
                let form = if origin.is_some() {
                    "literal block"
                } else {
                    "text"
                };
                self.text(name, &text, keys, place, form);
            }
        }
    }

    fn text(
        &mut self,
        name: &'static str,
        text: &Text,
        keys: Keys<'_>,
        place: &Place,
        form: &'static str,
    ) {
        let sealed = text.is_sealed();
        let clear = opening::clear(text, keys, place)
            .ok()
            .map(|clear| clear.text);
        self.describe(
            name,
            sealed,
            clear.is_some(),
            if sealed { text.form() } else { form },
        );
        let tree = clear.map_or_else(
            || json!(text.0.as_str()),
            |clear| match Document::parse(&clear, name, SCHEMA_PARSE_CONTRACT) {
                Ok(document) => section(document.to_json()),
                Err(_) => json!(clear.as_str()),
            },
        );
        self.put(name, tree);
    }

    fn describe(&mut self, name: &'static str, sealed: bool, open: bool, form: &'static str) {
        self.parts.push(Described {
            name,
            sealed,
            open,
            form,
        });
    }

    fn put(&mut self, name: &str, value: Value) {
        if let Value::Object(map) = &mut self.tree {
            map.insert(name.to_owned(), value);
        }
    }
}

impl Drop for Contents {
    fn drop(&mut self) {
        yaml::wipe(&mut self.tree);
    }
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents")
            .field("parts", &self.parts)
            .finish_non_exhaustive()
    }
}

/// A section with its archives unpacked.
fn section(mut section: Value) -> Value {
    for way in Way::ALL {
        if let Some(value) = section.pointer_mut(way.pointer())
            && let Some(files) = value.as_str().and_then(|text| archive::files(text).ok())
        {
            *value = files
                .iter()
                .map(|(path, content)| (path.clone(), file(path, &content.bytes)))
                .collect::<Map<_, _>>()
                .into();
        }
    }
    section
}

/// A YAML file as its tree, any other as its digest.
fn file(path: &str, content: &[u8]) -> Value {
    let is_yaml = [".yaml", ".yml"].iter().any(|end| path.ends_with(end));
    let text = std::str::from_utf8(content).ok().filter(|_| is_yaml);
    let document = text.and_then(|text| Document::parse(text, path, SCHEMA_PARSE_CONTRACT).ok());
    document.map_or_else(
        || json!({"bytes": content.len(), "sha256": hex::encode(Sha256::digest(content))}),
        |document| document.to_json(),
    )
}

fn redact<'t>(value: &'t Value, names: &mut Vec<&'t str>) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries = Map::new();
            for (key, value) in map {
                names.push(key);
                let kept = redact(value, names);
                names.pop();
                // What is hidden of two keys may be all that they differ in.
                let mut key = shown_key(key).into_owned();
                while entries.contains_key(&key) {
                    key.push('*');
                }
                entries.insert(key, kept);
            }
            Value::Object(entries)
        }
        Value::Array(items) => items.iter().map(|item| redact(item, names)).collect(),
        leaf => shown(leaf, names),
    }
}

/// A value that is neither a mapping nor a list, where it is no secret.
fn shown(leaf: &Value, names: &[&str]) -> Value {
    let is_file = matches!(names, [.., "bytes" | "sha256"]) && names.contains(&"archive");
    let text = leaf
        .as_str()
        .map_or_else(|| leaf.to_string(), str::to_owned);
    if leaf.is_null() || is_file || is_public(names, &text) {
        leaf.clone()
    } else {
        json!(HIDDEN)
    }
}

#[cfg(test)]
mod tests;
