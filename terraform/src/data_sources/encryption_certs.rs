//! `hpcr_encryption_certs`: certificates of versions, fetched from where their publisher keeps them.
//!
//! Over HTTPS alone, from servers that the machine trusts: who could change a certificate on its way could read what is
//! sealed with it. Answers are bounded.

use std::time::Duration;

use hpcr_contract::certificate::{Certificate, Expiry, expiry};
use semver::Version;
use tokio::runtime::Handle;

use crate::context::Context;
use crate::data_source::{DataSource, Read};
use crate::dates;
use crate::diagnostic::Diagnostic;
use crate::resource::Failed;
use crate::schema::{Attribute, Schema};
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// Where the publisher keeps them.
const TEMPLATE: &str = "https://hpvsvpcubuntu.s3.us.cloud-object-storage.appdomain.cloud/s390x-{{.Patch}}/ibm-hyper-protect-container-runtime-{{.Major}}-{{.Minor}}-s390x-{{.Patch}}-encrypt.crt";
/// More are nobody's, and each is a request.
const MAX_VERSIONS: usize = 64;
/// A certificate takes some 3 KiB.
const MAX_BYTES: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(30);

/// See the module.
pub(crate) struct EncryptionCerts;

impl DataSource for EncryptionCerts {
    fn name(&self) -> &'static str {
        "hpcr_encryption_certs"
    }

    fn schema(&self) -> Schema {
        Schema {
            description: "Encryption certificates of versions, fetched over HTTPS.",
            attributes: vec![
                Attribute::required(
                    "versions",
                    Kind::list(Kind::Text),
                    "The versions, such as 1.0.14.",
                ),
                Attribute::optional(
                    "template",
                    Kind::Text,
                    "The address of a certificate, with {{.Major}}, {{.Minor}} and {{.Patch}}; the publisher's where it is not given.",
                ),
                Attribute::computed(
                    "certs",
                    Kind::map(Kind::map(Kind::Text)),
                    "By version: cert (PEM), status (valid or expired), expiry_date (RFC 3339) and expiry_days.",
                ),
            ],
        }
    }

    fn check(&self, config: &Object) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let versions = config
            .get("versions")
            .and_then(Value::as_list)
            .unwrap_or_default();
        if versions.len() > MAX_VERSIONS {
            let summary = "Too many versions are named";
            let detail = "Name 64 at most.";
            found.push(Diagnostic::error(Path::of("versions"), summary, detail));
        }
        for (index, version) in versions.iter().enumerate() {
            if version
                .as_text()
                .is_some_and(|text| Version::parse(text).is_err())
            {
                found.push(Diagnostic::error(
                    Path::of("versions").index(index),
                    "This is no version",
                    "Write three numbers, such as 1.0.14.",
                ));
            }
        }
        let template = config.get("template").and_then(Value::as_text);
        if template.is_some_and(|template| !template.starts_with("https://")) {
            found.push(Diagnostic::error(
                Path::of("template"),
                "Certificates come over HTTPS alone",
                "Give an address that begins with https://: who changes a certificate on its way reads what is sealed with it.",
            ));
        }
        found
    }

    fn read(&self, config: &Object, context: &Context) -> Read {
        let template = config
            .get("template")
            .and_then(Value::as_text)
            .unwrap_or(TEMPLATE);
        let versions = config
            .get("versions")
            .and_then(Value::as_list)
            .unwrap_or_default();
        let versions = versions.iter().enumerate();
        let versions = versions.filter_map(|(index, version)| {
            let version = Version::parse(version.as_text()?).ok()?;
            Some((Path::of("versions").index(index), version))
        });
        let certs = Handle::current().block_on(fetch_all(template, versions.collect()))?;
        let (mut entries, mut failed) = (Object::new(), Vec::new());
        for (place, version, pem) in certs {
            match entry(&pem, context.now) {
                Ok(entry) => {
                    entries.insert(version.to_string(), entry);
                }
                Err(error) => failed.push(Diagnostic::of(&error, place)),
            }
        }
        if failed.is_empty() {
            Ok(([("certs".to_owned(), Value::Map(entries))].into(), failed))
        } else {
            Err(failed)
        }
    }
}

/// What is told of a certificate.
fn entry(pem: &str, now: i64) -> Result<Value, hpcr_contract::error::ContractError> {
    let end = Certificate::parse(pem.as_bytes())?.validity()?.not_after;
    let is_over = expiry(end, now) == Expiry::Expired;
    let entry = [
        ("cert", pem.to_owned()),
        (
            "status",
            if is_over { "expired" } else { "valid" }.to_owned(),
        ),
        ("expiry_date", dates::text(end)),
        ("expiry_days", dates::days_left(end, now)),
    ];
    let entry = entry.map(|(name, text)| (name.to_owned(), Value::text(text)));
    Ok(Value::Map(entry.into()))
}

/// The certificates of all versions, or why each of the others did not come.
async fn fetch_all(
    template: &str,
    versions: Vec<(Path, Version)>,
) -> Result<Vec<(Path, Version, String)>, Failed> {
    // Whoever was first has set the same one.
    let _ = rustls_openssl::default_provider().install_default();
    let client = reqwest::Client::builder()
        .https_only(true)
        .timeout(PATIENCE)
        .build()
        .map_err(|error| vec![unreachable(Path::of("template"), &error)])?;
    let (mut certs, mut failed) = (Vec::new(), Vec::new());
    for (place, version) in versions {
        let address = template
            .replace("{{.Major}}", &version.major.to_string())
            .replace("{{.Minor}}", &version.minor.to_string())
            .replace("{{.Patch}}", &version.patch.to_string());
        match fetch(&client, &address).await {
            Ok(pem) => certs.push((place, version, pem)),
            Err(why) => failed.push(Diagnostic::error(
                place,
                "The certificate cannot be fetched",
                format!("{address}: {why}. Check the version and the template."),
            )),
        }
    }
    if failed.is_empty() {
        Ok(certs)
    } else {
        Err(failed)
    }
}

async fn fetch(client: &reqwest::Client, address: &str) -> Result<String, String> {
    let told = |error: reqwest::Error| causes(&error.without_url());
    let mut response = client.get(address).send().await.map_err(told)?;
    if !response.status().is_success() {
        return Err(format!("the server answers {}", response.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(told)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_BYTES {
            return Err("the answer is larger than 64 KiB".into());
        }
    }
    String::from_utf8(bytes).map_err(|_| "the answer is no text".into())
}

fn unreachable(place: Path, error: &reqwest::Error) -> Diagnostic {
    let detail = format!(
        "{}. Check the certificates that this machine trusts.",
        causes(error)
    );
    Diagnostic::error(place, "HTTPS cannot be set up", detail)
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
