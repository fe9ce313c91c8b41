//! Where lines come from. One file a kind of source.

pub mod kmsg;
pub mod lines;
