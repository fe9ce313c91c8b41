//! What configurations read: one file a data source.

pub(crate) mod attestation;
pub(crate) mod encryption_cert;
pub(crate) mod encryption_certs;
pub(crate) mod image;
