//! `hpcr_json` and `hpcr_json_encrypted`: a JSON document.

use super::content::{Clear, Content, Sealed};
use crate::diagnostic::Diagnostic;
use crate::resource::recipe::Made;
use crate::schema::Attribute;
use crate::twin::Twin;
use crate::value::kind::Kind;
use crate::value::path::Path;

/// Base64 of a document.
pub(crate) static JSON: Made<Clear<Json>> = Made(Clear {
    name: "hpcr_json",
    description: "A JSON document, in base64.",
    content: Json,
});

/// A document, sealed.
pub(crate) static JSON_ENCRYPTED: Made<Sealed<Json>> = Made(Sealed {
    name: "hpcr_json_encrypted",
    description: "A JSON document, sealed for an image: one token.",
    content: Json,
});

/// A JSON document as it was written.
pub(crate) struct Json;

impl Content for Json {
    fn input(&self) -> Attribute {
        Attribute::required("json", Kind::Text, "The JSON document, as text.").sensitive()
    }

    fn twin(&self) -> Option<Twin> {
        Some(Twin {
            kept: "json",
            hidden: "json_wo",
        })
    }

    fn check(&self, given: &str, place: Path) -> Vec<Diagnostic> {
        let wrong = |error: serde_json::Error| {
            let detail = format!(
                "It stops being JSON at line {}, column {}. Write it with jsonencode().",
                error.line(),
                error.column()
            );
            vec![Diagnostic::error(place, "This is no JSON document", detail)]
        };
        serde_json::from_str::<serde::de::IgnoredAny>(given).map_or_else(wrong, |_| Vec::new())
    }
}
