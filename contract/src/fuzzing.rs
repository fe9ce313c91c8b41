//! Doors to every parser of outside bytes in this crate: one table for the fuzz targets of `tests/fuzz`, which search, and
//! for the tests below, which replay what is known on stable Rust. Compiled for those two alone.
//!
//! A door takes any bytes and gives nothing: it holds as long as it neither panics nor takes more than its bounds.

use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine as _;

use crate::certificate::PublicKey;
use crate::finding::Place;
use crate::messages;
use crate::product::Product;
use crate::secret::SecretString;
use crate::stages::{Agreed, Keys, Sealed};
use crate::token::openssl::Token;
use crate::yaml::Document;
use crate::{attestation as record, workload as model};

/// A parser behind its name, which is also the name of its fuzz target and of the folder of its seeds.
pub type Door = (&'static str, fn(&[u8]));

/// All doors.
pub const DOORS: &[Door] = &[
    ("attestation", attestation),
    ("certificate", certificate),
    ("compose", compose),
    ("compose_archive", compose_archive),
    ("env", env),
    ("network", network),
    ("pod", pod),
    ("template", template),
    ("token", token),
    ("user_data", user_data),
    ("workload", workload),
];

/// An attestation record, as tools read it.
pub fn attestation(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = record::parse(text);
    }
}

/// `signingKey` in all its forms.
pub fn certificate(bytes: &[u8]) {
    let _ = PublicKey::parse(bytes);
}

/// A compose file in an archive.
pub fn compose(bytes: &[u8]) {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    if tar
        .append_data(&mut header, "docker-compose.yaml", bytes)
        .is_ok()
        && let Ok(tar) = tar.into_inner()
    {
        compose_archive(&tar);
    }
}

/// A compose archive, from inside of its base64 and gzip, as far as a plan.
pub fn compose_archive(tar: &[u8]) {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    if gzip.write_all(tar).is_ok()
        && let Ok(bytes) = gzip.finish()
    {
        let archive = base64::engine::general_purpose::STANDARD.encode(bytes);
        if let Ok(archive) = model::archive::unpack(&archive) {
            let variables = variables();
            let place = Place::at("workload", "compose.archive");
            let _ = model::compose::read(archive, &given(&variables), &place);
        }
    }
}

/// A Pod or a ConfigMap, as a resource and as a template.
pub fn pod(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let variables = variables();
    for way in ["resources", "templates"] {
        let lines: Vec<_> = text.lines().map(|line| format!("    {line}\n")).collect();
        let section = format!("play:\n  {way}:\n  -\n{}", lines.concat());
        if let Ok(section) = Document::parse(&section, "workload", messages::PODS_FAILED) {
            let _ = model::pod::read(&section, &given(&variables));
        }
    }
}

/// A template in a value of a Pod.
pub fn template(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = model::template::Templates::new(&variables()).render(text);
    }
}

fn variables() -> BTreeMap<String, SecretString> {
    [("NAME", "web"), ("PORT", "8080"), ("EMPTY", "")]
        .map(|(name, value)| (name.to_owned(), SecretString::from(value)))
        .into()
}

fn given(variables: &BTreeMap<String, SecretString>) -> model::Given<'_> {
    model::Given {
        variables,
        volumes: &[],
        signed: &[],
    }
}

/// The deployer's section beside a workload that is good.
pub fn env(bytes: &[u8]) {
    sections(b"type: workload\ncompose: {archive: H4sIAAAA}\n", bytes);
}

/// The workload provider's section beside an env that is good.
pub fn workload(bytes: &[u8]) {
    sections(
        bytes,
        b"type: env\nlogging: {syslog: {hostname: logs.example, server: Q0E=}}\n",
    );
}

/// Two sections as literal text, which is how they look when they have come out of tokens.
fn sections(workload: &[u8], env: &[u8]) {
    let text = |section| serde_json::Value::from(String::from_utf8_lossy(section));
    user_data(format!("workload: {}\nenv: {}\n", text(workload), text(env)).as_bytes());
}

/// The seed disk's network configuration, as the guest and as authors read it.
pub fn network(bytes: &[u8]) {
    let _ = crate::network::parse(bytes, "network-config");
    let _ = crate::network::check(bytes, "network-config", false);
}

/// A token before it is opened.
pub fn token(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Token::parse(text);
    }
}

/// The seed disk's `user-data`: from bytes to a plan, as the guest does it with a contract that has no tokens.
pub fn user_data(bytes: &[u8]) {
    if let Ok(verified) = Sealed::parse(bytes, "user-data")
        .and_then(|sealed| sealed.open(Keys::default()))
        .and_then(|opened| opened.verify(Product::default()))
    {
        let _ = verified.redacted();
        let _ = verified.agree().and_then(Agreed::plan);
    }
}

#[cfg(test)]
mod tests;
