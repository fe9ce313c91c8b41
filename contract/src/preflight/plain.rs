//! Secrets in a section that anybody who holds the contract can read: told once a section, at the first of them, with the
//! keys of all.
//!
//! What is a secret is known by its key; of variables, by the words of their names. A variable of another name may be a
//! secret, too.

use std::collections::BTreeMap;

use super::warn;
use crate::certificate::PublicKey;
use crate::finding::Finding;
use crate::messages;
use crate::planning::Part;
use crate::public::shown_path;
use crate::secret::{ExposeSecret as _, SecretString};
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::yaml::{Document, Kind, Node, step};

mod containers;

/// The most keys that are named.
const MOST_NAMED: usize = 8;
/// Words of a variable's name that make it one of a secret.
const SECRET: [&str; 13] = [
    "APIKEY",
    "CREDENTIAL",
    "CREDENTIALS",
    "KEY",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PRIVATEKEY",
    "PWD",
    "SECRET",
    "SECRETS",
    "TOKEN",
];
/// Words that say that the value is something about a secret, and none.
const ABOUT: [&str; 12] = [
    "ALGORITHM",
    "DIR",
    "ENABLED",
    "FILE",
    "ID",
    "LENGTH",
    "NAME",
    "PATH",
    "PUBLIC",
    "TTL",
    "TYPE",
    "URL",
];

/// The secrets of a workload section.
pub(super) fn of_workload(part: &Part<'_, WorkloadSection>) -> Option<Finding> {
    let section = part.section;
    let mut pointers = common(
        section.volumes.is_empty(),
        section.auths.is_empty(),
        section.contract_id.is_some(),
    );
    pointers.extend(variables(&section.env));
    let mut secrets: Vec<_> = pointers.into_iter().map(Secret::at).collect();
    secrets.extend(containers::secrets(part));
    secrets.extend(confidential(part.document).into_iter().map(Secret::at));
    told(part.document, &secrets)
}

/// The secrets of an env section.
pub(super) fn of_env(part: &Part<'_, EnvSection>) -> Option<Finding> {
    let section = part.section;
    let mut pointers = Vec::new();
    if let Some(logging) = &section.logging {
        if logging
            .syslog
            .as_ref()
            .is_some_and(|syslog| syslog.key.is_some())
        {
            pointers.push("/logging/syslog/key".to_owned());
        }
        if logging.log_router.is_some() {
            pointers.push("/logging/logRouter/iamApiKey".to_owned());
        }
        if logging.log_dna.is_some() {
            pointers.push("/logging/logDNA".to_owned());
        }
    }
    pointers.extend(common(
        section.volumes.is_empty(),
        section.auths.is_empty(),
        section.contract_id.is_some(),
    ));
    pointers.extend(variables(&section.env));
    pointers.extend(confidential(part.document));
    let secrets: Vec<_> = pointers.into_iter().map(Secret::at).collect();
    told(part.document, &secrets)
}

/// What a contract of confidential containers has as its secret, but for public keys.
fn confidential(document: &Document) -> Vec<String> {
    let group = document.root().get("confidential-containers");
    let Some(Kind::Mapping(entries)) = group
        .and_then(|group| group.get("secret"))
        .map(|node| &node.kind)
    else {
        return Vec::new();
    };
    let is_public = |node: &Node| {
        let text = node.text().unwrap_or_default();
        PublicKey::parse(text.as_bytes()).is_ok()
    };
    let secret = entries.iter().filter(|(_, node)| !is_public(node));
    secret
        .map(|(key, _)| format!("/confidential-containers/secret/{}", step(&key.name)))
        .collect()
}

fn common(no_volumes: bool, no_auths: bool, has_id: bool) -> Vec<String> {
    let keys = [
        (!no_volumes, "/volumes"),
        (!no_auths, "/auths"),
        (has_id, "/contractId"),
    ];
    let there = keys.into_iter().filter(|(is_there, _)| *is_there);
    there.map(|(_, pointer)| pointer.to_owned()).collect()
}

fn variables(env: &BTreeMap<String, SecretString>) -> impl Iterator<Item = String> {
    env.iter()
        .filter(|(name, value)| is_secret(name) && !value.expose_secret().is_empty())
        .map(|(name, _)| format!("/env/{name}"))
}

/// Whether the words of a name speak of a secret: `DB_PASSWORD`, `apiToken`; not `TLS_KEY_FILE`.
fn is_secret(name: &str) -> bool {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(&SECRET) && !has(&ABOUT)
}

/// The words of a name in capitals: they end at what is no letter, and before a capital that follows a small letter.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for letter in name.chars() {
        let is_word = letter.is_ascii_alphabetic();
        if !is_word || (after_small && letter.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (is_word, words.last_mut()) {
            word.push(letter.to_ascii_uppercase());
        }
        after_small = letter.is_ascii_lowercase();
    }
    words
}

/// A secret of a section.
struct Secret {
    /// Where it stands in the section.
    pointer: String,
    name: String,
}

impl Secret {
    fn at(pointer: String) -> Self {
        let name = shown_path(&pointer);
        Self { pointer, name }
    }

    /// One in a file of the archive that stands at `pointer`.
    fn within(pointer: &str, file: &str, inner: &str) -> Self {
        Self {
            pointer: pointer.to_owned(),
            name: format!("{} → {file}: {}", shown_path(pointer), shown_path(inner)),
        }
    }
}

fn told(document: &Document, secrets: &[Secret]) -> Option<Finding> {
    let first = &secrets.first()?.pointer;
    let named: Vec<String> = secrets
        .iter()
        .take(MOST_NAMED)
        .map(|secret| format!("`{}`", secret.name))
        .collect();
    let more = match secrets.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let cause = format!(
        "the section is not sealed: {}{more} can be read by anybody who holds the contract",
        named.join(", ")
    );
    Some(warn(
        messages::PLAIN_SECRETS,
        document,
        first,
        cause,
        "seal the section (`hpcr-check encrypt`) before it leaves this machine",
    ))
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn a_secret_is_known_by_the_words_of_its_name() {
        for (name, expected) in [
            ("PASSWORD", true),
            ("DB_PASSWORD_2", true),
            ("POSTGRES_PASSWORD", true),
            ("apiToken", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("ENCRYPTION_KEY", true),
            ("PASSWORD_FILE", false),
            ("TLS_KEY_PATH", false),
            ("PUBLIC_KEY", false),
            ("KEYBOARD", false),
            ("BYPASS", false),
            ("TOKEN_URL", false),
            ("REGISTRY", false),
            ("AWS_ACCESS_KEY_ID", false),
        ] {
            assert_eq!(is_secret(name), expected, "{name}");
        }
    }
}
