//! What is left of a section that does not follow the schema, so that one fault does not hide the others: its variables,
//! where its volumes are mounted, and what it says of its containers.
//!
//! Nothing here reports anything: the schema has. A plan is never made of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::env::EnvSection;
use super::images::Images;
use super::volumes::WorkloadVolume;
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

type Variables = Maybe<BTreeMap<String, Maybe<SecretString>>>;

/// A variable that cannot be read is there all the same: what uses it is not told to lack it.
fn variables(found: Variables) -> BTreeMap<String, SecretString> {
    let found = found.or_default().into_iter();
    found
        .map(|(name, value)| (name, value.or_default()))
        .collect()
}

impl EnvSection {
    /// What is left of one that does not follow the schema.
    pub(crate) fn salvaged(document: &Document) -> Self {
        #[derive(Default, Deserialize)]
        struct Rest {
            #[serde(default)]
            env: Variables,
        }
        let rest: Rest = document.read().unwrap_or_default();
        Self {
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
            volumes: Maybe<BTreeMap<String, Maybe<Volume>>>,
        }
        let rest: Rest = document.read().unwrap_or_default();
        let archive = rest.compose.or_default().archive.0;
        let volume = |(name, volume): (String, Maybe<Volume>)| {
            let volume = WorkloadVolume {
                mount: volume.or_default().mount.0,
                ..WorkloadVolume::default()
            };
            (name, volume)
        };
        Self {
            compose: archive.map(|archive| Compose { archive }),
            play: rest.play,
            env: variables(rest.env),
            images: rest.images.or_default(),
            volumes: rest.volumes.or_default().into_iter().map(volume).collect(),
            ..Self::default()
        }
    }
}
