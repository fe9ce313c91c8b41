//! What configurations call: one file a function.

pub(crate) mod attestation_verify;
pub(crate) mod encrypt;
pub(crate) mod tgz;
