//! What each key of the published images' contracts means here: the page that a person would write, as data.
//!
//! Keys that this guest refuses are not listed: whoever makes the plan refuses them, with their place.

use serde_json::Value;

/// What becomes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It means the same here.
    Stays,
    /// It is written anew.
    Changes,
    /// It is left out: it changes nothing here.
    Goes,
    /// A person has to decide.
    Human,
}

impl Fate {
    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stays => "stays",
            Self::Changes => "changes",
            Self::Goes => "goes",
            Self::Human => "human",
        }
    }
}

/// A row of the table.
pub(super) struct Row {
    section: &'static str,
    /// A path in the section; `*` is any key.
    pub(super) key: &'static str,
    /// It stands only for what has this key beside it, or has it not.
    beside: Option<(&'static str, bool)>,
    pub(super) fate: Fate,
    pub(super) why: &'static str,
    /// What to do, where a person has to.
    pub(super) remedy: &'static str,
}

const fn stays(section: &'static str, key: &'static str, why: &'static str) -> Row {
    Row {
        section,
        key,
        beside: None,
        fate: Fate::Stays,
        why,
        remedy: "",
    }
}

const fn previous(section: &'static str) -> Row {
    Row {
        section,
        key: "volumes/*/previousSeed",
        beside: None,
        fate: Fate::Human,
        why: "the guest changes no key of a volume: it opens it with `seed`, and stops where only the previous one fits",
        remedy: "let the former image make the change, then remove `previousSeed`; or write the previous seed as `seed`",
    }
}

const fn goes(key: &'static str, beside: Option<(&'static str, bool)>, why: &'static str) -> Row {
    Row {
        section: "env",
        key,
        beside,
        fate: Fate::Goes,
        why,
        remedy: "",
    }
}

const SEED: &str = "the same passphrase is made of both seeds (SHA-256 of env's, then workload's): a volume that was made there opens here";

const CONSENT: &str = "both parties agree by it, as this appliance has it";

const TABLE: &[Row] = &[
    stays(
        "workload",
        "compose/archive",
        "the compose file means the same",
    ),
    stays("workload", "play/archive", "the Pods mean the same"),
    stays("workload", "play/resources", "the Pods mean the same"),
    stays(
        "workload",
        "play/templates",
        "the same template language, as far as Helm users write it",
    ),
    stays(
        "workload",
        "env",
        "variables for interpolation; they win over the deployer's",
    ),
    stays(
        "workload",
        "auths",
        "credentials by registry; they win over the deployer's",
    ),
    stays("workload", "contractId", CONSENT),
    stays("workload", "envPolicy", CONSENT),
    stays("env", "contractId", CONSENT),
    stays("env", "workloadPolicy", CONSENT),
    stays(
        "workload",
        "images",
        "not needed for an image by digest, which is what runs here",
    ),
    stays("workload", "volumes/*/seed", SEED),
    previous("workload"),
    stays("workload", "volumes/*/mount", "the same path in the guest"),
    stays("workload", "volumes/*/filesystem", "for a new volume"),
    stays(
        "env",
        "logging/syslog",
        "the same protocol: RFC 5424 over mutual TLS",
    ),
    // Where a collector is named; else the plan refuses them.
    stays("env", "logging/logRouter", ""),
    Row {
        beside: Some(("syslog", false)),
        ..stays("env", "logging/logDNA", "")
    },
    stays("env", "env", "variables for interpolation"),
    stays("env", "auths", "credentials by registry"),
    stays("env", "cacerts", "further authorities for registries"),
    stays(
        "env",
        "signingKey",
        "the key that verifies the signature; a certificate's end is the contract's",
    ),
    stays("env", "volumes/*/seed", SEED),
    previous("env"),
    stays(
        "env",
        "volumes/*/volumeID",
        "the disk must carry it as its serial (its first 20 characters); the one spare disk serves else",
    ),
    stays(
        "env",
        "volumes/*/volumeName",
        "the disk must carry it as its serial, where there is no volumeID; the one spare disk serves else",
    ),
    goes(
        "volumes/*/apiKey",
        None,
        "left out: the guest knows disks by their serial and asks no cloud",
    ),
    goes(
        "volumes/*/kmsTimeout",
        Some(("kms", false)),
        "left out: there is no `kms`",
    ),
    goes(
        "logging/logDNA",
        Some(("syslog", true)),
        "left out: lines go to the other sink that is named",
    ),
];

/// The rows of a section.
pub(super) fn rows(section: &str) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.section == section)
}

/// The JSON pointers of all that a path names in a tree.
fn expand(tree: &Value, path: &str) -> Vec<String> {
    let mut found = vec![(String::new(), tree)];
    for part in path.split('/') {
        let mut next = Vec::new();
        for (pointer, value) in found {
            let Value::Object(map) = value else { continue };
            for (key, value) in map
                .iter()
                .filter(|(key, _)| part == "*" || part == key.as_str())
            {
                let key = crate::yaml::step(key);
                next.push((format!("{pointer}/{key}"), value));
            }
        }
        found = next;
    }
    found.into_iter().map(|(pointer, _)| pointer).collect()
}

impl Row {
    /// The JSON pointers of all that it is about.
    pub(super) fn pointers(&self, tree: &Value) -> Vec<String> {
        let mut pointers = expand(tree, self.key);
        pointers.retain(|pointer| {
            let above = pointer
                .rsplit_once('/')
                .and_then(|(above, _)| tree.pointer(above));
            self.beside.is_none_or(|(key, is_there)| {
                above.is_some_and(|above| above.get(key).is_some() == is_there)
            })
        });
        pointers
    }

    /// Takes all that it is about out of a tree, and wipes it.
    pub(super) fn remove(&self, tree: &mut Value) {
        for pointer in self.pointers(tree) {
            let Some((above, key)) = pointer.rsplit_once('/') else {
                continue;
            };
            let key = key.replace("~1", "/").replace("~0", "~");
            if let Some(Value::Object(map)) = tree.pointer_mut(above)
                && let Some(mut gone) = map.remove(&key)
            {
                crate::yaml::wipe(&mut gone);
            }
        }
    }
}
