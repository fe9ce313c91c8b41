//! What is left of a section that does not follow the schema, so that one fault does not hide the others: every part of
//! it that can be read by itself.
//!
//! Nothing here reports anything: the schema has. A plan is never made of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::auths::Auth;
use super::env::EnvSection;
use super::images::Images;
use super::logging::{LogRouter, Logging, Syslog};
use super::volumes::{EnvVolume, WorkloadVolume};
use super::workload::{Compose, WorkloadSection};
use super::{Present, present};
use crate::secret::SecretString;
use crate::yaml::Document;

/// A value, or none where it cannot be read.
struct Maybe<T>(Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(deserializer).ok()))
    }
}

impl<T: Default> Maybe<T> {
    fn or_default(self) -> T {
        self.0.unwrap_or_default()
    }
}

/// Entries by name, each read by itself.
type Named<T> = Maybe<BTreeMap<String, Maybe<T>>>;

/// The entries that can be read.
fn readable<T>(found: Named<T>) -> BTreeMap<String, T> {
    let found = found.or_default().into_iter();
    found
        .filter_map(|(name, entry)| Some((name, entry.0?)))
        .collect()
}

type Variables = Named<SecretString>;

/// A variable that cannot be read is there all the same: what uses it is not told to lack it.
fn variables(found: Variables) -> BTreeMap<String, SecretString> {
    let found = found.or_default().into_iter();
    found
        .map(|(name, value)| (name, value.or_default()))
        .collect()
}

/// A syslog collector, each key read by itself.
#[derive(Default, Deserialize)]
struct Collector {
    #[serde(default)]
    hostname: Maybe<String>,
    #[serde(default)]
    port: Maybe<u16>,
    #[serde(default)]
    server: Maybe<String>,
    cert: Option<Maybe<String>>,
    key: Option<Maybe<SecretString>>,
}

impl Collector {
    fn salvaged(self) -> Syslog {
        // One that cannot be read is not told to lack the other.
        let is_pair = !matches!(
            (&self.cert, &self.key),
            (Some(Maybe(None)), _) | (_, Some(Maybe(None)))
        );
        Syslog {
            hostname: self.hostname.or_default(),
            port: self.port.0,
            server: self.server.or_default(),
            cert: self.cert.and_then(|cert| cert.0).filter(|_| is_pair),
            key: self.key.and_then(|key| key.0).filter(|_| is_pair),
        }
    }
}

impl EnvSection {
    /// What is left of one that does not follow the schema.
    pub(crate) fn salvaged(document: &Document) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Sinks {
            #[serde(default)]
            log_router: Maybe<LogRouter>,
            #[serde(default)]
            syslog: Maybe<Collector>,
            #[serde(default, rename = "logDNA", deserialize_with = "present")]
            log_dna: Option<Present>,
        }
        #[derive(Default, Deserialize)]
        struct Rest {
            #[serde(default)]
            logging: Maybe<Sinks>,
            #[serde(default)]
            volumes: Named<EnvVolume>,
            #[serde(default)]
            auths: Named<Auth>,
            #[serde(default)]
            cacerts: Maybe<Vec<Maybe<BTreeMap<String, String>>>>,
            #[serde(default)]
            env: Variables,
        }
        let rest: Rest = document.read().unwrap_or_default();
        let authorities = rest.cacerts.or_default().into_iter();
        let logging = |sinks: Sinks| Logging {
            log_router: sinks.log_router.0,
            syslog: sinks.syslog.0.map(Collector::salvaged),
            log_dna: sinks.log_dna,
        };
        Self {
            logging: rest.logging.0.map(logging),
            volumes: readable(rest.volumes),
            auths: readable(rest.auths),
            // A place names an entry by its number.
            cacerts: authorities.map(Maybe::or_default).collect(),
            env: variables(rest.env),
            ..Self::default()
        }
    }
}

impl WorkloadSection {
    /// What is left of one that does not follow the schema.
    pub(crate) fn salvaged(document: &Document) -> Self {
        #[derive(Default, Deserialize)]
        struct Archive {
            #[serde(default)]
            archive: Maybe<String>,
        }
        #[derive(Default, Deserialize)]
        struct Volume {
            #[serde(default)]
            seed: Maybe<SecretString>,
            #[serde(default)]
            mount: Maybe<String>,
        }
        #[derive(Default, Deserialize)]
        struct Rest {
            #[serde(default)]
            compose: Maybe<Archive>,
            #[serde(default, deserialize_with = "present")]
            play: Option<Present>,
            #[serde(default)]
            env: Variables,
            #[serde(default)]
            images: Maybe<Images>,
            #[serde(default)]
            volumes: Named<Volume>,
            #[serde(default)]
            auths: Named<Auth>,
        }
        let rest: Rest = document.read().unwrap_or_default();
        let archive = rest.compose.or_default().archive.0;
        let volume = |(name, volume): (String, Maybe<Volume>)| {
            let volume = volume.or_default();
            let volume = WorkloadVolume {
                seed: volume.seed.or_default(),
                mount: volume.mount.0,
                ..WorkloadVolume::default()
            };
            (name, volume)
        };
        Self {
            compose: archive.map(|archive| Compose { archive }),
            play: rest.play,
            env: variables(rest.env),
            auths: readable(rest.auths),
            images: rest.images.or_default(),
            volumes: rest.volumes.or_default().into_iter().map(volume).collect(),
            ..Self::default()
        }
    }
}
