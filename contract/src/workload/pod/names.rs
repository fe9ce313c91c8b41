//! Names of Kubernetes objects, and what `metadata` says.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::super::reader::{Reader, Value};
use super::{fields, keys};

/// What `metadata` says.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
}

/// Reads `metadata` of an object; none where its name cannot be told.
pub(super) fn metadata(
    reader: &mut Reader<'_>,
    object: &Value<'_>,
    value: Option<&Value<'_>>,
) -> Option<Metadata> {
    let mut metadata = Metadata {
        namespace: "default".into(),
        ..Metadata::default()
    };
    let mut name = None;
    for (key, field) in value
        .map(|value| fields::of(reader, value, &keys::METADATA))
        .unwrap_or_default()
    {
        match key {
            "name" => name = reader.parsed(&field, subdomain, NAME),
            "namespace" => {
                if let Some(namespace) = reader.parsed(&field, label, NAME) {
                    metadata.namespace = namespace;
                }
            }
            "labels" => metadata.labels = texts(reader, &field),
            "annotations" => metadata.annotations = annotations(reader, &field),
            // What an API server has written down: nothing of it asks for anything.
            "creationTimestamp" | "generateName" | "resourceVersion" | "selfLink" | "uid" => {
                reader.text(&field);
            }
            "generation" => {
                reader.whole::<i64>(&field, 0..=i64::MAX);
            }
            "managedFields" | "ownerReferences" => {
                reader.items(&field);
            }
            _ => keys::METADATA.refuse(reader, &field, key),
        }
    }
    let Some(name) = name else {
        let at = value.unwrap_or(object);
        if fields::get(at.node, "name").is_none() {
            reader.refuse(at, "the name is missing", "write `metadata.name`");
        }
        return None;
    };
    metadata.name = name;
    Some(metadata)
}

fn texts(reader: &mut Reader<'_>, value: &Value<'_>) -> BTreeMap<String, String> {
    let entries = reader.entries(value);
    entries
        .into_iter()
        .filter_map(|(key, field)| Some((key.to_owned(), entry(reader, &field)?.to_string())))
        .collect()
}

/// A text in a mapping of names that are the author's own: one without a value is empty (Go).
pub(super) fn entry(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Zeroizing<String>> {
    if value.is_null() {
        return Some(Zeroizing::default());
    }
    reader.text(value)
}

/// Annotations describe, but for those by which other engines are told what to do.
fn annotations(reader: &mut Reader<'_>, value: &Value<'_>) -> BTreeMap<String, String> {
    for (key, field) in reader.entries(value) {
        let is_order = [
            "io.podman.",
            "io.kubernetes.cri-o.",
            "container.apparmor.",
            "container.seccomp.",
        ]
        .iter()
        .any(|prefix| key.starts_with(prefix));
        if is_order {
            reader.refuse_key(
                &field,
                "this annotation tells another engine what to do",
                "say it by the fields of the Pod, or remove it",
            );
        }
    }
    texts(reader, value)
}

pub(super) const NAME: &str =
    "use lowercase letters, digits and `-`, with a letter or digit at both ends";

/// A DNS label (RFC 1123).
pub(super) fn label(text: &str) -> Result<String, &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let is_label = (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| is_plain(*byte) || *byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if is_label {
        Ok(text.to_owned())
    } else {
        Err("this is no name that an object may have")
    }
}

/// Labels with dots between them (RFC 1123).
pub(super) fn subdomain(text: &str) -> Result<String, &'static str> {
    if text.len() > 253 {
        return Err("this is no name that an object may have");
    }
    for part in text.split('.') {
        label(part)?;
    }
    Ok(text.to_owned())
}
