//! The fields of an object as Go's decoder takes them, by which Kubernetes and Podman read Pods: a key counts whatever the
//! case of its letters, and one without a value (null) is left out. What is in a mapping of the author's own names (labels,
//! `data`) is none of this module's.

use std::collections::BTreeSet;

use super::super::reader::{Reader, Value};
use super::refused::Table;
use crate::yaml::{Kind, Node};

/// The keys that an object may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    /// What its reader does; an unknown key is told of these.
    done: &'static [&'static str],
    /// What its reader knows, and refuses or passes over by itself.
    other: &'static [&'static str],
    /// What cannot be done, with what to do instead.
    refused: Table,
}

impl Keys {
    /// These are done.
    pub(super) const fn of(done: &'static [&'static str]) -> Self {
        Self {
            done,
            other: &[],
            refused: &[],
        }
    }

    /// These are known, too.
    pub(super) const fn and(self, other: &'static [&'static str]) -> Self {
        Self { other, ..self }
    }

    /// These cannot be done.
    pub(super) const fn refusing(self, refused: Table) -> Self {
        Self { refused, ..self }
    }

    /// The right spelling of a key, where it is known.
    fn spelt<'k>(&self, key: &'k str) -> &'k str {
        let refused = self.refused.iter().flat_map(|(names, _)| *names);
        let mut known = self.done.iter().chain(self.other).chain(refused);
        let known = known.find(|known| known.eq_ignore_ascii_case(key));
        known.copied().unwrap_or(key)
    }

    /// Reports a key that the reader does not do.
    pub(super) fn refuse(&self, reader: &mut Reader<'_>, value: &Value<'_>, key: &str) {
        let entry = self.refused.iter().find(|(names, _)| names.contains(&key));
        match entry {
            Some((_, remedy)) => reader.unsupported(value, key, remedy),
            None => reader.unknown(value, key, &self.done.join(", ")),
        }
    }
}

/// The fields of an object by the right spelling of their keys; a warning names it where another was written.
pub(super) fn of<'n>(
    reader: &mut Reader<'_>,
    object: &Value<'n>,
    keys: &Keys,
) -> Vec<(&'n str, Value<'n>)> {
    let mut fields = with_nulls(reader, object, keys);
    fields.retain(|(_, value)| !value.is_null());
    fields
}

/// The same, with those that have no value.
pub(super) fn with_nulls<'n>(
    reader: &mut Reader<'_>,
    object: &Value<'n>,
    keys: &Keys,
) -> Vec<(&'n str, Value<'n>)> {
    let (mut fields, mut known) = (Vec::new(), BTreeSet::new());
    for (key, value) in reader.entries(object) {
        let spelt = keys.spelt(key);
        if !known.insert(spelt) {
            let cause =
                format!("it is the key `{spelt}` once more: the case of letters does not count");
            reader.refuse_key(&value, cause, "remove one of them");
            continue;
        }
        if spelt != key {
            let cause = format!("the key `{key}` is taken for `{spelt}`");
            reader.advise_key(&value, cause, format!("write `{spelt}`"));
        }
        fields.push((spelt, value));
    }
    fields
}

/// The value of a field of an object, where it has one.
pub(super) fn get<'n>(object: &'n Node, wanted: &str) -> Option<&'n Node> {
    let Kind::Mapping(entries) = &object.kind else {
        return None;
    };
    entries
        .iter()
        .find(|(key, value)| {
            key.name.eq_ignore_ascii_case(wanted) && !matches!(value.kind, Kind::Null)
        })
        .map(|(_, value)| value)
}

/// The items of a field that is a list.
pub(super) fn list<'n>(object: &'n Node, wanted: &str) -> &'n [Node] {
    match get(object, wanted).map(|list| &list.kind) {
        Some(Kind::Sequence(items)) => items,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys;

    #[test]
    fn a_key_is_spelt_as_its_own_object_has_it() {
        assert_eq!(keys::CONTAINER.spelt("LIVENESSPROBE"), "livenessProbe");
        assert_eq!(keys::CONTAINER.spelt("stdinonce"), "stdinOnce");
        assert_eq!(keys::PROBE.spelt("GRPC"), "grpc");
        assert_eq!(keys::CONTAINER.spelt("livenesProbe"), "livenesProbe");
        // A key of another object is none here.
        assert_eq!(keys::PORT.spelt("Containers"), "Containers");
    }
}
