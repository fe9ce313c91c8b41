//! What differs between two contracts, key by key. Order and spelling of YAML mean nothing; a secret that differs is told
//! as different, and nothing more of it.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::{Contents, shown};
use crate::public::shown_key;

/// One difference. A value that may be secret is hidden; a mapping or list that came or went is told by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The key path (`workload.volumes.data.mount`).
    pub path: String,
    /// What stood there; none where the key is new.
    pub before: Option<Value>,
    /// What stands there; none where the key is gone.
    pub after: Option<Value>,
}

impl Contents {
    /// What it takes to get from this contract to another.
    pub fn changes(&self, other: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        compare(
            &mut Walk::default(),
            Some(&self.tree),
            Some(&other.tree),
            &mut changes,
        );
        changes
    }
}

/// Where a comparison is.
#[derive(Default)]
struct Walk<'t> {
    names: Vec<&'t str>,
    path: Vec<String>,
}

fn compare<'t>(
    walk: &mut Walk<'t>,
    before: Option<&'t Value>,
    after: Option<&'t Value>,
    changes: &mut Vec<Change>,
) {
    match (before, after) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                walk.names.push(key);
                walk.path.push(format!(".{}", shown_key(key)));
                compare(walk, one.get(key), other.get(key), changes);
                walk.path.pop();
                walk.names.pop();
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for index in 0..one.len().max(other.len()) {
                walk.path.push(format!("[{index}]"));
                compare(walk, one.get(index), other.get(index), changes);
                walk.path.pop();
            }
        }
        (one, other) if one == other => {}
        (one, other) => {
            let tell = |value: &Value| match value {
                Value::Object(_) => Value::String("a mapping".into()),
                Value::Array(_) => Value::String("a list".into()),
                leaf => shown(leaf, &walk.names),
            };
            changes.push(Change {
                path: walk.path.concat().trim_start_matches('.').to_owned(),
                before: one.map(tell),
                after: other.map(tell),
            });
        }
    }
}

/// `~ workload.volumes.data.mount: /mnt/a -> /mnt/b`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        match (&self.before, &self.after) {
            (None, Some(after)) => write!(f, "+ {}: {}", self.path, text(after)),
            (Some(before), None) => write!(f, "- {}: {}", self.path, text(before)),
            (Some(before), Some(after)) if before == after => {
                write!(f, "~ {}: another value", self.path)
            }
            (Some(before), Some(after)) => {
                write!(f, "~ {}: {} -> {}", self.path, text(before), text(after))
            }
            (None, None) => Ok(()),
        }
    }
}
