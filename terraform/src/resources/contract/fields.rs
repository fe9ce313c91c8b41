//! The sections of a contract as typed attributes, derived from the one schema that the guest has
//! (`contract/schema/contract.json`): whatever a contract may say there, a configuration may say here.
//!
//! Names are those of contracts in Terraform's spelling (`logRouter` is `log_router`). Nothing is required here: what is
//! missing is told by the same review that tells the rest. A value is sensitive unless the core lists it as public.

use std::sync::LazyLock;

use hpcr_contract::product::Product;
use hpcr_contract::public;
use hpcr_contract::schema::{self, Section};
use serde_json::{Map, Value as Json};

use crate::schema::{Attribute, Form, Nesting};
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value, json};

/// One key of a section.
#[derive(Debug, Clone)]
pub(super) struct Field {
    key: String,
    name: String,
    shape: Shape,
    description: String,
    is_public: bool,
}

/// What stands behind a key.
#[derive(Debug, Clone)]
enum Shape {
    Value(Kind),
    One(Vec<Field>),
    List(Vec<Field>),
    Map(Vec<Field>),
}

/// The fields of a section, of all products together: the review tells what one of them does not know.
pub(super) fn of(section: Section) -> &'static [Field] {
    static WORKLOAD: LazyLock<Vec<Field>> = LazyLock::new(|| derived(Section::Workload));
    static ENV: LazyLock<Vec<Field>> = LazyLock::new(|| derived(Section::Env));
    match section {
        Section::Workload => &WORKLOAD,
        Section::Env => &ENV,
    }
}

fn derived(section: Section) -> Vec<Field> {
    let products = [Product::Ccrt, Product::Ccco];
    let fields = products.map(|product| {
        let root: Json =
            serde_json::from_str(&schema::text(product, Some(section))).unwrap_or_default();
        let names = [section.name().to_owned()];
        match shape(&root, &root, &names) {
            Some(Shape::One(fields)) => fields,
            _ => Vec::new(),
        }
    });
    let [fields, others] = fields;
    merged(fields, others)
}

/// Both, each key once.
fn merged(mut fields: Vec<Field>, others: Vec<Field>) -> Vec<Field> {
    for other in others {
        let Some(index) = fields.iter().position(|field| field.key == other.key) else {
            fields.push(other);
            continue;
        };
        let field = fields.swap_remove(index);
        let shape = match (field.shape, other.shape) {
            (Shape::One(one), Shape::One(other)) => Shape::One(merged(one, other)),
            (Shape::Map(one), Shape::Map(other)) => Shape::Map(merged(one, other)),
            (shape, _) => shape,
        };
        fields.push(Field { shape, ..field });
    }
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    fields
}

/// A part of the schema with what it refers to put in.
fn resolved(root: &Json, part: &Json) -> Map<String, Json> {
    let mut own = part.as_object().cloned().unwrap_or_default();
    let Some(Json::String(reference)) = own.remove("$ref") else {
        return own;
    };
    let target = reference
        .strip_prefix('#')
        .and_then(|pointer| root.pointer(pointer));
    let mut whole = target
        .map(|target| resolved(root, target))
        .unwrap_or_default();
    for (key, value) in own {
        match (whole.get_mut(&key), value) {
            (Some(Json::Object(there)), Json::Object(more)) if key == "properties" => {
                there.extend(more);
            }
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
    whole
}

/// The shape of a part; none where a configuration has no say. `names` are the keys that lead to it.
fn shape(root: &Json, part: &Json, names: &[String]) -> Option<Shape> {
    let part = resolved(root, part);
    if part.contains_key("const") || part.contains_key("deprecated") {
        return None;
    }
    let within = |name: &str, part| shape(root, part, &[names, &[name.to_owned()]].concat());
    let value = |kind| Some(Shape::Value(kind));
    match part.get("type").and_then(Json::as_str) {
        None if part.contains_key("enum") => value(Kind::Text),
        Some("string") => value(Kind::Text),
        Some("integer" | "number") => value(Kind::Number),
        Some("boolean") => value(Kind::Bool),
        Some("array") => {
            let items = part.get("items")?;
            let is_closed =
                resolved(root, items).get("additionalProperties") == Some(&false.into());
            match within("*", items)? {
                Shape::Value(kind) if kind != Kind::Dynamic => value(Kind::list(kind)),
                Shape::One(fields) if is_closed => Some(Shape::List(fields)),
                _ => value(Kind::Dynamic),
            }
        }
        Some("object") => {
            if let Some(Json::Object(properties)) = part.get("properties") {
                let fields = properties.iter();
                let fields = fields.filter_map(|(key, part)| {
                    Some(field(root, key, part, names, within(key, part)?))
                });
                return Some(Shape::One(fields.collect()));
            }
            match part.get("additionalProperties") {
                Some(entry @ Json::Object(_)) => match within("*", entry)? {
                    Shape::Value(kind) if kind != Kind::Dynamic => value(Kind::map(kind)),
                    Shape::One(fields) => Some(Shape::Map(fields)),
                    _ => value(Kind::Dynamic),
                },
                _ => value(Kind::Dynamic),
            }
        }
        _ => value(Kind::Dynamic),
    }
}

fn field(root: &Json, key: &str, part: &Json, names: &[String], shape: Shape) -> Field {
    let part = resolved(root, part);
    let text = |name| part.get(name).and_then(Json::as_str).unwrap_or_default();
    let description = match (text("title"), text("description")) {
        ("", description) => description.to_owned(),
        (title, description) => format!("{title}: {description}"),
    };
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.push(key);
    Field {
        key: key.to_owned(),
        name: spelt(key),
        // A number is all that some keys need to be known for harmless.
        is_public: public::is_public(&names, "0"),
        shape,
        description,
    }
}

/// A key in Terraform's spelling: small letters, digits and underscores.
fn spelt(key: &str) -> String {
    let mut name = String::new();
    let mut was_small = false;
    for letter in key.chars() {
        if letter.is_ascii_uppercase() && was_small {
            name.push('_');
        }
        was_small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        name.push(if letter == '-' {
            '_'
        } else {
            letter.to_ascii_lowercase()
        });
    }
    name
}

/// The fields as attributes.
pub(super) fn attributes(fields: &[Field]) -> Vec<Attribute> {
    let attribute = |field: &Field| {
        let (form, is_leaf) = match &field.shape {
            Shape::Value(kind) => (Form::Value(kind.clone()), true),
            Shape::One(fields) => (Form::Nested(Nesting::Single, attributes(fields)), false),
            Shape::List(fields) => (Form::Nested(Nesting::List, attributes(fields)), false),
            Shape::Map(fields) => (Form::Nested(Nesting::Map, attributes(fields)), false),
        };
        let mut attribute = Attribute::optional(&field.name, Kind::Text, &field.description);
        attribute.form = form;
        attribute.sensitive = is_leaf && !field.is_public;
        attribute
    };
    fields.iter().map(attribute).collect()
}

/// What a configuration says, in a contract's words. What is null is not said.
pub(super) fn to_json(fields: &[Field], said: &Object) -> Map<String, Json> {
    let entry = |field: &Field| {
        let value = said.get(&field.name)?.plain();
        let inner = |fields, value: &Value| match value {
            Value::Map(said) => Json::Object(to_json(fields, said)),
            _ => Json::Null,
        };
        let json = match (&field.shape, value) {
            (_, Value::Null) => return None,
            (Shape::One(fields), value) => inner(fields, value),
            (Shape::List(fields), Value::List(items)) => {
                items.iter().map(|item| inner(fields, item)).collect()
            }
            (Shape::Map(fields), Value::Map(entries)) => {
                let entries = entries.iter();
                let entries = entries.map(|(key, entry)| (key.clone(), inner(fields, entry)));
                Json::Object(entries.collect())
            }
            (_, value) => json::encode(value),
        };
        Some((field.key.clone(), json))
    };
    fields.iter().filter_map(entry).collect()
}

/// The attribute that a key path of a contract (`volumes.data.seed`) means, as far as there is one.
pub(super) fn path(fields: &[Field], said: &Value, place: &str, path: Path) -> Path {
    let begins = |key: &str| {
        let rest = place.strip_prefix(key)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
    };
    let found = fields
        .iter()
        .filter_map(|field| Some((field, begins(&field.key)?)));
    let Some((field, rest)) = found.max_by_key(|(field, _)| field.key.len()) else {
        return path;
    };
    let path = path.attribute(&field.name);
    let nothing = Value::Null;
    let value = said
        .as_map()
        .and_then(|said| said.get(&field.name))
        .unwrap_or(&nothing);
    let below = rest.strip_prefix('.').unwrap_or_default();
    match &field.shape {
        Shape::One(fields) => self::path(fields, value, below, path),
        Shape::Map(fields) => match entry(value, below) {
            Some((key, value, rest)) => self::path(fields, value, rest, path.key(key)),
            None => path,
        },
        Shape::List(fields) => match item(value, rest) {
            Some((index, value, rest)) => self::path(fields, value, rest, path.index(index)),
            None => path,
        },
        Shape::Value(_) => inside(value, rest, path),
    }
}

/// The way on into a value that has no fields.
fn inside(value: &Value, rest: &str, path: Path) -> Path {
    if let Some((index, value, rest)) = item(value, rest) {
        return inside(value, rest, path.index(index));
    }
    match entry(value, rest.trim_start_matches('.')) {
        Some((key, value, rest)) => inside(value, rest, path.key(key)),
        None => path,
    }
}

/// A text with keys of a contract in it, in Terraform's spelling.
pub(super) fn spoken(fields: &[Field], text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    let words = text.split_inclusive(|letter| !is_part(letter));
    let word = |word: &str| {
        let key = word.trim_end_matches(|letter| !is_part(letter));
        let name = find(fields, key).map_or(key, |field| &field.name);
        format!("{name}{}", &word[key.len()..])
    };
    words.map(word).collect()
}

/// The field of a key, however deep it lies.
fn find<'f>(fields: &'f [Field], key: &str) -> Option<&'f Field> {
    let inner = |field: &'f Field| match &field.shape {
        Shape::One(fields) | Shape::List(fields) | Shape::Map(fields) => find(fields, key),
        Shape::Value(_) => None,
    };
    let own = fields.iter().find(|field| field.key == key);
    own.or_else(|| fields.iter().find_map(inner))
}

/// The entry of a map that a place begins with: keys may have dots of their own.
fn entry<'a>(value: &'a Value, place: &'a str) -> Option<(&'a str, &'a Value, &'a str)> {
    let entries = value.plain().as_map()?.iter();
    let found = entries.filter_map(|(key, value)| {
        let rest = place.strip_prefix(key.as_str())?;
        let ends = rest.is_empty() || rest.starts_with(['.', '[']);
        ends.then(|| (key.as_str(), value, rest.trim_start_matches('.')))
    });
    found.max_by_key(|(key, ..)| key.len())
}

/// The item of a list that a place begins with.
fn item<'a>(value: &'a Value, place: &'a str) -> Option<(usize, &'a Value, &'a str)> {
    let (index, rest) = place.strip_prefix('[')?.split_once(']')?;
    let index = index.parse().ok()?;
    Some((
        index,
        value.plain().as_list()?.get(index)?,
        rest.trim_start_matches('.'),
    ))
}

#[cfg(test)]
mod tests;
