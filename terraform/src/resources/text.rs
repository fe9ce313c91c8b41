//! `hpcr_text` and `hpcr_text_encrypted`: any text.

use super::content::{Clear, Content, Sealed};
use crate::diagnostic::Diagnostic;
use crate::resource::recipe::Made;
use crate::schema::Attribute;
use crate::twin::Twin;
use crate::value::kind::Kind;
use crate::value::path::Path;

/// Base64 of a text.
pub(crate) static TEXT: Made<Clear<Text>> = Made(Clear {
    name: "hpcr_text",
    description: "A text, in base64.",
    content: Text,
});

/// A text, sealed.
pub(crate) static TEXT_ENCRYPTED: Made<Sealed<Text>> = Made(Sealed {
    name: "hpcr_text_encrypted",
    description: "A text, sealed for an image: one token.",
    content: Text,
});

/// A text as it is.
pub(crate) struct Text;

impl Content for Text {
    fn input(&self) -> Attribute {
        Attribute::required("text", Kind::Text, "The text.").sensitive()
    }

    fn twin(&self) -> Option<Twin> {
        Some(Twin {
            kept: "text",
            hidden: "text_wo",
        })
    }

    fn check(&self, _: &str, _: Path) -> Vec<Diagnostic> {
        Vec::new()
    }
}
