//! Every line of the guest, from its source to the collector, none lost.
//!
//! [`sources`] turn byte streams and the kernel's ring buffer into [`record`]s; a [`Logger`] takes records and makes
//! its callers wait while the collector is slow; behind it [`shipper`] keeps one connection to a [`sinks`] endpoint
//! and remembers in a bounded spool what the collector has not settled yet. Delivery is at least once: after
//! a lost connection the unsettled lines are sent again under their old sequence numbers.
//!
//! This crate never writes to the console, never decides that a boot has failed, and never drops a line to make room.

mod backoff;
mod error;
pub mod record;
mod send_queue;
pub mod shipper;
pub mod sinks;
pub mod sources;
mod spool;

pub use error::{Cause, LoggingError, Material};
pub use shipper::{Logger, Settings, start};
