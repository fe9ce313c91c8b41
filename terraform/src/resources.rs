//! What configurations create: one file a resource, or a pair of them that differ in sealing alone.

pub(crate) mod cidata;
mod content;
pub(crate) mod contract;
pub(crate) mod contract_encrypted;
#[cfg(unix)]
pub(crate) mod guest;
pub(crate) mod json;
pub(crate) mod text;
pub(crate) mod tgz;
