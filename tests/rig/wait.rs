//! Waiting with a limit. Nothing in the rig waits without one.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{Error, Result};

const PAUSE: Duration = Duration::from_millis(20);

/// Asks `probe` again and again until it answers, or the limit is over.
///
/// # Errors
/// [`Error::TooLate`], or whatever `probe` failed with.
pub fn until<T>(
    what: &str,
    limit: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(answer) = probe()? {
            return Ok(answer);
        }
        if Instant::now() >= end {
            return Err(Error::TooLate {
                what: what.into(),
                limit,
                hint: String::new(),
            });
        }
        thread::sleep(PAUSE);
    }
}
