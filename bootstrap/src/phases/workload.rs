//! Phase 12: the containers; then the message that all is well: every step has ended well, every service runs and has
//! passed its startup and readiness checks once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hpcr_container::{Line, Running, Stream};
use hpcr_contract::messages::{self, Severity as Level};
use hpcr_logging::record::{Record, Severity};
use time::OffsetDateTime;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::ends::CONTAINERS;
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
/// How long the workload may take to be up: within the phase's own limit, so that what is missing is told by name.
const READY: Duration = Duration::from_mins(15);
/// How long the end waits for whoever watches the containers; then they are left to the steps after this one.
const HANDED_OVER: Duration = Duration::from_secs(2);
/// How long all containers together may take to stop, what was waited for before included.
const STOP: Duration = Duration::from_secs(6);
/// How long what they leave may take to be taken down: networks and mounts.
const TAKE_DOWN: Duration = Duration::from_secs(2);
/// How long the log may take to take their last lines.
const LAST_LINES: Duration = Duration::from_millis(900);

pub(crate) async fn run(
    guest: &Arc<Guest>,
    contract: &Contract,
    ready: Ready,
    log: Log,
) -> Result<Workload, Error> {
    let privileged = privileged(&contract.plan);
    lock_down(guest, &privileged)?;
    let (lines, taken) = mpsc::channel(LINES);
    let carried = tokio::spawn(carry(taken, log));
    let workload = Arc::new(Mutex::new(None));
    stop_at_end(guest, &workload, lines.clone(), carried);
    let mut slot = workload.lock().await;
    let started = ready
        .engine
        .start(&contract.plan.workload, &ready.images, &lines)
        .await?;
    slot.insert(started).ready(READY).await?;
    drop(slot);
    guest.console.say(messages::SERVICE_SUCCESS, "");
    Ok(Workload(workload))
}

/// Has containers stopped at the end, also where it comes while they start: whoever waits for them is gone by then.
fn stop_at_end(
    guest: &Guest,
    workload: &Arc<Mutex<Option<Running>>>,
    lines: mpsc::Sender<Line>,
    carried: JoinHandle<()>,
) {
    let workload = Arc::clone(workload);
    guest.ends.push(&CONTAINERS, async move {
        let begun = Instant::now();
        let Ok(mut slot) = tokio::time::timeout(HANDED_OVER, workload.lock()).await else {
            return vec!["they were still being watched".to_owned()];
        };
        let Some(running) = slot.take() else {
            return Vec::new();
        };
        let left = STOP.saturating_sub(begun.elapsed());
        let faults = match tokio::time::timeout(left + TAKE_DOWN, running.stop(left)).await {
            Ok(faults) => faults.iter().map(ToString::to_string).collect(),
            Err(_) => vec!["they did not stop in time".to_owned()],
        };
        // The containers' last lines come before the log is closed.
        drop(lines);
        let _ = tokio::time::timeout(LAST_LINES, carried).await;
        faults
    });
}

/// Takes from the kernel what the boot needed and containers must not have: its modules, and ways to read its memory. For
/// containers with privileges this is the condition on which they run; for others it is a second line of defence.
fn lock_down(guest: &Guest, privileged: &[String]) -> Result<(), Error> {
    for (path, value, done) in [
        ("/proc/sys/kernel/modules_disabled", "1", "1"),
        (
            "/sys/kernel/security/lockdown",
            "confidentiality",
            "[confidentiality]",
        ),
    ] {
        let path = guest.path(path);
        let Err(error) = guest.acts.set(&path, value) else {
            continue;
        };
        // The kernel refuses a lockdown that it is in already.
        let is_done = std::fs::read_to_string(&path)
            .is_ok_and(|text| text.split_whitespace().any(|word| word == done));
        if is_done {
            continue;
        }
        if !privileged.is_empty() {
            let act = "locking down the kernel, which containers with privileges need, by";
            return Err(Error::act(act, path)(error));
        }
        guest.console.keep(
            Level::Warning,
            &format!("{} cannot be set to {value}: {error}", path.display()),
        );
    }
    if !privileged.is_empty() {
        guest.console.keep(
            Level::Warning,
            &format!(
                "containers with privileges that reach the appliance: {}",
                privileged.join(", ")
            ),
        );
    }
    Ok(())
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
        let mut record = Record::new(origin, severity, OffsetDateTime::now_utc(), line.bytes);
        if line.continues {
            record = record.continued();
        }
        // A log that was closed takes nothing any more; containers must not be held up by it.
        let _ = log.logger.log(record).await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::acts::recorder::Recorder;
    use crate::console::Console;
    use crate::console::tests::Screen;

    #[tokio::test]
    async fn an_end_does_not_wait_for_ever_for_containers_that_are_being_watched() {
        let (guest, _) = Guest::new(Console::new(Screen::default()), Recorder::default(), "/");
        let workload = Arc::new(Mutex::new(None));
        let _slot = Arc::clone(&workload).lock_owned().await;
        let (lines, _taken) = mpsc::channel(1);
        let carried = tokio::spawn(async {});
        stop_at_end(&guest, &workload, lines, carried);
        let work = guest.ends.pop().unwrap().work;
        let faults = tokio::time::timeout(CONTAINERS.limit, work).await.unwrap();
        assert_eq!(faults, ["they were still being watched"]);
    }

    #[test]
    fn containers_with_privileges_run_only_on_a_kernel_that_is_locked_down() {
        let folder = tempfile::tempdir().unwrap();
        let is_let_run = |root: &str, privileged: &[&str]| {
            let console = Console::new(Screen::default());
            let root = folder.path().join(root);
            let (guest, _) = Guest::new(console, Recorder::default(), root);
            let privileged: Vec<_> = privileged.iter().map(|name| (*name).to_owned()).collect();
            lock_down(&guest, &privileged).is_ok()
        };
        assert!(is_let_run("sound", &["web"]));
        assert!(is_let_run("broken", &[]));
        assert!(!is_let_run("broken", &["web"]));

        let write = |path: &str, text: &str| {
            let path = folder.path().join("broken").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("proc/sys/kernel/modules_disabled", "1\n");
        write(
            "sys/kernel/security/lockdown",
            "none [integrity] confidentiality\n",
        );
        assert!(!is_let_run("broken", &["web"]));
        write(
            "sys/kernel/security/lockdown",
            "none integrity [confidentiality]\n",
        );
        assert!(is_let_run("broken", &["web"]));
    }
}
