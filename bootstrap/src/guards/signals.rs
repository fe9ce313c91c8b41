//! Signals to PID 1: SIGTERM, and SIGINT, which the kernel sends for ctrl-alt-del.

use std::io;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use crate::guest::Guest;
use crate::power::Ending;

/// Asks for the end at the first signal. Needs a tokio runtime.
pub(crate) fn watch(guest: &Arc<Guest>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let ask = guest.ask.clone();
    tokio::spawn(async move {
        let how = tokio::select! {
            _ = terminate.recv() => "SIGTERM came",
            _ = interrupt.recv() => "SIGINT or ctrl-alt-del came",
        };
        // Nobody listens once the end has begun.
        let _ = ask.send(Ending::Asked(how));
    });
    Ok(())
}
