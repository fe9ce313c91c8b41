//! Values as JSON: state files, and the inputs of `hpcr_json`.

use serde_json::Value as Json;

use super::kind::Kind;
use super::{Number, Object, Value};

/// Reads what a state file holds of an attribute. What is missing is null, what the type does not know is left out: a
/// state may be of another version of the provider.
pub(crate) fn decode(json: &Json, kind: &Kind) -> Value {
    match (kind, json) {
        (Kind::Dynamic, Json::Object(pair)) => {
            let kind = pair.get("type").and_then(Kind::from_json);
            match (kind, pair.get("value")) {
                (Some(kind), Some(value)) => {
                    let value = decode(value, &kind);
                    Value::Dynamic(kind, Box::new(value))
                }
                _ => Value::Null,
            }
        }
        (Kind::Text, Json::String(text)) => Value::text(text.as_str()),
        (Kind::Number, Json::Number(_)) | (Kind::Bool, Json::Bool(_)) => plain(json),
        (Kind::List(item) | Kind::Set(item), Json::Array(items)) => {
            Value::List(items.iter().map(|json| decode(json, item)).collect())
        }
        (Kind::Tuple(kinds), Json::Array(items)) => {
            let items = items.iter().zip(kinds);
            Value::List(items.map(|(json, kind)| decode(json, kind)).collect())
        }
        (Kind::Map(entry), Json::Object(entries)) => {
            let entries = entries.iter();
            let entries = entries.map(|(key, json)| (key.clone(), decode(json, entry)));
            Value::Map(entries.collect())
        }
        (Kind::Object(attributes), Json::Object(entries)) => {
            let attribute = |(name, kind): (&String, &Kind)| {
                let json = entries.get(name).unwrap_or(&Json::Null);
                (name.clone(), decode(json, kind))
            };
            Value::Map(attributes.iter().map(attribute).collect::<Object>())
        }
        _ => Value::Null,
    }
}

/// A JSON document as a value, by its own shape.
pub(crate) fn plain(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Value::Number(match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Number::Whole(whole),
            (None, Some(float)) => Number::Float(float),
            (None, None) => Number::Decimal(number.to_string()),
        }),
        Json::String(text) => Value::text(text.as_str()),
        Json::Array(items) => Value::List(items.iter().map(plain).collect()),
        Json::Object(entries) => {
            let entries = entries.iter();
            Value::Map(
                entries
                    .map(|(key, json)| (key.clone(), plain(json)))
                    .collect(),
            )
        }
    }
}

/// A value as a JSON document. What is not known yet is null.
pub(crate) fn encode(value: &Value) -> Json {
    match value {
        Value::Null | Value::Unknown(_) => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(Number::Whole(number)) => Json::from(*number),
        Value::Number(Number::Float(number)) => Json::from(*number),
        Value::Number(Number::Decimal(text)) => {
            serde_json::from_str(text).unwrap_or_else(|_| Json::from(text.as_str()))
        }
        Value::Text(text) => Json::from(text.as_str()),
        Value::List(items) => items.iter().map(encode).collect(),
        Value::Map(entries) => {
            let entries = entries.iter();
            entries
                .map(|(key, entry)| (key.clone(), encode(entry)))
                .collect()
        }
        Value::Dynamic(_, value) => encode(value),
    }
}
