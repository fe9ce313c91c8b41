//! The pure core of the confidential container appliance: bytes of a contract in, a typed [`plan::Plan`] out.
//!
//! Nothing here reads a clock, a network or a device; time is a parameter. `hpcr-check` and the guest call the same
//! functions, so what one accepts the other accepts.
#![forbid(unsafe_code)]

pub mod attestation;
pub mod authoring;
pub mod certificate;
pub mod confidential_containers;
mod consent;
pub mod contents;
pub mod disclosure;
pub mod error;
pub mod finding;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod image_config;
pub mod lone;
pub mod messages;
pub mod migration;
pub mod network;
mod opening;
pub mod parallel;
pub mod passphrase;
mod pem;
pub mod plan;
pub mod planning;
pub mod preflight;
pub mod private_key;
pub mod product;
pub mod public;
mod redaction;
pub mod review;
pub mod schema;
pub mod secret;
pub mod sections;
pub mod seed;
pub mod signature;
pub mod sources;
mod spelling;
pub mod stages;
pub mod tgz;
pub mod token;
pub mod user_data;
pub mod workload;
pub mod yaml;

#[cfg(test)]
mod testing;
