//! Text, JSON and folders, in the clear (base64) or sealed: six resources that differ in where their bytes come from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::resource::Failed;
use crate::resource::recipe::{Recipe, write_only};
use crate::schema::{Attribute, Schema};
use crate::sealing::{Sealing, To};
use crate::twin::Twin;
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// Where bytes come from.
pub(super) trait Content: Sync {
    /// The attribute that names them.
    fn input(&self) -> Attribute;

    /// Its twin, where the sealed resource takes one that is write-only.
    fn twin(&self) -> Option<Twin> {
        None
    }

    /// What is wrong with them, as far as they are known; `place` is the attribute.
    fn check(&self, given: &str, place: Path) -> Vec<Diagnostic>;

    /// Base64 of them, as the clear resource gives it.
    fn encoded(&self, given: &str) -> Result<String, Failed> {
        Ok(STANDARD.encode(given))
    }

    /// What the sealed resource seals.
    fn plain(&self, given: &str) -> Result<Zeroizing<Vec<u8>>, Failed> {
        Ok(Zeroizing::new(given.as_bytes().to_vec()))
    }

    /// The bytes as they are now, where they lie elsewhere and the attribute is but their name; none where they are not
    /// there yet.
    fn elsewhere(&self, _: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failed> {
        Ok(None)
    }

    /// Whether what somebody else made of bytes that lie elsewhere says the same as what is made of them now.
    fn says(&self, _rendered: &str, _now: &str) -> bool {
        false
    }
}

/// The resource that gives base64 of a content.
pub(crate) struct Clear<C> {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) content: C,
}

/// The resource that gives a content sealed.
pub(crate) struct Sealed<C> {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) content: C,
}

/// What every resource of the kind gives.
pub(super) fn outputs() -> [Attribute; 3] {
    [
        Attribute::computed("rendered", Kind::Text, "The result."),
        Attribute::computed(
            "sha256_in",
            Kind::Text,
            "SHA-256 of the input, hexadecimal.",
        ),
        Attribute::computed(
            "sha256_out",
            Kind::Text,
            "SHA-256 of the result, hexadecimal.",
        ),
    ]
}

/// SHA-256, hexadecimal.
pub(crate) fn sha256(text: &str) -> Value {
    Value::text(hex::encode(Sha256::digest(text)))
}

/// Result and digests, as the attributes that every resource of the kind gives.
pub(super) fn rendered(input: &str, result: String) -> Object {
    [
        ("sha256_in", sha256(input)),
        ("sha256_out", sha256(&result)),
        ("rendered", Value::text(result)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

impl<C: Content> Recipe for Clear<C> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Schema {
        let mut attributes = vec![self.content.input()];
        attributes.extend(outputs());
        Schema {
            description: self.description,
            attributes,
        }
    }

    fn check(&self, config: &Object, _: &Context) -> Vec<Diagnostic> {
        check(&self.content, config)
    }

    fn foresee(&self, config: &Object, _: &Context) -> Result<Object, Failed> {
        foreseen(&self.content, config)
    }

    fn make(&self, config: &Object, _: &Context) -> Result<Object, Failed> {
        let given = given(&self.content, config).unwrap_or_default();
        Ok(rendered(given, self.content.encoded(given)?))
    }

    fn unseen(&self, config: &Object) -> Result<Option<Zeroizing<Vec<u8>>>, Failed> {
        unseen(&self.content, config)
    }

    fn is_of_now(&self, state: &Object) -> bool {
        let rendered = state.get("rendered").and_then(Value::as_text);
        let now = given(&self.content, state).and_then(|given| self.content.encoded(given).ok());
        matches!((rendered, now), (Some(rendered), Some(now)) if self.content.says(rendered, &now))
    }
}

impl<C: Content> Recipe for Sealed<C> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn schema(&self) -> Schema {
        let input = self.content.input();
        let mut attributes = match self.content.twin() {
            Some(twin) => twin
                .attributes(&input.description)
                .map(Attribute::taking_empty)
                .into(),
            None => vec![input],
        };
        attributes.extend(Sealing::attributes());
        attributes.extend(outputs());
        Schema {
            description: self.description,
            attributes,
        }
    }

    fn check(&self, config: &Object, context: &Context) -> Vec<Diagnostic> {
        let mut found = Sealing::check(config, context);
        found.extend(self.content.twin().and_then(|twin| twin.not_once(config)));
        found.extend(check(&self.content, config));
        found
    }

    fn foresee(&self, config: &Object, _: &Context) -> Result<Object, Failed> {
        foreseen(&self.content, config)
    }

    fn make(&self, config: &Object, context: &Context) -> Result<Object, Failed> {
        let sealing = Sealing::of(config, context)?;
        let given = given(&self.content, config).unwrap_or_default();
        let token = sealing.seal(&self.content.plain(given)?)?;
        let mut outputs = rendered(given, token);
        if is_hidden(&self.content, config) {
            // The state is not to confirm a guess.
            outputs.insert("sha256_in".into(), Value::Null);
        }
        Ok(outputs)
    }

    fn unseen(&self, config: &Object) -> Result<Option<Zeroizing<Vec<u8>>>, Failed> {
        let elsewhere = unseen(&self.content, config)?;
        Ok(elsewhere.or_else(|| write_only(&self.schema(), config)))
    }

    /// Nobody here can look into a token.
    fn is_of_now(&self, _: &Object) -> bool {
        true
    }

    fn sealed_to(&self, config: &Object, context: &Context) -> Result<To, Failed> {
        To::of(config, context)
    }
}

fn given<'c>(content: &impl Content, config: &'c Object) -> Option<&'c str> {
    match content.twin() {
        Some(twin) => twin.text(config).map(|(_, text)| text),
        None => config.get(&content.input().name)?.as_text(),
    }
}

fn is_hidden(content: &impl Content, config: &Object) -> bool {
    content.twin().is_some_and(|twin| twin.is_hidden(config))
}

fn check(content: &impl Content, config: &Object) -> Vec<Diagnostic> {
    let input = content.input().name;
    let place = content
        .twin()
        .map_or(input.as_str(), |twin| twin.place(config));
    given(content, config).map_or_else(Vec::new, |given| content.check(given, Path::of(place)))
}

/// The digest of what is given. Of what lies elsewhere, which may change until `apply`, only what is wrong by now.
fn foreseen(content: &impl Content, config: &Object) -> Result<Object, Failed> {
    let Some(given) = given(content, config) else {
        return Ok(Object::new());
    };
    content.elsewhere(given)?;
    if is_hidden(content, config) {
        return Ok(Object::new());
    }
    Ok([("sha256_in".to_owned(), sha256(given))].into())
}

fn unseen(content: &impl Content, config: &Object) -> Result<Option<Zeroizing<Vec<u8>>>, Failed> {
    given(content, config).map_or(Ok(None), |given| content.elsewhere(given))
}
