//! What a section of a contract may say: our own JSON Schema (draft 2020-12), and its verdict as findings.
//!
//! The schema is one file for people, editors, `hpcr-check` and the guest. What a `description` calls a value there is
//! what a finding tells the user to write here. No finding holds a value of the contract.

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Value, json};

use crate::finding::{self, Finding, Place};
use crate::messages;
use crate::product::Product;
use crate::yaml::{self, Document};

/// The schema's text.
pub const TEXT: &str = include_str!("../schema/contract.json");

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

/// What is to be said of a section, in the order of its lines, 100 findings at most: errors, and keys that mean nothing
/// as warnings. Nothing where it follows the schema.
pub fn check(
    section: Section,
    scope: Scope,
    product: Product,
    document: &Document,
) -> Vec<Finding> {
    let (schema, validator) = match compile(section, scope, product) {
        Ok(compiled) => compiled,
        Err(cause) => {
            let place = Place::at(section.name(), "");
            return vec![Finding::new(
                messages::INTERNAL_ERROR,
                place,
                cause,
                "report this as a bug",
            )];
        }
    };
    let mut instance = document.to_json();
    let mut findings: Vec<_> = validator
        .iter_errors(&instance)
        .flat_map(|error| explain(&error, &schema, document))
        .take(finding::MOST)
        .collect();
    yaml::wipe(&mut instance);
    findings.sort_by_key(|finding| (finding.place.line, finding.place.column));
    findings
}

/// The schema of one section. Patterns run on the linear engine: a hostile value cannot make them backtrack.
fn compile(
    section: Section,
    scope: Scope,
    product: Product,
) -> Result<(Value, Validator), &'static str> {
    let mut whole: Value =
        serde_json::from_str(TEXT).map_err(|_| "the contract schema is not JSON")?;
    let schema = json!({
        "$schema": whole["$schema"].take(),
        "$ref": format!("#/$defs/{}", definition(section, scope, product)),
        "$defs": whole["$defs"].take(),
    });
    let validator = jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|_| "the contract schema does not compile")?;
    Ok((schema, validator))
}

/// The name of what a section must be.
const fn definition(section: Section, scope: Scope, product: Product) -> &'static str {
    match (section, product, scope) {
        (Section::Workload, Product::Ccrv, _) => "ccrvWorkload",
        (Section::Workload, _, _) => "workload",
        (Section::Env, Product::Ccco, _) | (Section::Env, _, Scope::Alone) => "env",
        (Section::Env, _, Scope::Contract) => "contractEnv",
    }
}

/// Tells an error in our own words: the library's quote the value.
fn explain(error: &ValidationError<'_>, schema: &Value, document: &Document) -> Vec<Finding> {
    let pointer = error.instance_path().as_str();
    let rule = error.schema_path().as_str();
    let expected = format!("expected here: {}", description(schema, rule));
    let finding = |pointer: &str, cause: String, remedy: String| {
        Finding::new(
            messages::SCHEMA_VALIDATE_CONTRACT,
            document.place(pointer),
            cause,
            remedy,
        )
    };
    let cause = match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let known = known_keys(schema, rule);
            return unexpected
                .iter()
                .take(finding::MOST)
                .map(|key| {
                    let child = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    finding(
                        &child,
                        format!("the key `{key}` is not known here"),
                        format!("known keys: {known}"),
                    )
                })
                .collect();
        }
        Kind::Required { property } => format!(
            "the key `{}` is missing",
            property.as_str().unwrap_or_default()
        ),
        Kind::Type { .. } => format!(
            "{} stands where something else belongs",
            article(error.instance())
        ),
        Kind::Enum { .. } | Kind::Constant { .. } => {
            "the value is none of those that are allowed".into()
        }
        Kind::PropertyNames { .. } => "a key is not of the allowed form".into(),
        Kind::OneOfNotValid { .. } => "none of the alternatives is given".into(),
        Kind::OneOfMultipleValid { .. } => "more than one of the alternatives is given".into(),
        Kind::MinLength { limit } => format!("the value is shorter than {limit} characters"),
        Kind::MaxLength { limit } => format!("the value is longer than {limit} characters"),
        Kind::MinItems { limit } => format!("there are fewer than {limit} items"),
        Kind::MaxItems { limit } => format!("there are more than {limit} items"),
        Kind::Minimum { .. } | Kind::Maximum { .. } => "the number is out of range".into(),
        Kind::Pattern { .. } => "the value is not of the form that is required".into(),
        _ => "the value does not follow the schema".into(),
    };
    vec![finding(pointer, cause, expected)]
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

fn known_keys(schema: &Value, rule: &str) -> String {
    let above = rule.rsplit_once('/').map_or("", |(above, _)| above);
    let properties = schema
        .pointer(above)
        .and_then(|owner| owner.get("properties")?.as_object());
    properties
        .map(|keys| {
            keys.keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        })
        .unwrap_or_default()
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

#[cfg(test)]
mod tests;
