//! Tells the errors of the schema library in our own words: the library's quote the value.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use crate::finding::{self, Finding, Place};
use crate::messages;
use crate::public::shown_key;
use crate::spelling;
use crate::yaml::Document;

/// Whether an error says something to the author: alternatives are those of mappings, and what is none is told as that; of
/// a resource of another kind, its kind is told alone.
pub(super) fn is_apt(error: &ValidationError<'_>, section: &Value) -> bool {
    if is_of_foreign_kind(error.instance_path().as_str(), section) {
        return false;
    }
    let is_choice = matches!(
        error.kind(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. }
    );
    error.instance().is_object() || !is_choice
}

/// Whether a pointer leads into a resource of another kind than there are here, and not to its kind.
fn is_of_foreign_kind(pointer: &str, section: &Value) -> bool {
    let steps: Vec<_> = pointer.splitn(5, '/').collect();
    let ["", "play", "resources" | "templates", item, below] = steps[..] else {
        return false;
    };
    let list = &section["play"][steps[2]];
    let kind = item
        .parse::<usize>()
        .ok()
        .and_then(|item| list.get(item)?.get("kind"));
    let kind = kind.and_then(Value::as_str);
    below != "kind" && kind.is_some_and(|kind| !matches!(kind, "Pod" | "ConfigMap"))
}

/// One error as one finding, or several where several keys are unknown.
pub(super) fn findings(
    error: &ValidationError<'_>,
    schema: &Value,
    document: &Document,
) -> Vec<Finding> {
    let pointer = error.instance_path().as_str();
    let rule = error.schema_path().as_str();
    let finding = |place: Place, cause: String, remedy: String| {
        Finding::new(messages::SCHEMA_VALIDATE_CONTRACT, place, cause, remedy)
    };
    let expected = format!("expected here: {}", description(schema, rule));
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let known = known_keys(schema, rule);
            let told = unexpected.iter().take(finding::MOST).map(|key| {
                let cause = format!("the key `{}` is not known here", shown_key(key));
                finding(
                    document.key_place(pointer, key),
                    cause,
                    spelling::remedy(key, &known),
                )
            });
            told.collect()
        }
        _ if is_about_a_key(rule) => {
            let place = match error.instance().as_str() {
                Some(key) => document.key_place(pointer, key),
                None => document.place(pointer),
            };
            vec![finding(
                place,
                "the key is not of the allowed form".into(),
                expected,
            )]
        }
        kind => vec![finding(
            document.place(pointer),
            cause(kind, error.instance()),
            expected,
        )],
    }
}

/// Whether what is wrong is the name of a key, and not what it leads to.
fn is_about_a_key(rule: &str) -> bool {
    let above = rule.rsplit_once('/').map_or("", |(above, _)| above);
    above.ends_with("/propertyNames")
}

const NOT_THE_FORM: &str = "the value is not of the form that is required";

fn cause(kind: &Kind, instance: &Value) -> String {
    match kind {
        Kind::Required { property } => {
            format!(
                "the key `{}` is missing",
                property.as_str().unwrap_or_default()
            )
        }
        Kind::Type { .. } => format!("{} stands where something else belongs", article(instance)),
        Kind::Enum { .. } | Kind::Constant { .. } => {
            "the value is none of those that are allowed".into()
        }
        Kind::Not { schema } if schema.get("pattern").is_some() => NOT_THE_FORM.into(),
        Kind::Not { .. } => "the key does not belong here".into(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            "none of the alternatives is given".into()
        }
        Kind::OneOfMultipleValid { .. } => "more than one of the alternatives is given".into(),
        Kind::MinLength { limit } => format!("the value is shorter than {limit} characters"),
        Kind::MaxLength { limit } => format!("the value is longer than {limit} characters"),
        Kind::MinItems { limit } => format!("there are fewer than {limit} items"),
        Kind::MaxItems { limit } => format!("there are more than {limit} items"),
        Kind::MinProperties { .. } => "the mapping is empty".into(),
        Kind::MaxProperties { limit } => format!("there are more than {limit} entries"),
        Kind::UniqueItems => "an item stands twice".into(),
        Kind::Minimum { .. } | Kind::Maximum { .. } => "the number is out of range".into(),
        Kind::Pattern { .. } => NOT_THE_FORM.into(),
        _ => "the value does not follow the schema".into(),
    }
}

/// What the schema calls the value that a rule is about: the nearest description above the rule.
fn description<'a>(schema: &'a Value, rule: &'a str) -> &'a str {
    std::iter::successors(Some(rule), |path| {
        path.rsplit_once('/').map(|(above, _)| above)
    })
    .skip(1)
    .find_map(|path| schema.pointer(path)?.get("description")?.as_str())
    .unwrap_or("what the contract reference says")
}

fn known_keys<'a>(schema: &'a Value, rule: &str) -> Vec<&'a str> {
    let above = rule.rsplit_once('/').map_or("", |(above, _)| above);
    let properties = schema
        .pointer(above)
        .and_then(|owner| owner.get("properties")?.as_object());
    properties
        .into_iter()
        .flat_map(serde_json::Map::keys)
        .map(String::as_str)
        .collect()
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
