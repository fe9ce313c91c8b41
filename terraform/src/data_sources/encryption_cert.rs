//! `hpcr_encryption_cert`: the newest certificate of a map by version.

use hpcr_contract::certificate::{Certificate, Expiry, expiry};

use super::image::{range, spec};
use crate::context::Context;
use crate::data_source::{DataSource, Read};
use crate::dates;
use crate::diagnostic::Diagnostic;
use crate::schema::{Attribute, Schema};
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};
use crate::versions;

/// See the module.
pub(crate) struct EncryptionCert;

impl DataSource for EncryptionCert {
    fn name(&self) -> &'static str {
        "hpcr_encryption_cert"
    }

    fn schema(&self) -> Schema {
        let computed = |name, description| Attribute::computed(name, Kind::Text, description);
        Schema {
            description: "The newest encryption certificate of a map.",
            attributes: vec![
                Attribute::required(
                    "certs",
                    Kind::map(Kind::Dynamic),
                    "Certificates by version: PEM texts, or what hpcr_encryption_certs gives.",
                ),
                spec(),
                computed("cert", "The certificate, PEM."),
                computed("version", "The version."),
                computed("expiry", "How many days the certificate lasts."),
                computed("status", "valid or expired."),
            ],
        }
    }

    fn check(&self, config: &Object) -> Vec<Diagnostic> {
        range(config).err().into_iter().collect()
    }

    fn read(&self, config: &Object, context: &Context) -> Read {
        let range = range(config).map_err(|found| vec![found])?;
        let certs = config.get("certs").and_then(Value::as_map);
        let named = certs.into_iter().flatten();
        let (named, unknown): (Vec<_>, Vec<_>) = named
            .map(|(key, value)| (versions::lenient(key), (key, value)))
            .partition(|(version, _)| version.is_some());
        // As with the published provider: others may need them.
        let mut warnings: Vec<_> = unknown
            .iter()
            .map(|(_, (key, _))| passed_over(key))
            .collect();
        let named = named
            .into_iter()
            .filter_map(|(version, entry)| Some((version?, entry)));
        let Some((version, (key, entry))) = versions::highest(named, &range) else {
            return Err(vec![Diagnostic::error(
                Path::of("certs"),
                "No certificate fits",
                "Give the certificate of a version that is in `spec`.",
            )]);
        };
        let place = Path::of("certs").key(key);
        let pem = match entry.plain() {
            Value::Map(entry) => entry.get("cert").map_or(&Value::Null, Value::plain),
            other => other,
        };
        let pem = pem.as_text().unwrap_or_default();
        let at_place = |error| vec![Diagnostic::of(&error, place.clone())];
        let certificate = Certificate::parse(pem.as_bytes()).map_err(at_place)?;
        let end = certificate.validity().map_err(at_place)?.not_after;
        let is_over = expiry(end, context.now) == Expiry::Expired;
        warnings.extend(is_over.then(|| {
            Diagnostic::warning(
                place.clone(),
                "The encryption certificate has expired",
                "Nothing can be sealed with it any more. Take that of a newer image.",
            )
        }));
        let outputs = [
            ("cert", pem.to_owned()),
            ("version", version.to_string()),
            ("expiry", dates::days_left(end, context.now)),
            (
                "status",
                if is_over { "expired" } else { "valid" }.to_owned(),
            ),
        ];
        let outputs = outputs.map(|(name, text)| (name.to_owned(), Value::text(text)));
        Ok((outputs.into(), warnings))
    }
}

fn passed_over(key: &str) -> Diagnostic {
    let detail = "The certificate is passed over. Write three numbers, such as 1.0.14.";
    Diagnostic::warning(Path::of("certs").key(key), "This is no version", detail)
}
