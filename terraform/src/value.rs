//! Values as Terraform sends them: known, null, or not known yet.
//!
//! One file a form on the wire: MessagePack between the two processes, JSON in a state file. Nothing here knows a
//! resource. A value may be a secret: it never prints, and its text wipes itself.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

pub(crate) mod json;
pub(crate) mod kind;
pub(crate) mod msgpack;
pub(crate) mod path;

use kind::Kind;

/// The attributes of an object, or the entries of a map.
pub(crate) type Object = BTreeMap<String, Value>;

/// How deep values may nest, and types with them.
pub(crate) const MAX_DEPTH: usize = 64;

/// A value.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    /// Nothing.
    Null,
    /// Decided by `apply`. The bytes are what Terraform knows of it already, given back as they came.
    Unknown(Box<[u8]>),
    Bool(bool),
    Number(Number),
    Text(Zeroizing<String>),
    /// A list, a set or a tuple.
    List(Vec<Value>),
    /// A map or an object.
    Map(Object),
    /// A value that brings its type, where the schema leaves that open.
    Dynamic(Kind, Box<Value>),
}

/// A number in the most exact form that it was sent in.
#[derive(Clone, PartialEq)]
pub(crate) enum Number {
    Whole(i64),
    Float(f64),
    /// Decimal text of what neither of the others holds.
    Decimal(String),
}

impl Value {
    /// Decided by `apply`, and nothing known of it before.
    pub(crate) fn unknown() -> Self {
        Self::Unknown(Box::default())
    }

    /// Text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }

    /// A whole number.
    pub(crate) fn whole(number: i64) -> Self {
        Self::Number(Number::Whole(number))
    }

    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// Whether it, or anything in it, is decided by `apply`.
    pub(crate) fn has_unknown(&self) -> bool {
        match self {
            Self::Unknown(_) => true,
            Self::List(items) => items.iter().any(Self::has_unknown),
            Self::Map(entries) => entries.values().any(Self::has_unknown),
            Self::Dynamic(_, value) => value.has_unknown(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => false,
        }
    }

    /// The text, where this is some.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, where this is a whole one.
    pub(crate) fn as_whole(&self) -> Option<i64> {
        match self {
            Self::Number(Number::Whole(number)) => Some(*number),
            _ => None,
        }
    }

    /// The items of a list, a set or a tuple.
    pub(crate) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map or an object.
    pub(crate) fn as_map(&self) -> Option<&Object> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value itself, without the type that it may bring.
    pub(crate) fn plain(&self) -> &Self {
        match self {
            Self::Dynamic(_, value) => value.plain(),
            other => other,
        }
    }
}

/// What kind of value it is, and nothing of it.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Unknown(_) => f.write_str("unknown"),
            Self::Bool(_) => f.write_str("bool"),
            Self::Number(_) => f.write_str("number"),
            Self::Text(_) => f.write_str("text"),
            Self::List(items) => f.debug_list().entries(items).finish(),
            Self::Map(entries) => f.debug_map().entries(entries).finish(),
            Self::Dynamic(_, value) => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
