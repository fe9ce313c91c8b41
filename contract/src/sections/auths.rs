//! Registry credentials (`auths` of both sections; specification 1.4).
//!
//! This module never merges the two sections' credentials: `planning` does.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::secret::SecretString;

/// Credentials by registry, as the contract names it (`registry.example:5000`, `https://index.docker.io/v1/`).
pub type Auths = BTreeMap<String, Auth>;

/// The credentials of one registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// User name.
    pub username: String,
    /// Password or token.
    pub password: SecretString,
}
