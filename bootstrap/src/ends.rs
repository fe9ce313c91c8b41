//! What has to be taken down before the power goes off, and how long each part of it may take. The phases put it here; the
//! end takes it out again, the latest first.
//!
//! All limits stand here, because what counts is their sum: an end in order takes less than 30 s.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A part of the end.
#[derive(Debug)]
pub(crate) struct Step {
    /// What it does, for the console.
    pub(crate) what: &'static str,
    /// How long it may take.
    pub(crate) limit: Duration,
}

const fn step(what: &'static str, seconds: u64) -> Step {
    let limit = Duration::from_secs(seconds);
    Step { what, limit }
}

/// The containers' own time to stop, and what takes their network and mounts down.
pub(crate) const CONTAINERS: Step = step("stopping the containers", 9);
/// Processes and mounts that nobody took down.
pub(crate) const REST: Step = step("ending what is left", 1);
/// What is not written yet goes to the disks.
pub(crate) const VOLUMES: Step = step("closing the volumes", 7);
/// Nothing on it is kept.
pub(crate) const SCRATCH: Step = step("closing the scratch disk", 2);
/// The collector takes what is still on its way.
pub(crate) const LOG: Step = step("closing the log", 5);
/// The kernel writes out what is left.
pub(crate) const SYNC: Step = step("writing out", 3);
/// The host reads the console's last lines.
pub(crate) const CONSOLE: Step = step("showing the last lines", 2);

/// When the main thread stops waiting for an end in order: just above the sum.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// What the phases have set up, the latest on top.
#[derive(Default)]
pub(crate) struct Ends(Mutex<Vec<End>>);

/// Something to take down.
pub(crate) struct End {
    pub(crate) step: &'static Step,
    pub(crate) work: Pin<Box<dyn Future<Output = Vec<String>> + Send>>,
}

impl Ends {
    /// Adds something that has to be taken down. `work` runs once, at the end, and gives what went wrong.
    pub(crate) fn push(
        &self,
        step: &'static Step,
        work: impl Future<Output = Vec<String>> + Send + 'static,
    ) {
        let work = Box::pin(work);
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.push(End { step, work });
    }

    pub(crate) fn pop(&self) -> Option<End> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_in_order_takes_less_than_30_s_and_the_main_thread_waits_for_it() {
        let steps = [CONTAINERS, REST, VOLUMES, SCRATCH, LOG, SYNC, CONSOLE];
        let sum: Duration = steps.iter().map(|step| step.limit).sum();
        assert!(sum < Duration::from_secs(30), "{sum:?}");
        assert!(sum < LIMIT && LIMIT <= Duration::from_secs(30));
    }
}
