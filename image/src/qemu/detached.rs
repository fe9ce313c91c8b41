//! A guest that outlives whoever starts it: QEMU in a session of its own, found again by process id and start time.
//!
//! A process id alone proves nothing, since the kernel gives it out again. So a guest is known by three things: the boot
//! of the host, the process id, and when that process began. What no longer fits is taken for gone and never signalled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{self, Pid, PidfdFlags, Signal};

use super::{Accelerator, Machine, QEMU, qmp};
use crate::files::{self, io_error};
use crate::{Error, Result};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// How often an end is looked for.
const PACE: Duration = Duration::from_millis(100);
/// How long the kernel may take to clear a killed process away.
const BURIAL: Duration = Duration::from_secs(10);

/// A process of this host, or what was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// Process id.
    pub pid: u32,
    /// The boot of the host and the clock tick of it in which the process began, as text: `BOOT:TICK`.
    pub began: String,
}

impl Machine {
    /// Starts the guest in a session of its own; gives it when QEMU has set the machine up. Needs a control socket and a
    /// console that is a file; `pid_file` is written by QEMU.
    pub fn start_detached(&self, accelerator: Accelerator, pid_file: &Path) -> Result<Detached> {
        let mut command = Command::new(QEMU);
        command
            .args(self.arguments(accelerator))
            .args(["-daemonize", "-pidfile"])
            .arg(pid_file);
        files::run(QEMU, "qemu-system-x86", "starting the guest", &mut command)?;
        let text = files::read_to_string(pid_file)?;
        let pid = text.trim().parse().map_err(|_| Error::Answer {
            program: QEMU,
            answer: text.trim().to_owned(),
        })?;
        Ok(Detached::of(pid))
    }
}

impl Detached {
    /// A process that is there. It may have ended within this moment: then its beginning is not known, and it is found
    /// gone.
    pub(super) fn of(pid: u32) -> Self {
        let began = began(pid).unwrap_or_default();
        Self { pid, began }
    }

    /// Whether it is still there.
    pub fn is_running(&self) -> bool {
        !self.began.is_empty() && began(self.pid).as_ref() == Some(&self.began)
    }

    /// Presses the power button, waits `patience` for the guest's own way out, or until there is `hurry`, then pulls the
    /// plug. Gives whether the guest went by itself.
    pub fn switch_off(
        &self,
        control: &Path,
        patience: Duration,
        hurry: impl Fn() -> bool,
    ) -> Result<bool> {
        // Where nobody hears the button there is nothing to wait for.
        let pressed = self.is_running() && qmp::execute(control, "system_powerdown").is_ok();
        if !self.is_running() || (pressed && self.ends_within(patience, hurry)) {
            return Ok(true);
        }
        self.kill()?;
        Ok(false)
    }

    /// Whether it ends in this time, and before there is `hurry`.
    pub fn ends_within(&self, limit: Duration, hurry: impl Fn() -> bool) -> bool {
        let end = Instant::now() + limit;
        while self.is_running() {
            if hurry() || Instant::now() >= end {
                return false;
            }
            thread::sleep(PACE);
        }
        true
    }

    /// Pulls the plug, and waits until the process has let go of its disks.
    fn kill(&self) -> Result<()> {
        let place = PathBuf::from(format!("/proc/{}", self.pid));
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let handle = pid.and_then(|pid| process::pidfd_open(pid, PidfdFlags::empty()).ok());
        // Looked at again behind the handle: from here on the id cannot go to another process.
        if let Some(handle) = handle.filter(|_| self.is_running()) {
            process::pidfd_send_signal(handle, Signal::KILL)
                .or_else(|error| {
                    if self.is_running() {
                        Err(error)
                    } else {
                        Ok(())
                    }
                })
                .map_err(|error| io_error("kill", &place)(error.into()))?;
        }
        if self.ends_within(BURIAL, || false) {
            return Ok(());
        }
        Err(Error::Program {
            program: QEMU,
            purpose: format!("ending as process {}", self.pid),
            message: "it is still there after it was killed; the host may be waiting for a disk"
                .into(),
        })
    }
}

/// When a process began; `None` where there is none, or only its remains.
fn began(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything (proc_pid_stat(5)).
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let tick = fields.nth(18)?;
    let boot = fs::read_to_string(BOOT_ID).ok()?;
    (!matches!(state, "Z" | "X")).then(|| format!("{}:{tick}", boot.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sleeper() -> (std::process::Child, Detached) {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        let pid = child.id();
        let began = began(pid).unwrap();
        (child, Detached { pid, began })
    }

    #[test]
    fn a_process_is_known_by_more_than_its_id() {
        let (mut child, guest) = sleeper();
        assert!(guest.is_running());
        let (boot, tick) = guest.began.split_once(':').unwrap();
        for began in [
            format!("{boot}:{tick}0"),
            format!("x:{tick}"),
            String::new(),
        ] {
            let other = Detached {
                began,
                ..guest.clone()
            };
            assert!(!other.is_running());
            // What is not the guest's process is not signalled.
            assert!(
                other
                    .switch_off(Path::new("/nowhere"), Duration::ZERO, || false)
                    .unwrap()
            );
        }
        assert!(guest.is_running());
        child.kill().unwrap();
        // Its remains lie there until the parent looks.
        assert!(guest.ends_within(Duration::from_secs(5), || false));
        child.wait().unwrap();
        assert!(!guest.is_running());
    }

    #[test]
    fn a_guest_that_does_not_answer_loses_its_power() {
        let (mut child, guest) = sleeper();
        let went_by_itself =
            guest.switch_off(Path::new("/nowhere"), Duration::from_millis(300), || false);
        assert!(!went_by_itself.unwrap());
        assert!(!guest.is_running());
        child.wait().unwrap();
    }
}
