//! How a service's health is asked for, and what the answers decide. Nothing here is executed.

use std::fmt;

/// One check of a service's health.
#[derive(Clone)]
pub struct HealthCheck {
    /// What its result decides.
    pub purpose: Purpose,
    /// What is done.
    pub probe: Probe,
    /// Milliseconds between two checks.
    pub interval: u64,
    /// Milliseconds after which a check has failed.
    pub timeout: u64,
    /// Failures in a row that count.
    pub failures: u32,
    /// Successes in a row that count.
    pub successes: u32,
    /// Milliseconds from the start in which failures do not count.
    pub start_period: u64,
    /// Milliseconds between two checks within the start period, where they differ.
    pub start_interval: Option<u64>,
    /// Milliseconds before the first check.
    pub initial_delay: u64,
}

/// A command may hold an interpolated secret.
impl fmt::Debug for HealthCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HealthCheck")
            .field("purpose", &self.purpose)
            .field("interval", &self.interval)
            .finish_non_exhaustive()
    }
}

/// What the result of a check decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Others of its checks begin when it has passed once; when it fails for good, the container is restarted.
    Startup,
    /// Whether those that wait for it may start, and the appliance says that it is ready.
    Readiness,
    /// When it fails for good, the container is restarted as its restart policy says.
    Liveness,
}

/// How health is asked for. Probes over the network go to the service's own address.
#[derive(Clone, PartialEq, Eq)]
pub enum Probe {
    /// A program run in the container: 0 is healthy.
    Exec(Vec<String>),
    /// GET: a status from 200 to 399 is healthy.
    Http {
        /// TCP port.
        port: u16,
        /// Path with query.
        path: String,
        /// Over TLS, whose certificate is not checked (as Kubernetes does).
        tls: bool,
        /// Header fields.
        headers: Vec<(String, String)>,
    },
    /// A TCP connection that is accepted.
    Tcp {
        /// TCP port.
        port: u16,
    },
}
