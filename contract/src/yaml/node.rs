//! The tree that a YAML text becomes. It never prints what it holds.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::Spanned;
use zeroize::Zeroizing;

pub(super) const KEY_NOT_TEXT: &str = "a key is not text";
pub(super) const NUMBER_TOO_LARGE: &str = "a number is out of range";

/// A value with its line and column, both from 1 (0 where unknown), and its length in characters (0 where unknown).
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) position: (u32, u32),
    pub(crate) length: u32,
    /// At which byte of the text it begins, where that is known.
    begin: Option<u32>,
}

/// What a value can be.
#[derive(Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(Zeroizing<String>),
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A whole number that is not negative, also where it is written with a fraction of nought (`443.0`), as JSON has it.
pub(crate) fn whole(number: &Number) -> Option<u64> {
    let fraction = number.as_f64().filter(|number| number.fract() == 0.0);
    number
        .as_u64()
        .or_else(|| format!("{:.0}", fraction?).parse().ok())
}

/// A key of a mapping with its place.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) position: (u32, u32),
    pub(crate) length: u32,
}

impl Key {
    /// Its place and length.
    pub(crate) fn span(&self) -> ((u32, u32), u32) {
        (self.position, self.length)
    }
}

impl Node {
    /// Its place and length.
    pub(crate) fn span(&self) -> ((u32, u32), u32) {
        (self.position, self.length)
    }

    /// What its author wrote for a number, in the text that it was parsed from.
    pub(crate) fn written<'t>(&self, text: &'t str) -> Option<&'t str> {
        let begin = usize::try_from(self.begin?).ok()?;
        // A number is written in ASCII: its characters are bytes.
        text.get(begin..begin.checked_add(usize::try_from(self.length).ok()?)?)
    }

    /// The value under a key of this mapping.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Kind::Mapping(entries) = &self.kind else {
            return None;
        };
        entries
            .iter()
            .find(|(key, _)| key.name == name)
            .map(|(_, value)| value)
    }

    /// A key of this mapping.
    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        let Kind::Mapping(entries) = &self.kind else {
            return None;
        };
        entries
            .iter()
            .map(|(key, _)| key)
            .find(|key| key.name == name)
    }

    /// Takes the value under a key out of this mapping.
    pub(super) fn take(&mut self, name: &str) -> Option<Self> {
        let Kind::Mapping(entries) = &mut self.kind else {
            return None;
        };
        let index = entries.iter().position(|(key, _)| key.name == name)?;
        Some(entries.remove(index).1)
    }

    /// Whether it is a mapping or list whose entries stand on lines below its key.
    pub(super) fn is_block_below(&self, key: &Key) -> bool {
        matches!(self.kind, Kind::Mapping(_) | Kind::Sequence(_))
            && self.position.0 > key.position.0
    }

    /// The text, where this is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, in a word or two.
    pub(crate) fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "text",
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Number(number) => Value::Number(number.clone()),
            Kind::Text(text) => Value::String(text.as_str().to_owned()),
            Kind::Sequence(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Kind::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (key.name.clone(), value.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.describe())
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        let span = spanned.defined.span();
        Ok(Self {
            position: position(&spanned.defined),
            length: super::narrow(span.len()),
            begin: span.byte_offset().and_then(|begin| begin.try_into().ok()),
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E: Error>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<Kind, E> {
        Err(E::custom(NUMBER_TOO_LARGE))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Kind, E> {
        Err(E::custom(NUMBER_TOO_LARGE))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Kind, E> {
        Number::from_f64(value)
            .map(Kind::Number)
            .ok_or_else(|| E::custom(NUMBER_TOO_LARGE))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(Zeroizing::new(value.to_owned())))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(Zeroizing::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Kind::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Kind::Mapping(entries))
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        match node.text() {
            Some(name) => Ok(Self {
                name: name.to_owned(),
                position: node.position,
                length: node.length,
            }),
            None => Err(D::Error::custom(KEY_NOT_TEXT)),
        }
    }
}

fn position(location: &serde_saphyr::Location) -> (u32, u32) {
    (
        super::narrow(location.line()),
        super::narrow(location.column()),
    )
}
