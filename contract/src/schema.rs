//! What a section of a contract may say: our own JSON Schema (draft 2020-12), and its verdict as findings.
//!
//! The schema is one file for people, editors, `hpcr-check` and the guest; products share its definitions. What a
//! `description` calls a value there is what a finding tells the user to write here. No finding holds a value of the
//! contract.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::finding::{self, Finding};
use crate::messages;
use crate::product::Product;
use crate::yaml::{self, Document, Kind};

mod compiled;
mod explain;
mod reference;
mod unknown;

pub use reference::page;

/// The schema of the default product, and the definitions of all.
const TEXT: &str = include_str!("../schema/contract.json");

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// The two sections of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `workload`.
    Workload,
    /// `env`.
    Env,
}

impl Section {
    /// Its key in the contract.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Env => "env",
        }
    }
}

/// Whether the other section is there, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The section is a part of a contract.
    Contract,
    /// The section stands on its own: it need not name a sink for log lines yet.
    Alone,
}

/// What a section must be: the name of its definition, and the definition as code.
fn definition(section: Section, scope: Scope, product: Product) -> (&'static str, compiled::Check) {
    match (section, product, scope) {
        (Section::Workload, Product::Ccrt | Product::Hpvs, _) => {
            ("ccrtWorkload", compiled::CcrtWorkload::iter_errors)
        }
        (Section::Workload, Product::Ccrv, _) => {
            ("ccrvWorkload", compiled::CcrvWorkload::iter_errors)
        }
        (Section::Workload, Product::Ccco, _) => {
            ("cccoWorkload", compiled::CccoWorkload::iter_errors)
        }
        (Section::Env, Product::Ccco, _) => ("cccoEnv", compiled::CccoEnv::iter_errors),
        (Section::Env, _, Scope::Alone) => ("ccrtEnv", compiled::CcrtEnv::iter_errors),
        (Section::Env, _, Scope::Contract) => {
            ("ccrtContractEnv", compiled::CcrtContractEnv::iter_errors)
        }
    }
}

/// The schema of a product's contracts, or of one section of them, on its own: for editors.
pub fn text(product: Product, section: Option<Section>) -> String {
    let mut schema = match section {
        Some(section) => reference(definition(section, Scope::Alone, product).0),
        // As it was written by hand, in an order that helps its readers.
        None if matches!(product, Product::Ccrt | Product::Hpvs) => return TEXT.to_owned(),
        None => {
            let mut root = SCHEMA.clone();
            for section in [Section::Workload, Section::Env] {
                let (name, _) = definition(section, Scope::Contract, product);
                root["properties"][section.name()]["anyOf"][1] = reference(name);
            }
            root
        }
    };
    schema["$schema"] = SCHEMA["$schema"].clone();
    schema["$defs"] = Value::Null;
    schema["$defs"] = definitions(&schema);
    format!("{schema:#}\n")
}

/// What is to be said of a section, in the order of its lines, 100 findings at most: errors, and keys that mean nothing
/// as warnings. Nothing where it follows the schema.
pub fn check(
    section: Section,
    scope: Scope,
    product: Product,
    document: &Document,
) -> Vec<Finding> {
    if !matches!(document.root().kind, Kind::Mapping(_)) {
        let cause = format!(
            "{} stands where a mapping belongs",
            document.root().describe()
        );
        let remedy = format!("write a mapping with `type: {}`", section.name());
        let code = messages::SCHEMA_VALIDATE_CONTRACT;
        return vec![Finding::new(code, document.place(""), cause, remedy)];
    }
    let (name, errors_of) = definition(section, scope, product);
    let mut instance = document.to_json();
    let mut findings: Vec<_> = errors_of(&instance)
        .filter(|error| explain::is_apt(error, &instance))
        .flat_map(|error| explain::findings(&error, &SCHEMA, document))
        .take(finding::MOST)
        .collect();
    yaml::wipe(&mut instance);
    findings.extend(unknown::keys(name, document));
    findings.truncate(finding::MOST);
    findings.sort_by_key(|finding| (finding.place.line, finding.place.column));
    findings
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// The definitions that a schema needs.
fn definitions(schema: &Value) -> Value {
    let mut taken = Map::new();
    take(schema, &mut taken);
    Value::Object(taken)
}

fn take(schema: &Value, taken: &mut Map<String, Value>) {
    match schema {
        Value::Object(entries) => {
            let target = entries.get("$ref").and_then(Value::as_str);
            let name = target.and_then(|target| target.strip_prefix("#/$defs/"));
            if let Some(name) = name
                && !taken.contains_key(name)
            {
                let definition = &SCHEMA["$defs"][name];
                taken.insert(name.to_owned(), definition.clone());
                take(definition, taken);
            }
            entries.values().for_each(|value| take(value, taken));
        }
        Value::Array(items) => items.iter().for_each(|value| take(value, taken)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
