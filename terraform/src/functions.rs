//! What configurations call: one file a function.

pub(crate) mod attestation_open;
pub(crate) mod attestation_verify;
#[cfg(unix)]
pub(crate) mod deploy;
pub(crate) mod derive_seed;
pub(crate) mod encrypt;
#[cfg(unix)]
mod options;
pub(crate) mod tgz;
