//! One section on its way: what it said, and what it says from now on. Its tree holds secrets and wipes itself.

use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::table::{self, Fate};
use super::{Collector, Target};
use crate::finding::Finding;
use crate::secret::ExposeSecret as _;
use crate::yaml::{self, Document};

/// A section in the clear.
pub(super) struct Half {
    pub(super) name: &'static str,
    /// As it was written; none where it is a mapping.
    pub(super) read: Option<Zeroizing<String>>,
    pub(super) document: Document,
    pub(super) tree: Value,
}

impl Drop for Half {
    fn drop(&mut self) {
        yaml::wipe(&mut self.tree);
    }
}

impl Half {
    /// The section: the text that it was where nothing changes, and the mapping that it was unless it has to be text.
    pub(super) fn value(&self, is_changed: bool, of_text: bool) -> Result<Value, Finding> {
        match &self.read {
            Some(text) if !is_changed => Ok(text.as_str().into()),
            None if !of_text => Ok(self.tree.clone()),
            _ => yaml::write(&self.tree)
                .map(Value::from)
                .map_err(|error| error.at(self.document.place(""))),
        }
    }

    /// Leaves out what goes, and puts in what comes; whether that changed anything.
    pub(super) fn rewrite(&mut self, target: &Target<'_>) -> bool {
        let mut before = self.tree.clone();
        for row in table::rows(self.name).filter(|row| row.fate == Fate::Goes) {
            row.remove(&mut self.tree);
        }
        if let (Some(collector), Value::Object(section)) = (target.collector, &mut self.tree) {
            section.insert("logging".into(), json!({"syslog": syslog(collector)}));
        }
        if let (Some(_), Value::Object(section)) = (target.signer, &mut self.tree) {
            // Put in again with the signature.
            section.remove("signingKey");
        }
        let is_changed = before != self.tree;
        yaml::wipe(&mut before);
        is_changed
    }
}

/// `logging.syslog` of a collector.
fn syslog(collector: &Collector) -> Value {
    let mut syslog = Map::new();
    syslog.insert("hostname".into(), json!(collector.hostname));
    if let Some(port) = collector.port {
        syslog.insert("port".into(), json!(port));
    }
    syslog.insert("server".into(), json!(collector.server));
    if let Some((certificate, key)) = &collector.client {
        syslog.insert("cert".into(), json!(certificate));
        syslog.insert("key".into(), json!(key.expose_secret()));
    }
    Value::Object(syslog)
}
