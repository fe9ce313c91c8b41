//! The schema as a page for people: every key with what stands there, in the words that findings use. It says nothing
//! that the schema does not say.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{SCHEMA, Scope, Section, definition};
use crate::product::Product;

/// A page in Markdown: a table of keys for each section of a product's contracts.
pub fn page(product: Product) -> String {
    let mut text = format!(
        "# Contract reference: {product}\n\n\
         Every key of a contract, as the schema has it. `hpcr-check schema --format markdown` prints this page, for other\n\
         products with `--platform`; `hpcr-check schema` prints the schema itself, for editors. What the guest of this version does\n\
         with a key is told in [contract.md](contract.md).\n",
    );
    for section in [Section::Workload, Section::Env] {
        let (name, _) = definition(section, Scope::Contract, product);
        table(&mut text, section.name(), &SCHEMA["$defs"][name]);
    }
    text
}

fn table(page: &mut String, section: &str, schema: &'static Value) {
    let told = words(schema, "description").unwrap_or_default();
    let _ = write!(
        page,
        "\n## {section}\n\n{told}.\n\n| key | | what stands there |\n| --- | --- | --- |\n"
    );
    within(page, section, schema);
}

/// The rows of what lies within a value.
fn within(page: &mut String, path: &str, schema: &'static Value) {
    let mut names = properties(schema);
    names.sort_unstable();
    names.dedup();
    for name in names {
        if let Some(value) = property(schema, name) {
            let needed = if is_required(schema, name) {
                "required"
            } else {
                ""
            };
            row(page, &format!("{path}.{name}"), needed, value);
        }
    }
    for (keyword, step) in [("additionalProperties", ".NAME"), ("items", "[]")] {
        if let Some(value) = inherited(schema, keyword).filter(|value| value.is_object()) {
            row(page, &format!("{path}{step}"), "", value);
        }
    }
}

fn row(page: &mut String, path: &str, needed: &str, schema: &'static Value) {
    let told: Vec<_> = ["title", "description"]
        .into_iter()
        .filter_map(|keyword| words(schema, keyword))
        .collect();
    let told = told.join(": ").replace('|', "\\|");
    let unless = inherited(schema, "default").map_or_else(String::new, |value| {
        format!("; {value} where it is not given")
    });
    let _ = writeln!(page, "| `{path}` | {needed} | {told}{unless} |");
    within(page, path, schema);
}

fn is_required(schema: &'static Value, name: &str) -> bool {
    let lists = |schema: &Value| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|one| one == name))
    };
    lists(schema) || referred(schema).is_some_and(|common| is_required(common, name))
}

/// What a schema says itself, or else what it refers to.
fn inherited(schema: &'static Value, keyword: &str) -> Option<&'static Value> {
    let own = schema.get(keyword);
    own.or_else(|| inherited(referred(schema)?, keyword))
}

fn words(schema: &'static Value, keyword: &str) -> Option<&'static str> {
    inherited(schema, keyword)?.as_str()
}

/// The names of a definition's properties, with those of what it refers to.
fn properties(definition: &'static Value) -> Vec<&'static str> {
    let own = definition["properties"].as_object();
    let own = own.into_iter().flat_map(Map::keys).map(String::as_str);
    match referred(definition) {
        Some(common) => own.chain(properties(common)).collect(),
        None => own.collect(),
    }
}

fn property(definition: &'static Value, name: &str) -> Option<&'static Value> {
    let own = definition["properties"].get(name);
    own.or_else(|| property(referred(definition)?, name))
}

fn referred(schema: &'static Value) -> Option<&'static Value> {
    SCHEMA.pointer(schema["$ref"].as_str()?.strip_prefix('#')?)
}
