//! Secrets that either of two attributes gives: one that the state keeps, or its write-only twin.

use crate::diagnostic::Diagnostic;
use crate::schema::Attribute;
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// The names of both attributes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twin {
    /// The one that the state keeps.
    pub(crate) kept: &'static str,
    /// The one that is write-only.
    pub(crate) hidden: &'static str,
}

impl Twin {
    /// Both attributes.
    pub(crate) fn attributes(self, description: &str) -> [Attribute; 2] {
        let text = |name, description| Attribute::optional(name, Kind::Text, description);
        [
            text(self.kept, description).sensitive(),
            text(self.hidden, "The same, kept in no state.")
                .sensitive()
                .write_only(),
        ]
    }

    /// The secret, and the attribute that gives it; none where it is not given, or not known yet.
    pub(crate) fn text(self, config: &Object) -> Option<(&'static str, &str)> {
        let names = [self.kept, self.hidden].into_iter();
        let mut given = names.filter_map(|name| Some((name, config.get(name)?.as_text()?)));
        given.next()
    }

    /// Whether one of them is given, known or not.
    pub(crate) fn is_given(self, config: &Object) -> bool {
        [self.kept, self.hidden]
            .iter()
            .any(|name| is_given(config, name))
    }

    /// Whether the write-only one is given.
    pub(crate) fn is_hidden(self, config: &Object) -> bool {
        is_given(config, self.hidden)
    }

    /// The attribute that gives it, or would.
    pub(crate) fn place(self, config: &Object) -> &'static str {
        if self.is_hidden(config) {
            self.hidden
        } else {
            self.kept
        }
    }

    /// That both are given.
    pub(crate) fn twice(self, config: &Object) -> Option<Diagnostic> {
        let both = [self.kept, self.hidden]
            .iter()
            .all(|name| is_given(config, name));
        both.then(|| {
            let detail = format!("Give one of {} and {}.", self.kept, self.hidden);
            Diagnostic::error(Path::of(self.hidden), "A secret is given twice", detail)
        })
    }

    /// That not exactly one of them is given.
    pub(crate) fn not_once(self, config: &Object) -> Option<Diagnostic> {
        if self.is_given(config) {
            return self.twice(config);
        }
        let summary = format!("Missing required argument: {}", self.kept);
        let detail = format!("Give one of {} and {}.", self.kept, self.hidden);
        Some(Diagnostic::error(Path::of(self.kept), &summary, detail))
    }
}

fn is_given(config: &Object, name: &str) -> bool {
    config
        .get(name)
        .is_some_and(|value: &Value| !value.is_null())
}
