//! What is the same for everything in a run: the provider's own configuration, and the time.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::value::Object;

/// Given to every call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// The configuration of the provider; none before Terraform has given it, as in `terraform validate`.
    pub(crate) provider: Option<Object>,
    /// Seconds since the Unix epoch.
    pub(crate) now: i64,
    /// Set once Terraform wants what takes long to end: its user pressed Ctrl-C.
    pub(crate) interrupted: Arc<AtomicBool>,
}

/// The clock of this machine.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok())
        .unwrap_or_default()
}
