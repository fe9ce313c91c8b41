//! `hpcr_contract_encrypted` and `hpcr_contract_encrypted_contract_expiry`: a contract as YAML, sealed and signed.
//!
//! What the published schema refuses is refused; what only the guest of this appliance judges further is a warning, since
//! contracts for other images pass here, too.

use std::sync::Arc;

use hpcr_contract::authoring::{self, Signer};
use hpcr_contract::certificate::Certificate;
use hpcr_contract::certificate::issue::{Subject, requested_key};
use hpcr_contract::private_key::PrivateKey;

use super::content::{outputs, rendered, sha256};
use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::findings;
use crate::resource::Failed;
use crate::resource::recipe::{Made, Recipe};
use crate::schema::{Attribute, Schema};
use crate::sealing::{self, Sealing, To};
use crate::signing::{self, Issuer};
use crate::twin::Twin;
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

mod given;

/// A contract, sealed and signed.
pub(crate) static CONTRACT_ENCRYPTED: Made<Sealed> = Made(Sealed { expires: false });

/// A contract, sealed and signed with a certificate that it ends with.
pub(crate) static CONTRACT_ENCRYPTED_CONTRACT_EXPIRY: Made<Sealed> = Made(Sealed { expires: true });

/// Parts of the name of a certificate, as `csrparams` has them.
const SUBJECT: [&str; 7] = [
    "country", "state", "location", "org", "unit", "domain", "mail",
];

/// Either of the two.
pub(crate) struct Sealed {
    expires: bool,
}

impl Recipe for Sealed {
    fn name(&self) -> &'static str {
        if self.expires {
            "hpcr_contract_encrypted_contract_expiry"
        } else {
            "hpcr_contract_encrypted"
        }
    }

    fn schema(&self) -> Schema {
        let text = |name, description| Attribute::optional(name, Kind::Text, description);
        let mut attributes = Vec::new();
        for (twin, description) in [
            (
                CONTRACT,
                "The contract as YAML: yamlencode() of a mapping with workload and env.",
            ),
            (
                KEY,
                "The private key (PEM, RSA) that signs. Where it is not given, one is made for this contract.",
            ),
            (PASSWORD, "The password of that key."),
        ] {
            attributes.extend(twin.attributes(description));
        }
        attributes.extend(Sealing::attributes());
        if self.expires {
            attributes.extend([
                Attribute::required("expiry", Kind::Number, "How many days the contract is good for."),
                Attribute::required("cacert", Kind::Text, "The certificate (PEM) of the authority that issues the signing certificate."),
                text("csr", "The request (PEM) that the certificate is issued for; its key is the one that signs."),
                Attribute::optional("csrparams", Kind::map(Kind::Text), "The name in the certificate: country, state, location, org, unit, domain, mail."),
            ]);
            attributes.extend(AUTHORITY_KEY.attributes("The private key (PEM) of that authority."));
        }
        attributes.extend(outputs());
        Schema {
            description: "A contract, sealed for an image and signed.",
            attributes,
        }
    }

    fn check(&self, config: &Object, context: &Context) -> Vec<Diagnostic> {
        let mut found = Sealing::check(config, context);
        found.extend(CONTRACT.not_once(config));
        found.extend([KEY, PASSWORD].iter().filter_map(|one| one.twice(config)));
        if let Some((_, contract)) = CONTRACT.text(config) {
            // A wrong platform is told where it stands.
            let product = sealing::product(config).unwrap_or_default();
            let reviewed = given::review(contract, CONTRACT.place(config), product, context.now);
            found.extend_from_slice(&reviewed.found);
            if reviewed.has_sealed_env {
                let key = KEY.is_given(config).then(|| KEY.place(config));
                let expiry = self.expires.then_some("expiry");
                found.push(signing::beside_sealed_env(key, KEY.kept, expiry));
            }
        }
        found.extend(key(config).err());
        if let Some((_, privkey)) = KEY.text(config) {
            let password = PASSWORD.text(config).map(|(_, text)| text);
            found.extend(signing::needless(privkey, password, PASSWORD.place(config)));
        }
        if self.expires {
            found.extend(check_expiry(config));
        }
        found
    }

    fn foresee(&self, config: &Object, _: &Context) -> Result<Object, Failed> {
        let contract = CONTRACT
            .text(config)
            .filter(|_| !CONTRACT.is_hidden(config));
        let digest = contract.map(|(_, contract)| ("sha256_in".to_owned(), sha256(contract)));
        Ok(digest.into_iter().collect())
    }

    fn make(&self, config: &Object, context: &Context) -> Result<Object, Failed> {
        let (place, contract) = CONTRACT.text(config).unwrap_or_default();
        let sealing = Sealing::of(config, context)?;
        let key = match key(config).map_err(|found| vec![found])? {
            Some(key) => key,
            None => signing::temporary().map_err(|found| vec![found])?,
        };
        let certificate = if self.expires {
            Some(certificate(config, &key, context.now)?)
        } else {
            None
        };
        let signer = match &certificate {
            Some(certificate) => Signer::with_certificate(&key, certificate).map_err(|error| {
                let place = if KEY.is_given(config) {
                    "csr"
                } else {
                    KEY.kept
                };
                vec![Diagnostic::of(&error, Path::of(place))]
            })?,
            None => Signer::from(&*key),
        };
        let written = authoring::seal_and_sign(
            &given::unsigned(contract),
            given::NAME,
            sealing.audience(),
            signer,
        );
        let written = written.map_err(|found| findings::in_text(&found, place))?;
        let mut outputs = rendered(contract, written.text.to_string());
        if CONTRACT.is_hidden(config) {
            outputs.insert("sha256_in".into(), Value::Null);
        }
        Ok(outputs)
    }

    fn sealed_to(&self, config: &Object, context: &Context) -> Result<To, Failed> {
        To::of(config, context)
    }
}

const CONTRACT: Twin = Twin {
    kept: "contract",
    hidden: "contract_wo",
};
const KEY: Twin = Twin {
    kept: "privkey",
    hidden: "privkey_wo",
};
const PASSWORD: Twin = Twin {
    kept: "password",
    hidden: "password_wo",
};
const AUTHORITY_KEY: Twin = Twin {
    kept: "cakey",
    hidden: "cakey_wo",
};

/// The signing key that is given.
fn key(config: &Object) -> Result<Option<Arc<PrivateKey>>, Diagnostic> {
    let Some((place, privkey)) = KEY.text(config) else {
        return Ok(None);
    };
    let places = (place, PASSWORD.place(config));
    let password = PASSWORD.text(config).map(|(_, text)| text);
    signing::key(privkey, password, places).map(Some)
}

fn check_expiry(config: &Object) -> Vec<Diagnostic> {
    let text = |name| config.get(name).and_then(Value::as_text);
    let mut found = Vec::new();
    let error =
        |name, summary: &str, detail: &str| Diagnostic::error(Path::of(name), summary, detail);
    found.extend(signing::wrong_days(config, "expiry"));
    found.extend(AUTHORITY_KEY.not_once(config));
    if let (Some(certificate), Some((place, key))) = (text("cacert"), AUTHORITY_KEY.text(config)) {
        found.extend(
            Issuer::read((certificate, key), ("cacert", place))
                .err()
                .into_iter()
                .flatten(),
        );
    }
    let is_given = |name| config.get(name).is_some_and(|value| !value.is_null());
    match (is_given("csr"), is_given("csrparams")) {
            (true, true) => found.push(error(
                "csr",
                "Both csr and csrparams are given",
                "Give one of them: a request has its name already.",
            )),
            (false, false) => found.push(error(
                "csrparams",
                "Neither csr nor csrparams is given",
                "Give csrparams, the name in the certificate, or a request of your own.",
            )),
            (true, false) if !KEY.is_given(config) => found.push(error(
                "privkey",
                "The private key of csr is not given",
                "Give the key that the request was made with: it signs. Or give csrparams instead of csr.",
            )),
            _ => {}
        }
    let parts = config.get("csrparams").and_then(Value::as_map);
    for (name, value) in parts.into_iter().flatten() {
        if !SUBJECT.contains(&name.as_str()) {
            found.push(Diagnostic::error(
                Path::of("csrparams").key(name),
                "There is no such part of a name",
                format!("Write one of {}.", SUBJECT.join(", ")),
            ));
        }
        if !value.has_unknown() && !subject([(name, value)]).is_good() {
            found.push(Diagnostic::error(
                Path::of("csrparams").key(name),
                "This part of a name cannot stand in a certificate",
                "A country is two letters, such as DE; org, unit and domain have 64 characters at most, state, location and mail 128.",
            ));
        }
    }
    found.extend(text("csr").and_then(|csr| check_request(csr, config)));
    found
}

/// What is wrong with a request of the user's own.
fn check_request(csr: &str, config: &Object) -> Option<Diagnostic> {
    let place = Path::of("csr");
    let requested = match requested_key(csr.as_bytes()) {
        Ok(key) => key,
        Err(error) => return Some(Diagnostic::of(&error, place)),
    };
    // A key that does not read is told where it stands.
    let key = key(config).ok()??.public_key().ok()?;
    (!key.is_same_key(&requested)).then(|| {
        let summary = "The request is of another key than the one that signs";
        let detail = format!("Give csr and {} of one pair.", KEY.place(config));
        Diagnostic::error(place, summary, detail)
    })
}

fn certificate(config: &Object, key: &PrivateKey, now: i64) -> Result<Certificate, Failed> {
    let certificate = config.get("cacert").and_then(Value::as_text);
    let (place, authority_key) = AUTHORITY_KEY.text(config).unwrap_or_default();
    let days = config.get("expiry").and_then(Value::as_whole);
    let days = days
        .and_then(|days| u32::try_from(days).ok())
        .unwrap_or_default();
    let authority = (certificate.unwrap_or_default(), authority_key);
    let issuer = Issuer::read(authority, ("cacert", place))?;
    let made = if let Some(csr) = config.get("csr").and_then(Value::as_text) {
        issuer.issue(csr.as_bytes(), days, now)
    } else {
        let parts = config.get("csrparams").and_then(Value::as_map);
        let subject = subject(parts.into_iter().flatten());
        issuer.certify(key, &subject, (days, now), "csrparams")
    };
    made.map_err(|found| vec![found])
}

fn subject<'p>(parts: impl IntoIterator<Item = (&'p String, &'p Value)>) -> Subject {
    let parts: Vec<_> = parts.into_iter().collect();
    let part = |name| {
        let part = parts.iter().find(|(part, _)| *part == name);
        let part = part.and_then(|(_, value)| value.as_text());
        part.unwrap_or_default().to_owned()
    };
    Subject {
        country: part("country"),
        state: part("state"),
        location: part("location"),
        organisation: part("org"),
        unit: part("unit"),
        domain: part("domain"),
        mail: part("mail"),
    }
}
