//! Where lines go. One file a kind of collector.

pub mod syslog;
