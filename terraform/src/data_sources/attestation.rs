//! `hpcr_attestation`: what a guest says that it booted.

use crate::attestation::{self, Closed};
use crate::context::Context;
use crate::data_source::{DataSource, Read};
use crate::diagnostic::Diagnostic;
use crate::schema::{Attribute, Schema};
use crate::signing;
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};
use hpcr_contract::error::ContractError;
use hpcr_contract::token::is_sealed;

/// See the module.
pub(crate) struct Attestation;

/// The attributes of the auditor's key.
const PRIVATE: (&str, &str) = ("privkey", "password");

impl DataSource for Attestation {
    fn name(&self) -> &'static str {
        "hpcr_attestation"
    }

    fn schema(&self) -> Schema {
        let text = |name, description| Attribute::optional(name, Kind::Text, description);
        Schema {
            description: "The hashes of an attestation record: opened, verified and read.",
            attributes: vec![
                Attribute::required(
                    "attestation",
                    Kind::Text,
                    "The record: se-checksums.txt, or se-checksums.txt.enc as it is.",
                ),
                text(
                    "privkey",
                    "The auditor's private key (PEM), where the record is sealed.",
                )
                .sensitive(),
                text("password", "The password of that key.").sensitive(),
                text(
                    "cert",
                    "The image's attestation certificate (PEM); with signature.",
                ),
                text(
                    "signature",
                    "The signature of the record: filebase64(\"se-signature.bin\"); with cert.",
                ),
                Attribute::computed(
                    "checksums",
                    Kind::map(Kind::Text),
                    "SHA-256 by name, hexadecimal.",
                ),
            ],
        }
    }

    fn check(&self, config: &Object) -> Vec<Diagnostic> {
        let text = |name| config.get(name).and_then(Value::as_text);
        let is_null = |name| config.get(name).is_none_or(Value::is_null);
        let mut found = Vec::new();
        if let Some(key) = text("privkey") {
            found.extend(signing::private_key(key, text("password"), PRIVATE).err());
        }
        if text("attestation").is_some_and(is_sealed) && is_null("privkey") {
            found.push(Diagnostic::error(
                Path::of("privkey"),
                "The record is sealed to its auditor",
                "Give the auditor's private key: the record cannot be read without it.",
            ));
        }
        for (given, missing) in [("cert", "signature"), ("signature", "cert")] {
            if !is_null(given) && is_null(missing) {
                found.push(Diagnostic::error(
                    Path::of(given),
                    &format!("{given} is given without {missing}"),
                    format!("Give {missing}, too: a signature is checked with both."),
                ));
            }
        }
        found
    }

    fn read(&self, config: &Object, _: &Context) -> Read {
        let text = |name| config.get(name).and_then(Value::as_text);
        let key = match text("privkey") {
            Some(key) => {
                Some(signing::private_key(key, text("password"), PRIVATE).map_err(|e| vec![e])?)
            }
            None => None,
        };
        let at = |place| move |error: ContractError| vec![Diagnostic::of(&error, Path::of(place))];
        let record = text("attestation").unwrap_or_default();
        let record = attestation::open(record, key).map_err(|closed| {
            let (place, cause, remedy) = match closed {
                Closed::Key(cause, remedy) => (PRIVATE.0, cause, remedy),
                Closed::Record(cause, remedy) => ("attestation", cause, remedy),
            };
            vec![Diagnostic::error(Path::of(place), &cause, remedy)]
        })?;
        if let (Some(certificate), Some(signature)) = (text("cert"), text("signature")) {
            attestation::verify(&record, certificate, signature).map_err(|error| {
                let place = match error {
                    ContractError::PublicKey(_) => "cert",
                    _ => "signature",
                };
                at(place)(error)
            })?;
        }
        let (hashes, read) = attestation::checksums(&record).map_err(at("attestation"))?;
        let warning = read.development.then(|| {
            Diagnostic::warning(
                Path::of("attestation"),
                "The record is of an image for development",
                "Its keys are public: trust it with nothing that is confidential.",
            )
        });
        let outputs = [("checksums".to_owned(), Value::Map(hashes))];
        Ok((outputs.into(), warning.into_iter().collect()))
    }
}
