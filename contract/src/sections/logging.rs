//! Where the lines of the guest go (`env.logging`; specification 1.3).
//!
//! Unknown siblings of the two sinks are tolerated, as the published schema does; unknown keys within a sink are not.

use serde::Deserialize;

use super::{Present, present};
use crate::secret::SecretString;

/// `env.logging`: exactly one of the first two is given, or the third alone, which `planning` checks.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logging {
    /// IBM Cloud Logs.
    pub log_router: Option<LogRouter>,
    /// RFC 5424 over TLS.
    pub syslog: Option<Syslog>,
    /// The former log service: known, so that it can be refused by name.
    #[serde(default, rename = "logDNA", deserialize_with = "present")]
    pub log_dna: Option<Present>,
}

/// `env.logging.logRouter`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LogRouter {
    /// Host name of the ingress endpoint.
    pub hostname: String,
    /// IAM API key of a service ID.
    pub iam_api_key: SecretString,
    /// TCP port.
    pub port: Option<u16>,
    /// Tags of every line; the schema knows them for one product alone.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// `env.logging.syslog`; certificates and key are PEM or base64 of PEM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Syslog {
    /// Host name or address of the collector.
    pub hostname: String,
    /// TCP port.
    pub port: Option<u16>,
    /// One or more authorities that may vouch for the collector.
    pub server: String,
    /// The guest's own certificate.
    pub cert: Option<String>,
    /// The key of that certificate.
    pub key: Option<SecretString>,
}
