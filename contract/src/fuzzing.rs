//! Doors to every parser of outside bytes in this crate: one table for the fuzz targets of `tests/fuzz`, which search, and
//! for the tests below, which replay what is known on stable Rust. Compiled for those two alone.
//!
//! A door takes any bytes and gives nothing: it holds as long as it neither panics nor takes more than its bounds.

use std::collections::BTreeMap;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::certificate::PublicKey;
use crate::confidential_containers::initdata::Initdata;
use crate::confidential_containers::sealed_secret::{self, Party};
use crate::finding::Place;
use crate::messages;
use crate::private_key::PrivateKey;
use crate::product::Product;
use crate::secret::SecretString;
use crate::stages::{Agreed, Keys, Sealed};
use crate::token::age;
use crate::token::openssl::{DecryptionKey, Token};
use crate::yaml::Document;
use crate::{attestation as record, workload as model};

/// A parser behind its name, which is also the name of its fuzz target and of the folder of its seeds.
pub type Door = (&'static str, fn(&[u8]));

/// All doors.
pub const DOORS: &[Door] = &[
    ("age", age),
    ("attestation", attestation),
    ("certificate", certificate),
    ("compose", compose),
    ("compose_archive", compose_archive),
    ("env", env),
    ("initdata", initdata),
    ("network", network),
    ("pod", pod),
    ("sealed_secret", sealed_secret),
    ("template", template),
    ("token", token),
    ("user_data", user_data),
    ("workload", workload),
];

/// A key that seeds of the age door are sealed to. It is worth nothing.
const IDENTITY: &str = "AGE-SECRET-KEY-1Q9YP6A3K5DJKY7736GJDVGNKD29GLTXP60LEH9TRZD763YML0SWQQ3RWH9";

/// A section sealed as an age file.
pub fn age(bytes: &[u8]) {
    if let (Ok(text), Ok(identity)) = (
        std::str::from_utf8(bytes),
        age::Identity::from_text(IDENTITY),
    ) {
        let _ = age::open(text, &identity);
    }
}

/// Initdata: as the annotation, and as the document inside of it.
pub fn initdata(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Initdata::decode(text);
    }
    if let Some(gzip) = gzip(bytes) {
        let _ = Initdata::decode(&STANDARD.encode(gzip));
    }
}

/// The key pair of the golden vectors, which is worth nothing.
const KEY: &[u8] = include_bytes!("../tests/golden/key.pem");

/// A sealed secret: as it comes, and with a payload behind a good signature.
pub fn sealed_secret(bytes: &[u8]) {
    let (Ok(key), Ok(signer)) = (DecryptionKey::from_pem(KEY), PrivateKey::from_pem(KEY)) else {
        return;
    };
    let Ok(public) = signer.public_key() else {
        return;
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = sealed_secret::open(text, Party::Env, &key, &public);
    }
    if let Ok(text) = sealed_secret::signed(bytes, Party::Env, &signer) {
        let _ = sealed_secret::open(&text, Party::Env, &key, &public);
    }
}

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
    if let Some(bytes) = gzip(tar)
        && let Ok(files) = model::archive::files(&STANDARD.encode(bytes))
        && let Ok(archive) = model::archive::with_compose(files)
    {
        let variables = variables();
        let place = Place::at("workload", "compose.archive");
        let _ = model::compose::read(archive, &given(&variables), &place);
    }
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).ok()?;
    gzip.finish().ok()
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
            let _ = model::pod::read(
                &section,
                &model::archive::Unpacked::default(),
                &given(&variables),
            );
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
        is_open: false,
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
