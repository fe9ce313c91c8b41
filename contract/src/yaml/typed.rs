//! Reads a tree as a Rust type: a serde deserialiser whose errors know their key path, line and column.
//!
//! Its errors never quote a value: serde's own texts would ("invalid type: string \"hunter2\"").

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::node::{Key, Kind, Node, whole};
use crate::public::shown_key;
use crate::spelling;

/// What is wrong, and where in the tree.
#[derive(Debug)]
pub(super) struct Error {
    cause: String,
    remedy: String,
    position: Option<(u32, u32)>,
    /// The way up, innermost first.
    way: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Error {
    fn new(cause: String, remedy: &str) -> Self {
        Self {
            cause,
            remedy: remedy.to_owned(),
            position: None,
            way: Vec::new(),
        }
    }

    /// The innermost place wins: the error meets it first on its way out.
    fn at(mut self, position: (u32, u32)) -> Self {
        self.position.get_or_insert(position);
        self
    }

    fn inside(mut self, step: Step) -> Self {
        self.way.push(step);
        self
    }

    pub(super) fn cause(&self) -> &str {
        &self.cause
    }

    pub(super) fn remedy(&self) -> &str {
        &self.remedy
    }

    pub(super) fn position(&self) -> (u32, u32) {
        self.position.unwrap_or_default()
    }

    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for step in self.way.iter().rev() {
            match step {
                Step::Key(key) => super::join_key(&mut path, key),
                Step::Index(index) => super::join_index(&mut path, *index),
            }
        }
        path
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.cause, self.remedy)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string(), "correct the value")
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match unexpected {
            Unexpected::Unit | Unexpected::Option => "nothing",
            Unexpected::Bool(_) => "true or false",
            Unexpected::Signed(_) | Unexpected::Unsigned(_) | Unexpected::Float(_) => "a number",
            Unexpected::Str(_) | Unexpected::Char(_) => "text",
            Unexpected::Seq => "a list",
            Unexpected::Map => "a mapping",
            _ => "something else",
        };
        Self::new(
            format!("{found} stands where {} is expected", plain(expected)),
            "write what is expected; quote text that looks like a number",
        )
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let cause = match unexpected {
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => "the number is out of bounds".into(),
            _ => format!("the value is not {}", plain(expected)),
        };
        Self::new(cause, "write what is expected")
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::new(
            format!("there are {length} items where {expected} is expected"),
            "write what is expected",
        )
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            "the value is none of those that are known".into(),
            &format!("choose from: {}", expected.join(", ")),
        )
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(
            format!("the key `{}` is not known here", shown_key(field)),
            &spelling::remedy(field, expected),
        )
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the key `{field}` is missing"), "add it")
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(
            format!("the key `{field}` stands twice"),
            "remove one of the two",
        )
    }
}

/// What is expected, in words of the format instead of Rust's.
fn plain(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    match expected.as_str() {
        "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64" | "usize" => "a whole number",
        "a boolean" => "true or false",
        "a string" | "string" | "str" => "text",
        "a sequence" => "a list",
        "a map" => "a mapping",
        other if other.starts_with("struct ") => "a mapping",
        other => other,
    }
    .to_owned()
}

/// A value of the tree, to be read.
pub(super) struct At<'a>(pub(super) &'a Node);

impl<'de> Deserializer<'de> for At<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Number(number) => match (whole(number), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (None, Some(value), _) => visitor.visit_i64(value),
                (None, None, Some(value)) => visitor.visit_f64(value),
                (None, None, None) => Err(Error::custom("a number is out of range")),
            },
            Kind::Text(text) => visitor.visit_str(text),
            Kind::Sequence(items) => visitor.visit_seq(Items {
                items: items.iter().enumerate(),
            }),
            Kind::Mapping(entries) => visitor.visit_map(Entries {
                entries: entries.iter(),
                current: None,
            }),
        }
        .map_err(|error| error.at(self.0.position))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.0.kind {
            Kind::Text(text) => visitor.visit_enum(Unit(text.as_str().into_deserializer())),
            Kind::Mapping(entries) => visitor.visit_enum(MapAccessDeserializer::new(Entries {
                entries: entries.iter(),
                current: None,
            })),
            _ => Err(Error::new(
                "the value is not a choice".into(),
                "write one of the known words",
            )),
        }
        .map_err(|error| error.at(self.0.position))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some((index, item)) = self.items.next() else {
            return Ok(None);
        };
        seed.deserialize(At(item))
            .map(Some)
            .map_err(|error| error.inside(Step::Index(index)))
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, (Key, Node)>,
    current: Option<&'a (Key, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        self.current = self.entries.next();
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Error> = key.name.as_str().into_deserializer();
        seed.deserialize(name)
            .map(Some)
            .map_err(|error| error.at(key.position).inside(Step::Key(key.name.clone())))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let Some((key, value)) = self.current.take() else {
            return Err(Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(At(value))
            .map_err(|error| error.inside(Step::Key(key.name.clone())))
    }
}

/// An enum variant that is written as a word.
struct Unit<'a>(StrDeserializer<'a, Error>);

impl<'de> EnumAccess<'de> for Unit<'_> {
    type Error = Error;
    type Variant = NoContent;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, NoContent), Error> {
        seed.deserialize(self.0).map(|value| (value, NoContent))
    }
}

struct NoContent;

impl<'de> VariantAccess<'de> for NoContent {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Error> {
        Err(content_missing())
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Error> {
        Err(content_missing())
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(content_missing())
    }
}

fn content_missing() -> Error {
    Error::new(
        "a word stands where a mapping is expected".into(),
        "write the mapping",
    )
}
