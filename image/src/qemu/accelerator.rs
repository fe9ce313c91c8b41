//! Which accelerator QEMU can use here: KVM if it really runs a kernel, emulation otherwise.
//!
//! A `/dev/kvm` that opens is no proof: nested virtualisation may offer one on which no kernel gets past its first
//! second. So the kernel itself is booted for a moment, with a time limit.

use std::fs::OpenOptions;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use super::QEMU;
use crate::files::{self, io_error};
use crate::{Error, Result};

/// How the guest's processor comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// The host's processor.
    Kvm,
    /// Emulation, some ten times slower.
    Tcg {
        /// QEMU before 8 emulates `cmpxchg16b` so that kernel 6.12 was seen to double-fault: it is hidden then.
        broken_cx16: bool,
    },
}

/// What a kernel without a root file system says last: it has booted.
const BOOTED: &str = "Kernel panic - not syncing: VFS";
const PROBE_LIMIT: Duration = Duration::from_secs(8);

impl Accelerator {
    /// QEMU's arguments for it.
    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Kvm => &["-accel", "kvm", "-cpu", "host"],
            Self::Tcg { broken_cx16: true } => &["-accel", "tcg,thread=multi", "-cpu", "max,-cx16"],
            Self::Tcg { broken_cx16: false } => &["-accel", "tcg,thread=multi", "-cpu", "max"],
        }
    }

    /// The accelerator that works here, found out by booting `kernel` once in the life of this process.
    pub fn probed(kernel: &Path) -> Result<Self> {
        static VERDICT: OnceLock<Accelerator> = OnceLock::new();
        if let Some(verdict) = VERDICT.get() {
            return Ok(*verdict);
        }
        let version = files::run(
            QEMU,
            "qemu-system-x86",
            "telling its version",
            Command::new(QEMU).arg("--version"),
        )?;
        let major = major_version(&version).ok_or_else(|| Error::Answer {
            program: QEMU,
            answer: version.clone(),
        })?;
        let verdict = if kvm_boots(kernel)? {
            Self::Kvm
        } else {
            Self::Tcg {
                broken_cx16: major < 8,
            }
        };
        Ok(*VERDICT.get_or_init(|| verdict))
    }
}

/// `QEMU emulator version 7.2.22 (Debian ...)` is 7.
fn major_version(text: &str) -> Option<u32> {
    text.split("version ")
        .nth(1)?
        .split('.')
        .next()?
        .parse()
        .ok()
}

fn kvm_boots(kernel: &Path) -> Result<bool> {
    if OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_err()
    {
        return Ok(false);
    }
    let mut child = Command::new(QEMU)
        .args([
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
            "-machine",
            "q35",
            "-nic",
            "none",
        ])
        .args(Accelerator::Kvm.arguments())
        .args([
            "-m",
            "256M",
            "-serial",
            "stdio",
            "-append",
            "console=ttyS0 panic=-1",
            "-kernel",
        ])
        .arg(kernel)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|source| Error::Start {
            program: QEMU,
            package: "qemu-system-x86",
            source,
        })?;
    let stdout = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut said = Vec::new();
        // Whatever could be read is judged; an error is as good as an end.
        let _ = stdout.map(|mut stdout| stdout.read_to_end(&mut said));
        String::from_utf8_lossy(&said).contains(BOOTED)
    });
    let end = Instant::now() + PROBE_LIMIT;
    let wait = io_error("wait for", Path::new(QEMU));
    while Instant::now() < end && !reader.is_finished() {
        thread::sleep(Duration::from_millis(20));
    }
    // Ends the pipe, and so the reader, if the kernel has not.
    let ended = child.kill().and_then(|()| child.wait());
    let booted = reader.join().unwrap_or(false);
    ended.map(|_| booted).map_err(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_qemu_prints() {
        assert_eq!(
            major_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright"),
            Some(7)
        );
        assert_eq!(major_version("QEMU emulator version 10.0.2\n"), Some(10));
        assert_eq!(major_version("something else"), None);
    }
}
