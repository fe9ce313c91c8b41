//! The contract as a container of the workload may read it (`/var/hyperprotect/user-data.decrypted`).
//!
//! What is kept is listed; every other value is replaced, so that a key nobody thought of stays out.

use serde_json::{Value, json};

use crate::error::ContractError;
use crate::yaml::{self, Document};

const REPLACEMENT: &str = "redacted";

/// What is kept of the workload section: the workload's own, without seeds and credentials. `*` is any one key, and what
/// lies below a kept key is kept.
const WORKLOAD: &[&str] = &[
    "type",
    "compose",
    "play",
    "env",
    "images",
    "envPolicy",
    "volumes/*/mount",
    "volumes/*/filesystem",
    "volumes/*/create",
    "volumes/*/headerRecord",
];

/// What is kept of the env section: the deployer's, of which the workload may know little.
const ENV: &[&str] = &[
    "type",
    "logging/logRouter/hostname",
    "logging/logRouter/port",
    "logging/syslog/hostname",
    "logging/syslog/port",
    "signingKey",
    "workloadPolicy",
    "volumes/*/volumeID",
    "volumes/*/volumeName",
    "volumes/*/create",
    "volumes/*/headerRecord",
];

/// Both sections as YAML, with what is not kept replaced.
pub(crate) fn redact(workload: &Document, env: &Document) -> Result<String, ContractError> {
    let mut contract = json!({
        "env": kept(env.to_json(), ENV),
        "workload": kept(workload.to_json(), WORKLOAD),
    });
    let text = yaml::write(&contract);
    yaml::wipe(&mut contract);
    text
}

fn kept(mut section: Value, keep: &[&str]) -> Value {
    replace(&mut section, &mut Vec::new(), keep);
    section
}

fn replace(value: &mut Value, path: &mut Vec<String>, keep: &[&str]) {
    if keep.iter().any(|pattern| matches(pattern, path)) {
        return;
    }
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                path.push(key.clone());
                replace(value, path, keep);
                path.pop();
            }
        }
        Value::Null => {}
        other => {
            yaml::wipe(other);
            *other = Value::String(REPLACEMENT.into());
        }
    }
}

fn matches(pattern: &str, path: &[String]) -> bool {
    let parts: Vec<&str> = pattern.split('/').collect();
    parts.len() == path.len()
        && parts
            .iter()
            .zip(path)
            .all(|(part, key)| *part == "*" || part == key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::messages::SCHEMA_PARSE_CONTRACT;

    fn document(text: &str) -> Document {
        Document::parse(text, "section", SCHEMA_PARSE_CONTRACT).unwrap()
    }

    #[test]
    fn no_seed_key_credential_or_foreign_variable_is_left_and_the_rest_is() {
        let workload = document(
            "type: workload\ncompose: {archive: H4sI}\nenv: {OWN: mine, N: '1'}\nauths: {reg: {username: hunter2, password: hunter2}}\n\
             volumes: {data: {seed: hunter2, previousSeed: hunter2, mount: /mnt/data}}\nconfidential-containers: {key: hunter2}\n\
             unknown: [hunter2, {a: hunter2}]\n",
        );
        let env = document(
            "type: env\nlogging: {syslog: {hostname: logs, port: 6514, key: hunter2, server: hunter2}}\nenv: {PASSWORD: hunter2}\n\
             volumes: {data: {seed: hunter2, apiKey: hunter2, volumeID: abc, kms: [{apiKey: hunter2}]}}\n\
             auths: {reg: {username: hunter2, password: hunter2}}\nsigningKey: QUJD\nnumber: 42424242\n",
        );
        let text = redact(&workload, &env).unwrap();
        assert!(
            !text.contains("hunter2") && !text.contains("42424242"),
            "{text}"
        );
        let read = document(&text).to_json();
        assert_eq!(read["workload"]["env"], json!({"OWN": "mine", "N": "1"}));
        assert_eq!(read["workload"]["compose"]["archive"], "H4sI");
        assert_eq!(
            read["workload"]["volumes"]["data"],
            json!({"mount": "/mnt/data", "previousSeed": "redacted", "seed": "redacted"})
        );
        assert_eq!(read["env"]["env"]["PASSWORD"], "redacted");
        assert_eq!(read["env"]["logging"]["syslog"]["port"], 6514);
        assert_eq!(read["env"]["volumes"]["data"]["kms"], "redacted");
    }
}
