//! What configurations create: one file a resource, or a pair of them that differ in sealing alone.

mod content;
pub(crate) mod text;
