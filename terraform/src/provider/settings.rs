//! The configuration of the provider itself: certificates for resources that name none.

use hpcr_contract::certificate::PublicKey;

use crate::diagnostic::Diagnostic;
use crate::schema::{Attribute, Schema};
use crate::value::Object;
use crate::value::kind::Kind;
use crate::value::path::Path;

/// What the provider takes.
pub(crate) fn schema() -> Schema {
    Schema {
        description: "Contracts of confidential containers: checked, sealed and signed by the code that the guest runs.",
        attributes: vec![
            Attribute::optional(
                "cert",
                Kind::Text,
                "The encryption certificate (PEM) for resources that name none.",
            ),
            Attribute::optional(
                "certs",
                Kind::map(Kind::Text),
                "Encryption certificates (PEM) by version of the image, for resources that name a `version`.",
            ),
        ],
    }
}

/// What is wrong with it, as far as it is known.
pub(crate) fn check(config: &Object) -> Vec<Diagnostic> {
    let own = config.get("cert").map(|value| (Path::of("cert"), value));
    let by_version = config.get("certs").and_then(|certs| certs.as_map());
    let by_version = by_version.into_iter().flatten();
    let by_version = by_version.map(|(key, value)| (Path::of("certs").key(key), value));
    own.into_iter()
        .chain(by_version)
        .filter_map(|(path, value)| {
            let error = PublicKey::parse(value.as_text()?.as_bytes()).err()?;
            Some(Diagnostic::of(&error, path))
        })
        .collect()
}
