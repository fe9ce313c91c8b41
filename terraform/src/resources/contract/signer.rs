//! Who signs an `hpcr_contract`, and until when: the attributes of the signing key and of the authority.

use std::sync::Arc;

use hpcr_contract::certificate::Certificate;
use hpcr_contract::certificate::issue::Subject;
use hpcr_contract::private_key::PrivateKey;

use crate::context::Context;
use crate::dates;
use crate::diagnostic::{Diagnostic, Stage};
use crate::resource::Failed;
use crate::schema::Attribute;
use crate::signing::{self, Issuer};
use crate::twin::Twin;
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

const DAY: i64 = 24 * 60 * 60;
/// What a certificate names where nobody says more.
const NAME: &str = "contract";

/// A value with the attribute that gives it: in the state, or write-only.
type Given<'c> = Option<(&'static str, &'c str)>;

/// Everything that a configuration says about signing.
pub(super) struct Terms<'c> {
    key: Given<'c>,
    password: Given<'c>,
    authority: Option<&'c str>,
    authority_key: Given<'c>,
    days: Option<i64>,
    date: Option<&'c str>,
    /// Something of it is not known yet.
    pub(super) is_open: bool,
}

/// The attributes, all optional.
pub(super) fn attributes() -> Vec<Attribute> {
    let text = |name, description| Attribute::optional(name, Kind::Text, description);
    let mut attributes = vec![
        Attribute::optional(
            "expiry_days",
            Kind::Number,
            "For how many days from `apply` on the contract is good; with ca_cert and a ca_key.",
        ),
        text(
            "expiry_date",
            "Until when the contract is good (2027-06-30, or RFC 3339); with ca_cert and a ca_key.",
        ),
        text(
            "ca_cert",
            "The certificate (PEM) of the authority that issues the signing certificate.",
        ),
    ];
    for (twin, description) in [
        (
            KEY,
            "The private key (PEM, RSA) that signs the contract; its public half goes into the env section. Without it, and without an expiry, the contract is not signed.",
        ),
        (PASSWORD, "The password of the signing key."),
        (AUTHORITY_KEY, "The private key (PEM) of that authority."),
    ] {
        attributes.extend(twin.attributes(description));
    }
    attributes
}

const KEY: Twin = Twin {
    kept: "signing_key",
    hidden: "signing_key_wo",
};
const PASSWORD: Twin = Twin {
    kept: "signing_key_password",
    hidden: "signing_key_password_wo",
};
const AUTHORITY_KEY: Twin = Twin {
    kept: "ca_key",
    hidden: "ca_key_wo",
};

impl<'c> Terms<'c> {
    /// Reads them.
    pub(super) fn read(config: &'c Object) -> Result<Self, Failed> {
        let text = |name| config.get(name).and_then(Value::as_text);
        let secrets = [KEY, PASSWORD, AUTHORITY_KEY];
        let found: Vec<_> = secrets.iter().filter_map(|one| one.twice(config)).collect();
        let [key, password, authority_key] = secrets.map(|one| one.text(config));
        let names = secrets.into_iter().flat_map(|one| [one.kept, one.hidden]);
        let names = names.chain(["ca_cert", "expiry_days", "expiry_date"]);
        let terms = Self {
            key,
            password,
            authority: text("ca_cert"),
            authority_key,
            days: config.get("expiry_days").and_then(Value::as_whole),
            date: text("expiry_date"),
            is_open: names
                .filter_map(|name| config.get(name))
                .any(Value::has_unknown),
        };
        if found.is_empty() {
            Ok(terms)
        } else {
            Err(found)
        }
    }

    /// Whether the contract is signed at all.
    pub(super) fn sign(&self) -> bool {
        self.key.is_some() || self.ends()
    }

    /// Whether the contract ends.
    pub(super) fn ends(&self) -> bool {
        self.days.is_some() || self.date.is_some()
    }

    /// The attribute that findings about signing belong to.
    pub(super) fn place(&self) -> Path {
        Path::of(self.key.map_or(KEY.kept, |(name, _)| name))
    }

    /// What is to be said of them where the env section is sealed.
    pub(super) fn beside_sealed_env(&self) -> Option<Diagnostic> {
        let expiry = match (self.days, self.date) {
            (Some(_), _) => Some("expiry_days"),
            (None, Some(_)) => Some("expiry_date"),
            (None, None) => None,
        };
        let key = self.key.map(|(name, _)| name);
        self.sign()
            .then(|| signing::beside_sealed_env(key, KEY.kept, expiry))
    }

    /// What is wrong with them, as far as they are known.
    pub(super) fn check(&self, config: &Object, now: i64) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let error =
            |name, summary: &str, detail: &str| Diagnostic::error(Path::of(name), summary, detail);
        found.extend(self.key().err());
        if let (Some((_, key)), Some((place, password))) = (self.key, self.password) {
            found.extend(signing::needless(key, Some(password), place));
        }
        if let (None, Some((place, _)), false) = (self.key, self.password, self.is_open) {
            found.push(error(
                place,
                "A password is given without its key",
                "Give signing_key, too, or leave the password out.",
            ));
        }
        if self.days.is_some() && self.date.is_some() {
            found.push(error(
                "expiry_date",
                "Both expiry_days and expiry_date are given",
                "Give one of them.",
            ));
        }
        found.extend(signing::wrong_days(config, "expiry_days"));
        match self.date.map(dates::parse) {
            Some(None) => found.push(error(
                "expiry_date",
                "This is no date",
                "Write 2027-06-30, or a time such as 2027-06-30T12:00:00Z.",
            )),
            Some(Some(end)) if end <= now => {
                let summary = "The contract would have ended already";
                let ended = error("expiry_date", summary, "Give a date that is to come.");
                found.push(ended.since(Stage::Plan));
            }
            _ => {}
        }
        found.extend(self.check_authority());
        found
    }

    fn check_authority(&self) -> Vec<Diagnostic> {
        let missing = |name, what: &str| {
            let detail = format!(
                "A contract that ends is signed with a certificate of an authority: give {what}."
            );
            Diagnostic::error(Path::of(name), "The authority is not given", detail)
        };
        match (self.authority, self.authority_key) {
            (Some(certificate), Some((place, key))) => {
                let read = Issuer::read((certificate, key), ("ca_cert", place));
                read.err().unwrap_or_default()
            }
            (None, _) if self.ends() && !self.is_open => vec![missing("ca_cert", "ca_cert")],
            (_, None) if self.ends() && !self.is_open => {
                vec![missing("ca_key", "ca_key or ca_key_wo")]
            }
            _ => Vec::new(),
        }
    }

    /// The key that is given.
    pub(super) fn key(&self) -> Result<Option<Arc<PrivateKey>>, Diagnostic> {
        let Some((place, pem)) = self.key else {
            return Ok(None);
        };
        let password = self.password;
        let places = (place, password.map_or(PASSWORD.kept, |(name, _)| name));
        signing::key(pem, password.map(|(_, text)| text), places).map(Some)
    }

    /// What names the key: its text and its password's, empty where they are not given.
    pub(super) fn key_and_password(&self) -> [&'c str; 2] {
        [self.key, self.password].map(|given| given.map_or("", |(_, text)| text))
    }

    /// The certificate that the contract ends with; none where it does not end.
    pub(super) fn certificate(
        &self,
        key: &PrivateKey,
        context: &Context,
    ) -> Result<Option<Certificate>, Failed> {
        let lifetime = match (self.days, self.date.and_then(dates::parse)) {
            (Some(days), _) => (days, context.now),
            // Whole days that end at that time, so they begin within the last day.
            (None, Some(end)) => {
                let days = end.saturating_sub(context.now).saturating_add(DAY - 1) / DAY;
                (days, end.saturating_sub(days.saturating_mul(DAY)))
            }
            (None, None) => return Ok(None),
        };
        let days = u32::try_from(lifetime.0).unwrap_or_default();
        let (place, authority_key) = self.authority_key.unwrap_or((AUTHORITY_KEY.kept, ""));
        let certificate = self.authority.unwrap_or_default();
        let issuer = Issuer::read((certificate, authority_key), ("ca_cert", place))?;
        let subject = Subject {
            domain: NAME.into(),
            ..Subject::default()
        };
        issuer
            .certify(key, &subject, (days, lifetime.1), KEY.kept)
            .map(Some)
            .map_err(|found| vec![found])
    }
}
