//! Values as MessagePack, in the form that the plugin protocol gives them: nil is null, an extension is a value that is
//! not known yet, and a value of open type is a pair of its type (JSON in a binary string) and itself.
//!
//! The bytes come from outside: depth is bounded, and no more room is taken than there are bytes.

use rmp::Marker;
use rmp::encode as write;
use zeroize::Zeroizing;

use super::kind::Kind;
use super::{MAX_DEPTH, Number, Object, Value};

/// The extension of a value of which something is known before it is.
const REFINED: i8 = 12;

/// Why bytes are no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("it ends in the middle of a value")]
    Short,
    #[error("something follows its end")]
    Long,
    #[error("it nests deeper than 64 levels")]
    Deep,
    #[error("a text in it is not UTF-8")]
    Text,
    #[error("a key in it is not text, or stands twice")]
    Key,
    #[error("a type in it is none")]
    Kind,
    #[error("it holds a byte that begins no value")]
    Marker,
}

/// Reads one value that takes all of the bytes.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, Malformed> {
    let mut reader = Reader(bytes);
    let value = reader.value(0)?;
    if reader.0.is_empty() {
        Ok(value)
    } else {
        Err(Malformed::Long)
    }
}

/// Writes a value.
pub(crate) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(value, &mut bytes);
    bytes
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A length in so many bytes.
    fn length(&mut self, bytes: usize) -> Result<usize, Malformed> {
        let taken = self.take(bytes)?;
        Ok(taken
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn marker(&mut self) -> Result<Marker, Malformed> {
        let [byte] = self.array()?;
        Ok(Marker::from_u8(byte))
    }

    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        if depth > MAX_DEPTH {
            return Err(Malformed::Deep);
        }
        let marker = self.marker()?;
        Ok(match marker {
            Marker::Null => Value::Null,
            Marker::True => Value::Bool(true),
            Marker::False => Value::Bool(false),
            Marker::FixPos(number) => Value::whole(number.into()),
            Marker::FixNeg(number) => Value::whole(number.into()),
            Marker::U8 => Value::whole(u8::from_be_bytes(self.array()?).into()),
            Marker::U16 => Value::whole(u16::from_be_bytes(self.array()?).into()),
            Marker::U32 => Value::whole(u32::from_be_bytes(self.array()?).into()),
            Marker::U64 => {
                let number = u64::from_be_bytes(self.array()?);
                i64::try_from(number).map_or_else(
                    |_| Value::Number(Number::Decimal(number.to_string())),
                    Value::whole,
                )
            }
            Marker::I8 => Value::whole(i8::from_be_bytes(self.array()?).into()),
            Marker::I16 => Value::whole(i16::from_be_bytes(self.array()?).into()),
            Marker::I32 => Value::whole(i32::from_be_bytes(self.array()?).into()),
            Marker::I64 => Value::whole(i64::from_be_bytes(self.array()?)),
            Marker::F32 => Value::Number(Number::Float(f32::from_be_bytes(self.array()?).into())),
            Marker::F64 => Value::Number(Number::Float(f64::from_be_bytes(self.array()?))),
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let text = self.text(marker)?;
                Value::Text(Zeroizing::new(text.to_owned()))
            }
            Marker::FixArray(count) => self.list(count.into(), depth)?,
            Marker::Array16 => {
                let count = self.length(2)?;
                self.list(count, depth)?
            }
            Marker::Array32 => {
                let count = self.length(4)?;
                self.list(count, depth)?
            }
            Marker::FixMap(count) => self.map(count.into(), depth)?,
            Marker::Map16 => {
                let count = self.length(2)?;
                self.map(count, depth)?
            }
            Marker::Map32 => {
                let count = self.length(4)?;
                self.map(count, depth)?
            }
            Marker::FixExt1 => self.extension(1)?,
            Marker::FixExt2 => self.extension(2)?,
            Marker::FixExt4 => self.extension(4)?,
            Marker::FixExt8 => self.extension(8)?,
            Marker::FixExt16 => self.extension(16)?,
            Marker::Ext8 => {
                let length = self.length(1)?;
                self.extension(length)?
            }
            Marker::Ext16 => {
                let length = self.length(2)?;
                self.extension(length)?
            }
            Marker::Ext32 => {
                let length = self.length(4)?;
                self.extension(length)?
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 | Marker::Reserved => {
                return Err(Malformed::Marker);
            }
        })
    }

    fn text(&mut self, marker: Marker) -> Result<&'a str, Malformed> {
        let length = match marker {
            Marker::FixStr(length) => length.into(),
            Marker::Str8 => self.length(1)?,
            Marker::Str16 => self.length(2)?,
            Marker::Str32 => self.length(4)?,
            _ => return Err(Malformed::Key),
        };
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed::Text)
    }

    /// A list, or a pair of a type and a value: binary strings stand nowhere else.
    fn list(&mut self, count: usize, depth: usize) -> Result<Value, Malformed> {
        if count == 2 {
            let width = match self.0.first().map(|byte| Marker::from_u8(*byte)) {
                Some(Marker::Bin8) => Some(1),
                Some(Marker::Bin16) => Some(2),
                Some(Marker::Bin32) => Some(4),
                _ => None,
            };
            if let Some(width) = width {
                self.marker()?;
                let length = self.length(width)?;
                let json = serde_json::from_slice(self.take(length)?);
                let kind = json.ok().and_then(|json| Kind::from_json(&json));
                let value = self.value(depth + 1)?;
                return Ok(Value::Dynamic(kind.ok_or(Malformed::Kind)?, value.into()));
            }
        }
        // Each item takes a byte at least.
        let mut items = Vec::with_capacity(count.min(self.0.len()).min(1024));
        for _ in 0..count {
            items.push(self.value(depth + 1)?);
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, count: usize, depth: usize) -> Result<Value, Malformed> {
        let mut entries = Object::new();
        for _ in 0..count {
            let marker = self.marker()?;
            let key = self.text(marker)?.to_owned();
            let value = self.value(depth + 1)?;
            if entries.insert(key, value).is_some() {
                return Err(Malformed::Key);
            }
        }
        Ok(Value::Map(entries))
    }

    fn extension(&mut self, length: usize) -> Result<Value, Malformed> {
        let kind = i8::from_be_bytes(self.array()?);
        let known = self.take(length)?;
        Ok(if kind == REFINED {
            Value::Unknown(known.into())
        } else {
            Value::unknown()
        })
    }
}

/// Writing to a `Vec` cannot fail: the library's results are those of writers that can.
fn put(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Null => {
            let _ = write::write_nil(bytes);
        }
        Value::Unknown(known) if known.is_empty() => bytes.extend([0xd4, 0, 0]),
        Value::Unknown(known) => {
            let _ = write::write_ext_meta(bytes, length(known.len()), REFINED);
            bytes.extend_from_slice(known);
        }
        Value::Bool(value) => {
            let _ = write::write_bool(bytes, *value);
        }
        Value::Number(Number::Whole(number)) => {
            let _ = write::write_sint(bytes, *number);
        }
        Value::Number(Number::Float(number)) => {
            let _ = write::write_f64(bytes, *number);
        }
        Value::Number(Number::Decimal(text)) => {
            let _ = write::write_str(bytes, text);
        }
        Value::Text(text) => {
            let _ = write::write_str(bytes, text);
        }
        Value::List(items) => {
            let _ = write::write_array_len(bytes, length(items.len()));
            for item in items {
                put(item, bytes);
            }
        }
        Value::Map(entries) => {
            let _ = write::write_map_len(bytes, length(entries.len()));
            for (key, entry) in entries {
                let _ = write::write_str(bytes, key);
                put(entry, bytes);
            }
        }
        Value::Dynamic(kind, value) => {
            let _ = write::write_array_len(bytes, 2);
            let _ = write::write_bin(bytes, kind.to_json().to_string().as_bytes());
            put(value, bytes);
        }
    }
}

/// Messages are far smaller than what 32 bits can count.
fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
