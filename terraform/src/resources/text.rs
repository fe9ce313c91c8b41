//! `hpcr_text` and `hpcr_text_encrypted`: any text.

use super::content::{Clear, Content, Sealed};
use crate::diagnostic::Diagnostic;
use crate::resource::recipe::Made;
use crate::schema::Attribute;
use crate::value::kind::Kind;

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

    fn check(&self, _: &str) -> Vec<Diagnostic> {
        Vec::new()
    }
}
