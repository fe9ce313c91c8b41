//! What an `hpcr_contract` gives: the contract as it goes out, its sections, and what a record will say of it.

use hpcr_contract::certificate::PublicKey;
use hpcr_contract::messages;
use hpcr_contract::plan::Auditor;
use hpcr_contract::token::is_sealed;
use hpcr_contract::yaml::{self, Document};

use super::draft::Draft;
use super::{NAME, Reader};
use crate::diagnostic::Diagnostic;
use crate::findings;
use crate::resource::Failed;
use crate::resources::content::sha256;
use crate::value::path::Path;
use crate::value::{Object, Value, json};

/// The one section that is given, sealed.
pub(super) fn section_alone(draft: &Draft, reader: &Reader) -> Result<Object, Failed> {
    let (mut outputs, mut digests) = (Object::new(), Object::new());
    for half in &draft.halves {
        let text = half.text.as_ref().map_or("", |text| text.as_str());
        let sealed = match reader.audience() {
            Some(to) if !half.is_sealed() => to.seal(text.as_bytes()),
            _ => Ok(text.to_owned()),
        };
        let sealed =
            sealed.map_err(|error| vec![Diagnostic::of(&error, Path::of(&half.attribute))])?;
        outputs.insert(format!("{}_sealed", half.name()), Value::text(sealed));
        let digest = (format!("contract:{}", half.name()), sha256(text));
        digests.extend((!half.is_sealed()).then_some(digest));
    }
    digests.extend(draft.auditor.as_deref().and_then(of_auditor));
    if !digests.is_empty() {
        outputs.insert("digests".into(), Value::Map(digests));
    }
    Ok(outputs)
}

/// What a record will say of the auditor's key; nothing where that is sealed.
fn of_auditor(text: &str) -> Option<(String, Value)> {
    let key = PublicKey::parse(text.as_bytes()).ok()?;
    let hash = hex::encode(Auditor::from(&key).hash);
    Some((
        "contract:attestationPublicKey".to_owned(),
        Value::text(hash),
    ))
}

/// The texts at the top of a contract.
pub(super) fn parts(contract: &str) -> Result<Object, Failed> {
    let document = Document::parse(contract, NAME, messages::INVALID_CONTRACT);
    let document = document.map_err(|found| {
        vec![findings::diagnostic(
            &found,
            Path::default(),
            &found.place.to_string(),
        )]
    })?;
    let mut tree = document.to_json();
    let parts = json::plain(&tree);
    yaml::wipe(&mut tree);
    Ok(parts.as_map().cloned().unwrap_or_default())
}

/// Outputs of a contract: as it goes out, and what a record will say of it as far as it is in the clear.
pub(super) fn told_of(clear: &str, rendered: &str) -> Result<Object, Failed> {
    let (open, sealed) = (parts(clear)?, parts(rendered)?);
    let mut digests = Object::new();
    digests.insert("cidata/user-data".into(), sha256(rendered));
    for name in ["workload", "env"] {
        if let Some(text) = open.get(name).and_then(Value::as_text)
            && !is_sealed(text)
        {
            digests.insert(format!("contract:{name}"), sha256(text));
        }
    }
    let auditor = open.get("attestationPublicKey").and_then(Value::as_text);
    digests.extend(auditor.and_then(of_auditor));
    let section = |name| sealed.get(name).cloned().unwrap_or(Value::Null);
    Ok([
        ("rendered".to_owned(), Value::text(rendered)),
        ("sha256".to_owned(), sha256(rendered)),
        ("workload_sealed".to_owned(), section("workload")),
        ("env_sealed".to_owned(), section("env")),
        ("digests".to_owned(), Value::Map(digests)),
    ]
    .into())
}
