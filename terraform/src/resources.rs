//! What configurations create: one file a resource, or a pair of them that differ in sealing alone.

pub(crate) mod cidata;
mod content;
#[cfg(unix)]
pub(crate) mod guest;
pub(crate) mod text;
