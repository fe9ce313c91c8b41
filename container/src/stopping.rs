//! How a service hears that all are to end, and waits for its turn: behind those that need it.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::order::{Standing, Turn};

/// Asks all services to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub begun: Instant,
    /// How long all of them together may take.
    pub limit: Duration,
}

/// One service's ear.
pub(crate) struct Stopping {
    pub request: watch::Receiver<Option<Request>>,
    /// Those that need this service, and so end first.
    pub dependents: Vec<watch::Receiver<Standing>>,
    pub turn: Turn,
}

impl Stopping {
    /// Whether the end has been asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.request.borrow().is_some()
    }

    /// Waits until it is. A sender that is gone means the end as well.
    pub(crate) async fn asked(&mut self) {
        let _ = self.request.wait_for(Option::is_some).await;
    }

    /// Waits until the end has been asked for and it is this service's turn; gives the time that it has.
    pub(crate) async fn turn(&mut self) -> Duration {
        self.asked().await;
        let Some(Request { begun, limit }) = *self.request.borrow() else {
            return Duration::ZERO;
        };
        let dependents = self.dependents.iter_mut();
        // One whose task is gone has ended, too.
        let ended = join_all(dependents.map(async |one| {
            let _ = one.wait_for(|one| one.ended.is_some()).await;
        }));
        let latest = begun + self.turn.begins(limit);
        // Whoever takes too long must not cost this service its own time.
        let _ = tokio::time::timeout_at(latest, ended).await;
        (begun + self.turn.ends(limit)).saturating_duration_since(Instant::now())
    }
}
