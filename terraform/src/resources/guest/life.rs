//! A guest's life on this host: started apart from Terraform, awaited, found again, stopped.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path as FilePath;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hpcr_contract::messages;
use hpcr_image::qemu::Accelerator;
use hpcr_image::qemu::detached::Detached;

use super::RUNNING;
use super::hardware::{self, Files, Hardware, number, text, told};
use crate::diagnostic::Diagnostic;
use crate::resource::Failed;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// How often the console is looked at.
const PACE: Duration = Duration::from_millis(200);
/// As much of the console's end as is looked at, in bytes, and told, in lines.
const TAIL: u64 = 64 << 10;
const TOLD: usize = 12;

/// Starts the guest and waits for its services, unless it is interrupted. On failure nothing of it runs.
pub(super) fn start(hardware: &Hardware, interrupted: &AtomicBool) -> Result<Object, Failed> {
    let whole = |error| vec![told(&error, Path::default())];
    let accelerator = match hardware.accelerator {
        Some(named) => named,
        None => Accelerator::probed(&hardware.machine.kernel).map_err(whole)?,
    };
    let files = &hardware.files;
    let guest = hardware
        .machine
        .start_detached(accelerator, &files.pid())
        .map_err(whole)?;
    if let Some(patience) = hardware.patience
        && let Err(why) = wait(&guest, files, patience, interrupted)
    {
        // What failed is told; that its remains had to be killed adds nothing.
        let _ = guest.switch_off(&files.control(), hardware.stop, || false);
        // Read behind its end: what it said last is what helps.
        return Err(vec![why.told(files, patience)]);
    }
    let decided = [
        ("state", Value::text(RUNNING)),
        ("pid", Value::whole(guest.pid.into())),
        ("began", Value::text(guest.began)),
        ("accelerated", Value::Bool(accelerator == Accelerator::Kvm)),
    ];
    Ok(decided.map(|(name, value)| (name.to_owned(), value)).into())
}

/// Why a guest's services have not started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unready {
    Ended,
    Interrupted,
    Late,
}

impl Unready {
    /// The same in words, with the end of the console as it is now.
    pub(super) fn told(self, files: &Files, patience: Duration) -> Diagnostic {
        let last = last_lines(&tail(&files.console()));
        let (place, summary, detail) = match self {
            Self::Ended => (
                Path::default(),
                "The guest ended before its services had started",
                format!(
                    "The end of its console ({}):\n\n{last}\n\ndocs/messages.md tells of each message code what to do.",
                    files.console().display()
                ),
            ),
            Self::Interrupted => (
                Path::default(),
                "Terraform was interrupted before the guest's services had started",
                format!(
                    "It was switched off; its volumes are kept. The end of its console:\n\n{last}\n\nApply again to start it."
                ),
            ),
            Self::Late => (
                Path::of("timeout"),
                "The services of the guest did not start in time",
                format!(
                    "It was switched off after {} s. The end of its console:\n\n{last}\n\nGive it longer with `timeout`, or see what it waits for.",
                    patience.as_secs()
                ),
            ),
        };
        Diagnostic::error(place, summary, detail)
    }
}

/// Waits until the guest says that every service has started.
pub(super) fn wait(
    guest: &Detached,
    files: &Files,
    patience: Duration,
    interrupted: &AtomicBool,
) -> Result<(), Unready> {
    let started = messages::SERVICE_SUCCESS.to_string();
    let end = Instant::now() + patience;
    loop {
        // Looked at before the console is read: what it said last is not missed.
        let is_running = guest.is_running();
        if tail(&files.console()).contains(&started) {
            return Ok(());
        }
        if !is_running {
            return Err(Unready::Ended);
        }
        if interrupted.load(Ordering::Relaxed) {
            return Err(Unready::Interrupted);
        }
        if Instant::now() >= end {
            return Err(Unready::Late);
        }
        thread::sleep(PACE);
    }
}

/// Presses the power button, then pulls the plug. A guest that does not run is stopped.
pub(super) fn stop(state: &Object) -> Result<(), Failed> {
    let (Some(guest), Some(files)) = (process(state), Files::of(state)) else {
        return Ok(());
    };
    let stopped = guest.switch_off(&files.control(), hardware::stop_timeout(state), || false);
    stopped
        .map(drop)
        .map_err(|error| vec![told(&error, Path::of("pid"))])
}

/// The process of a state.
pub(super) fn process(state: &Object) -> Option<Detached> {
    Some(Detached {
        pid: u32::try_from(number(state, "pid")?).ok()?,
        began: text(state, "began")?.to_owned(),
    })
}

/// The end of the console; nothing where there is none yet.
fn tail(console: &FilePath) -> String {
    let read = || {
        let mut file = File::open(console)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

/// The last lines, without anything that moves a terminal's cursor.
fn last_lines(console: &str) -> String {
    let lines: Vec<_> = console
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    let plain = |line: &&str| {
        line.chars()
            .filter(|letter| !letter.is_control())
            .collect::<String>()
    };
    let lines: Vec<_> = lines[lines.len().saturating_sub(TOLD)..]
        .iter()
        .map(plain)
        .collect();
    lines.join("\n")
}
