//! A section on its own: what a workload provider or a deployer can check before the other party's half is there.
//!
//! The input is the section itself, from its `type:` on, or a token of it; a whole contract is refused. What only both
//! halves together decide (matching volumes, signature, consent, the plan) is not looked at.

use crate::finding::{Finding, Level, Place};
use crate::messages;
use crate::opening::{self, Keys};
use crate::preflight::Horizon;
use crate::product::Product;
use crate::review::alone::{self, Terms};
use crate::schema::{Scope, Section};
use crate::token::is_sealed;
use crate::user_data::{MAX_BYTES, Text};
use crate::yaml::{Document, Node, Origin};

/// Everything that is to be said of a section; good where nothing of it is an error.
pub fn check<'k>(
    section: Section,
    bytes: &[u8],
    name: &str,
    product: Product,
    keys: impl Into<Keys<'k>>,
    horizon: Horizon,
) -> Vec<Finding> {
    let document = match document(section, bytes, name, keys.into()) {
        Ok(document) => document,
        Err(findings) => return findings,
    };
    let is_clear = std::str::from_utf8(bytes).is_ok_and(|text| !is_sealed(text));
    let whole = document.place("");
    let has_sink = section == Section::Workload || document.root().get("logging").is_some();
    let terms = Terms {
        product,
        horizon,
        // It is being written: it is to be sealed yet.
        secrets: is_clear.then_some(Level::Note),
    };
    let mut findings = alone::review(section, Scope::Alone, document, terms);
    if !has_sink && product != Product::Ccco {
        findings.push(Finding::warning(
            messages::LOGGING_NONE,
            whole,
            "the section has no `logging`, and a contract needs one",
            "add `logging.syslog`",
        ));
    }
    findings
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

#[cfg(test)]
mod tests;
