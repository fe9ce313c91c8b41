//! A section on its own: what a workload provider or a deployer can check before the other party's half is there.
//!
//! The input is the section itself, from its `type:` on, or a token of it; a whole contract is refused. What only both
//! halves together decide (volumes, signature, consent, the plan) is not looked at.

use crate::finding::{Finding, Place};
use crate::messages;
use crate::opening::{self, Keys};
use crate::product::Product;
use crate::schema::{self, Scope, Section};
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::user_data::{MAX_BYTES, Text};
use crate::yaml::{Document, Node, Origin};
use crate::{planning, preflight};

/// Everything that is to be said of a section, in the order of its lines; good where nothing of it is an error.
pub fn check<'k>(
    section: Section,
    bytes: &[u8],
    name: &str,
    product: Product,
    keys: impl Into<Keys<'k>>,
) -> Vec<Finding> {
    document(section, bytes, name, keys.into())
        .and_then(|document| read(section, &document, product))
        .unwrap_or_else(|findings| findings)
}

/// The section as YAML.
pub(crate) fn document(
    section: Section,
    bytes: &[u8],
    name: &str,
    keys: Keys<'_>,
) -> Result<Document, Vec<Finding>> {
    let code = messages::SCHEMA_PARSE_CONTRACT;
    let whole = Place::at(name, "");
    let wrong = |cause: &str, remedy: &str| vec![Finding::new(code, whole.clone(), cause, remedy)];
    if bytes.len() > MAX_BYTES {
        return Err(wrong(
            "the section is larger than 32 MiB",
            "make it smaller",
        ));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(wrong("the section is not UTF-8 text", "save it as UTF-8"));
    };
    let read = Text::new(text);
    let document = if read.is_sealed() {
        let clear = opening::clear(&read, keys, &whole).map_err(|finding| vec![finding])?;
        Document::parse_from(
            &clear.text,
            Origin::within(whole.clone(), section.name(), code),
        )
    } else {
        Document::parse(text, name, code)
    }
    .map_err(|finding| vec![finding])?;
    // The variables of a section stand under `env`, too, but have no type.
    let root = document.root();
    let is_section = |node: &Node| node.text().is_some() || node.get("type").is_some();
    let is_wrapped = root.get("type").is_none()
        && ["workload", "env"]
            .iter()
            .any(|key| root.get(key).is_some_and(is_section));
    if is_wrapped {
        return Err(wrong(
            "this is a whole contract, not a section on its own",
            "check it as a contract, or give the section from its `type:` on",
        ));
    }
    Ok(document)
}

fn read(
    section: Section,
    document: &Document,
    product: Product,
) -> Result<Vec<Finding>, Vec<Finding>> {
    let mut findings = schema::check(section, Scope::Alone, product, document);
    let is_sound = !findings.iter().any(Finding::stops);
    if section == Section::Workload {
        findings.extend(planning::archives(document));
    }
    let mut placeholders = preflight::placeholders(document);
    placeholders.retain(|one| !findings.iter().any(|told| told.place.is_same(&one.place)));
    findings.extend(placeholders);
    if !is_sound {
        return Err(findings);
    }
    match section {
        Section::Env => {
            let env: EnvSection = document.read().map_err(|finding| vec![finding])?;
            if env.logging.is_none() && product != Product::Ccco {
                findings.push(Finding::warning(
                    messages::LOGGING_NONE,
                    document.place(""),
                    "the section has no `logging`, and a contract needs one",
                    "add `logging.syslog`",
                ));
            }
        }
        Section::Workload => {
            document
                .read::<WorkloadSection>()
                .map_err(|finding| vec![finding])?;
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests;
