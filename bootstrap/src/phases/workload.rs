//! Phase 12: the containers; then the message that all is well.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hpcr_container::{Line, Running, Stream};
use hpcr_contract::messages::{self, Severity as Level};
use hpcr_logging::record::{Record, Severity};
use time::OffsetDateTime;
use tokio::sync::{Mutex, mpsc};

use crate::error::Error;
use crate::guest::Guest;
use crate::phases::contract::{Contract, privileged};
use crate::phases::images::Ready;
use crate::phases::logging::Log;

/// A workload that runs. The end takes it out and stops it.
#[derive(Debug)]
pub(crate) struct Workload(pub(crate) Arc<Mutex<Option<Running>>>);

/// Lines of containers that wait for the log; then the containers wait.
const LINES: usize = 256;
/// How long all containers together may take to stop.
const STOP: Duration = Duration::from_secs(10);

pub(crate) async fn run(
    guest: &Arc<Guest>,
    contract: &Contract,
    ready: Ready,
    log: Log,
) -> Result<Workload, Error> {
    lock_down(guest);
    let (lines, taken) = mpsc::channel(LINES);
    let carried = tokio::spawn(carry(taken, log));
    let running = ready
        .engine
        .start(&contract.plan.workload, &ready.images, &lines)
        .await?;
    let workload = Arc::new(Mutex::new(Some(running)));
    let stopping = Arc::clone(&workload);
    guest.ends.push(
        "stopping the containers",
        STOP + Duration::from_secs(2),
        async move {
            let Some(running) = stopping.lock().await.take() else {
                return Vec::new();
            };
            let faults = running.stop(STOP).await;
            // The containers' last lines come before the log is closed.
            drop(lines);
            let _ = carried.await;
            faults.iter().map(ToString::to_string).collect()
        },
    );

    let privileged = privileged(&contract.plan);
    if !privileged.is_empty() {
        guest.console.keep(
            Level::Warning,
            &format!("containers with all privileges: {}", privileged.join(", ")),
        );
    }
    guest.console.say(messages::SERVICE_SUCCESS, "");
    Ok(Workload(workload))
}

/// Takes from the kernel what the boot needed and containers must not have: its modules, and ways to read its memory.
fn lock_down(guest: &Guest) {
    for (path, value) in [
        ("/proc/sys/kernel/modules_disabled", "1"),
        ("/sys/kernel/security/lockdown", "confidentiality"),
    ] {
        if let Err(error) = guest.acts.set(&guest.path(path), value) {
            guest.console.keep(
                Level::Warning,
                &format!("{path} cannot be set to {value}: {error}"),
            );
        }
    }
}

/// Carries lines to the log, until the last container has ended.
async fn carry(mut lines: mpsc::Receiver<Line>, log: Log) {
    let mut origins = HashMap::new();
    while let Some(line) = lines.recv().await {
        let origin = origins
            .entry(Arc::clone(&line.service))
            .or_insert_with(|| log.service(&line.service));
        let severity = match line.stream {
            Stream::Stdout => Severity::Informational,
            Stream::Stderr => Severity::Warning,
        };
        // A log that was closed takes nothing any more; containers must not be held up by it.
        let _ = log
            .logger
            .log(Record::new(
                origin,
                severity,
                OffsetDateTime::now_utc(),
                line.bytes,
            ))
            .await;
    }
}
