//! The environment of a container (`envFrom`, then `env` over it), and `$(NAME)` in its texts.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::super::reader::{Reader, Value};
use super::super::room::{CAUSE, LONGEST, Room};
use super::super::{values, wiped};
use super::config_map::{ConfigMap, ConfigMaps};
use super::names::Metadata;
use super::{fields, keys};
use crate::secret::{ExposeSecret as _, SecretString};
use crate::yaml::Node;

/// The variables of a container.
pub(super) type Environment = BTreeMap<String, SecretString>;

const FILE: &str = "put it into a file: mount a ConfigMap, or bring it in the archive";

/// Reads both.
pub(super) fn read(
    reader: &mut Reader<'_>,
    from: Option<&Value<'_>>,
    own: Option<&Value<'_>>,
    config_maps: &ConfigMaps,
    metadata: &Metadata,
    room: &mut Room<'_>,
) -> Environment {
    let mut environment = Environment::new();
    for item in from.map(|from| reader.items(from)).unwrap_or_default() {
        whole_map(reader, &item, config_maps, &mut environment, room);
    }
    for item in own.map(|own| reader.items(own)).unwrap_or_default() {
        if room.is_full() {
            break;
        }
        variable(reader, &item, config_maps, metadata, &mut environment, room);
    }
    environment
}

/// An item of `envFrom`.
fn whole_map(
    reader: &mut Reader<'_>,
    item: &Value<'_>,
    config_maps: &ConfigMaps,
    environment: &mut Environment,
    room: &mut Room<'_>,
) {
    let (mut prefix, mut map) = (Zeroizing::new(String::new()), None);
    for (key, field) in fields::of(reader, item, &keys::ENV_FROM) {
        match key {
            "prefix" => prefix = reader.text(&field).unwrap_or_default(),
            "configMapRef" => {
                map = reference(reader, &field, config_maps, false).map(|found| found.map);
            }
            "secretRef" => no_secret(reader, &field),
            _ => keys::ENV_FROM.refuse(reader, &field, key),
        }
    }
    let texts = map.flatten().into_iter().flatten();
    for (key, value) in texts.filter(|(_, value)| !value.is_binary) {
        if room.is_full() {
            break;
        }
        let name = format!("{}{key}", prefix.as_str());
        if let Err(cause) = values::is_variable_name(&name) {
            reader.refuse(item, cause, values::VARIABLE_NAME);
            continue;
        }
        let text = text_of(&value.bytes).and_then(|text| room.variable(&name, text).map(|()| text));
        if let Some(text) = reader.accept(item, text, FILE) {
            environment.insert(name, SecretString::from(text));
        }
    }
}

/// An item of `env`.
fn variable(
    reader: &mut Reader<'_>,
    item: &Value<'_>,
    config_maps: &ConfigMaps,
    metadata: &Metadata,
    environment: &mut Environment,
    room: &mut Room<'_>,
) {
    let (mut name, mut text, mut is_given, mut at) = (None, None, false, item.clone());
    // Kubernetes takes an empty value for none beside a source.
    let said = fields::get(item.node, "value").and_then(Node::text);
    if said.is_some_and(|said| !said.is_empty()) && fields::get(item.node, "valueFrom").is_some() {
        let cause = "`value` and `valueFrom` stand beside each other";
        reader.refuse(item, cause, "remove one of the two");
        return;
    }
    for (key, field) in fields::of(reader, item, &keys::VARIABLE) {
        match key {
            "name" => {
                name = reader.parsed(&field, variable_name, values::VARIABLE_NAME);
            }
            "value" => {
                is_given = true;
                text = reader.text(&field);
                text =
                    text.and_then(|text| reader.accept(&field, expanded(&text, environment), FILE));
                at = field;
            }
            "valueFrom" => {
                is_given = true;
                text = taken(reader, &field, config_maps, metadata);
            }
            _ => keys::VARIABLE.refuse(reader, &field, key),
        }
    }
    let Some(name) = name else {
        if fields::get(item.node, "name").is_none() {
            reader.refuse(item, "the name is missing", "write `name`");
        }
        return;
    };
    // Kubernetes takes a missing value for an empty one.
    let text = text.or_else(|| (!is_given).then(Zeroizing::default));
    if let Some(text) = text
        && reader
            .accept(&at, room.variable(&name, &text), FILE)
            .is_some()
    {
        environment.insert(name, SecretString::from(text.as_str()));
    }
}

fn variable_name(text: &str) -> Result<String, &'static str> {
    values::is_variable_name(text).map(|()| text.to_owned())
}

/// `valueFrom`.
fn taken(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    config_maps: &ConfigMaps,
    metadata: &Metadata,
) -> Option<Zeroizing<String>> {
    let mut taken = None;
    let sources = fields::of(reader, value, &keys::VALUE_FROM);
    if sources.len() > 1 {
        let cause = "there is more than one source";
        reader.refuse(value, cause, "name one of them");
        return None;
    }
    for (key, field) in sources {
        match key {
            "configMapKeyRef" => {
                let found = reference(reader, &field, config_maps, true)?;
                let value = found.map.and_then(|map| map.get(&found.key));
                let Some(value) = value.filter(|value| !value.is_binary) else {
                    if found.is_partial {
                        reader.not_known();
                    } else if found.map.is_some() && !found.is_optional {
                        let cause = "the ConfigMap has no such key under `data`";
                        reader.refuse(&field, cause, "name a key of it, or write `optional: true`");
                    }
                    return None;
                };
                let text = reader.accept(&field, text_of(&value.bytes), FILE)?;
                taken = Some(Zeroizing::new(text.to_owned()));
            }
            "fieldRef" => taken = Some(Zeroizing::new(field_of(reader, &field, metadata)?)),
            "secretKeyRef" => no_secret(reader, &field),
            "resourceFieldRef" | "fileKeyRef" => {
                let cause = format!("`{key}` is not supported");
                reader.refuse_key(
                    &field,
                    cause,
                    "write the value out, or take it from a ConfigMap",
                );
            }
            _ => keys::VALUE_FROM.refuse(reader, &field, key),
        }
    }
    if taken.is_none() && value.is_empty() {
        reader.refuse(
            value,
            "there is no source",
            "write `configMapKeyRef` or `fieldRef`",
        );
    }
    taken
}

fn no_secret(reader: &mut Reader<'_>, value: &Value<'_>) {
    reader.refuse_key(
        value,
        "Secrets are not supported: the contract itself is the secret",
        "put the value into `env` of a section and take it from the ConfigMap contract.config.map",
    );
}

struct Found<'c> {
    /// None where it is optional and not there.
    map: Option<&'c ConfigMap>,
    /// It, or its key, may be there and not be known here.
    is_partial: bool,
    key: String,
    is_optional: bool,
}

/// A reference to a ConfigMap, or to a key of one.
fn reference<'c>(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    config_maps: &'c ConfigMaps,
    has_key: bool,
) -> Option<Found<'c>> {
    let (mut name, mut named, mut is_optional) = (None, None, false);
    let keys = if has_key {
        keys::CONFIG_MAP_KEY
    } else {
        keys::WHOLE_CONFIG_MAP
    };
    for (key, field) in fields::of(reader, value, &keys) {
        match key {
            "name" => name = Some(reader.text(&field)?),
            "key" if has_key => named = Some(reader.text(&field)?.to_string()),
            "optional" => is_optional = reader.flag(&field)?,
            _ => keys.refuse(reader, &field, key),
        }
    }
    if name.is_none() || (has_key && named.is_none()) {
        reader.refuse(value, "the name or the key is missing", "write it");
        return None;
    }
    let name = name.as_deref()?;
    let (map, is_partial) = (config_maps.get(name), config_maps.may_have(name));
    if map.is_none() && is_partial {
        reader.not_known();
        return None;
    }
    if map.is_none() && !is_optional {
        let cause = "there is no such ConfigMap";
        let remedy = "write it into `play`, take contract.config.map, or write `optional: true`";
        reader.refuse(value, cause, remedy);
        return None;
    }
    Some(Found {
        map,
        is_partial,
        key: named.unwrap_or_default(),
        is_optional,
    })
}

fn text_of(bytes: &[u8]) -> Result<&str, &'static str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err("a value of the ConfigMap is no text"),
    }
}

/// `fieldRef`: what is known of the Pod before it runs.
fn field_of(reader: &mut Reader<'_>, value: &Value<'_>, metadata: &Metadata) -> Option<String> {
    let mut path = None;
    for (key, field) in fields::of(reader, value, &keys::FIELD) {
        match key {
            "fieldPath" => path = Some((reader.text(&field)?, field)),
            "apiVersion" if field.node.text() == Some("v1") => {}
            _ => keys::FIELD.refuse(reader, &field, key),
        }
    }
    let Some((path, at)) = path else {
        reader.refuse(value, "the path is missing", "write `fieldPath`");
        return None;
    };
    let entry = |map: &BTreeMap<String, String>, rest: &str| {
        let key = rest.strip_prefix("['")?.strip_suffix("']")?;
        Some(map.get(key).cloned().unwrap_or_default())
    };
    let found = match path.as_str() {
        "metadata.name" => Some(metadata.name.clone()),
        "metadata.namespace" => Some(metadata.namespace.clone()),
        other => match (
            other.strip_prefix("metadata.labels"),
            other.strip_prefix("metadata.annotations"),
        ) {
            (Some(rest), _) => entry(&metadata.labels, rest),
            (_, Some(rest)) => entry(&metadata.annotations, rest),
            _ => None,
        },
    };
    if found.is_none() {
        reader.refuse(
            &at,
            "this field of the Pod is not known here",
            "take metadata.name, metadata.namespace, metadata.labels['KEY'] or metadata.annotations['KEY']",
        );
    }
    found
}

/// A text with every `$(NAME)` of a variable that is known replaced; `$$` is a dollar sign that begins none.
pub(super) fn expanded(
    text: &str,
    environment: &Environment,
) -> Result<Zeroizing<String>, &'static str> {
    let mut output = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        wiped::push(&mut output, &rest[..at]);
        let after = &rest[at + 1..];
        let name = after
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(')'));
        let known = name.and_then(|(name, after)| Some((environment.get(name)?, after)));
        rest = match (after.strip_prefix('$'), known) {
            (Some(after), _) => {
                wiped::push(&mut output, "$");
                after
            }
            (None, Some((value, after))) => {
                wiped::push(&mut output, value.expose_secret());
                after
            }
            (None, None) => {
                wiped::push(&mut output, "$");
                after
            }
        };
        if output.len() > LONGEST {
            break;
        }
    }
    wiped::push(&mut output, rest);
    if output.len() > LONGEST {
        return Err(CAUSE);
    }
    Ok(output)
}
