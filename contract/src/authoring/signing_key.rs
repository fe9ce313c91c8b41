//! `env.signingKey` (specification 2.6): put in before an env section is sealed, and found again to verify.
//!
//! What is put in is base64 of the public key's PEM text with its last newline, as `contract-go` does it. A certificate
//! of the same key stays, since it says when the contract expires; another key is never overwritten.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::certificate::PublicKey;
use crate::error::ContractError;
use crate::finding::{Finding, Place};
use crate::messages;
use crate::opening;
use crate::private_key::PrivateKey;
use crate::token::is_sealed;
use crate::token::openssl::DecryptionKey;
use crate::user_data::Text;
use crate::yaml::{self, Document};

const KEY: &str = "signingKey";

/// The env section with the key that signs in it; a sealed one stays as it is.
pub(super) fn add(env: Text, key: &PrivateKey, place: &Place) -> Result<Text, Vec<Finding>> {
    if is_sealed(&env.0) {
        return Ok(env);
    }
    let failed = |error: ContractError| vec![error.at(place.clone())];
    let mut section = read(&env.0, place)?;
    let key = key.public_key().map_err(failed)?;
    if let Some(there) = text_of(&section) {
        let there = PublicKey::parse(there.as_bytes()).map_err(failed)?;
        yaml::wipe(&mut section);
        return match there.is_same_key(&key) {
            true => Ok(env),
            false => Err(finding(
                place,
                "env.signingKey is another key than the one that signs",
                "sign with that key, or remove env.signingKey: the right one is put in",
            )),
        };
    }
    let text = STANDARD.encode(key.pem());
    // A line at the end keeps the author's own text; what does not take it so is written anew.
    let gap = if env.0.ends_with('\n') { "" } else { "\n" };
    let appended = Zeroizing::new(format!("{}{gap}{KEY}: {text}\n", *env.0));
    section[KEY] = text.into();
    let fits = Document::parse(&appended, "env", messages::SCHEMA_PARSE_CONTRACT)
        .is_ok_and(|document| is_exactly(&document, &section));
    let written = match fits {
        true => Ok(appended),
        false => yaml::write(&section).map(Zeroizing::new),
    };
    yaml::wipe(&mut section);
    written.map(Text).map_err(failed)
}

/// The key that an env section names.
pub(super) fn find(
    env: &Text,
    key: Option<&DecryptionKey>,
    place: &Place,
) -> Result<PublicKey, Vec<Finding>> {
    let clear = opening::clear(env, key.into(), place).map_err(|finding| vec![finding])?;
    let mut section = read(&clear.text, place)?;
    let text = text_of(&section).map(str::to_owned);
    yaml::wipe(&mut section);
    match text {
        Some(text) => {
            PublicKey::parse(text.as_bytes()).map_err(|error| vec![error.at(place.clone())])
        }
        None => Err(finding(
            place,
            "the env section holds no signingKey",
            "give the public key of the signer, or add env.signingKey and sign again",
        )),
    }
}

/// The section as JSON: a mapping.
fn read(env: &str, place: &Place) -> Result<Value, Vec<Finding>> {
    let document =
        Document::parse(env, "env", messages::SCHEMA_PARSE_CONTRACT).map_err(|mut found| {
            found.place = found.place.inside(place.clone());
            vec![found]
        })?;
    match document.to_json() {
        section @ Value::Object(_) => Ok(section),
        mut other => {
            yaml::wipe(&mut other);
            Err(finding(
                place,
                "the env section is not a mapping",
                "write `type: env` and what belongs to it",
            ))
        }
    }
}

fn text_of(section: &Value) -> Option<&str> {
    section.get(KEY)?.as_str()
}

fn is_exactly(document: &Document, section: &Value) -> bool {
    let mut json = document.to_json();
    let same = json == *section;
    yaml::wipe(&mut json);
    same
}

fn finding(place: &Place, cause: &str, remedy: &str) -> Vec<Finding> {
    vec![Finding::new(
        messages::SIGNATURE_INVALID,
        place.clone(),
        cause,
        remedy,
    )]
}
