//! A guest in QEMU: what it has, as plain data; the command line made from it, as a pure function; and the running
//! machine, which dies with the value that holds it.
//!
//! **The guest reaches wherever this process reaches.** QEMU's user network is a client of the process's own network
//! namespace: start it in a namespace of its own to keep packets in (the tests do), or use [`Network::None`].

pub mod accelerator;
mod arguments;
pub mod detached;
pub mod qmp;
pub mod tee;

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::files::io_error;
use crate::manifest::{self, Manifest};
use crate::{Error, Result};

pub use accelerator::Accelerator;
use detached::Detached;
pub use tee::Tee;

const QEMU: &str = "qemu-system-x86_64";

/// A virtual machine that boots an image.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The kernel.
    pub kernel: PathBuf,
    /// The first file system; a Secure Execution image has its own inside.
    pub initramfs: Option<PathBuf>,
    /// The kernel's command line; a Secure Execution image has its own inside.
    pub command_line: String,
    /// What keeps the host out of the guest's memory.
    pub tee: Tee,
    /// The firmware image, where `tee` starts with one.
    pub firmware: Option<PathBuf>,
    /// MiB.
    pub memory: u32,
    /// Virtual processors.
    pub cpus: u32,
    /// The `cidata` image, attached read-only.
    pub seed: Option<PathBuf>,
    /// Further disks, in order.
    pub disks: Vec<Disk>,
    /// The network card.
    pub network: Network,
    /// Where the guest's console goes.
    pub console: Console,
    /// Path of the control socket to make; without one the power button cannot be pressed.
    pub qmp: Option<PathBuf>,
}

/// A raw disk image, seen by the guest as a virtio disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The image file or block device.
    pub path: PathBuf,
    /// The serial that the guest sees (20 bytes at most).
    pub serial: String,
    /// The guest cannot write.
    pub read_only: bool,
}

impl Disk {
    /// A disk that the guest may write to.
    pub fn new(path: impl Into<PathBuf>, serial: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            serial: serial.into(),
            read_only: false,
        }
    }

    /// The disk for images, which the guest knows by its serial.
    pub fn scratch(path: impl Into<PathBuf>) -> Self {
        Self::new(path, "hpcr-scratch")
    }
}

/// The guest's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// No card.
    None,
    /// QEMU's user network in this process's namespace, with its DHCP and DNS; 10.0.2.2 is this process's loopback.
    User(Vec<Forward>),
}

/// A TCP port of 127.0.0.1 that leads to a port of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// Port on 127.0.0.1 of this process's namespace.
    pub host: u16,
    /// Port in the guest.
    pub guest: u16,
}

/// Where console output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Console {
    /// This process's standard output. QEMU alone, started by hand, takes standard input, too, and ends at Ctrl-C.
    Stdio,
    /// A file, written as lines come.
    File(PathBuf),
}

impl Machine {
    /// A machine for an image folder: 512 MiB, no network, console on standard output, and one processor: a kernel that
    /// patches its own code (jump labels) while another emulated processor runs it was seen to die of a stray int3.
    pub fn of_image(image: &Path) -> Result<Self> {
        let command_line = Manifest::read(image)?.command_line;
        Ok(Self {
            initramfs: Some(image.join(manifest::INITRAMFS)),
            command_line,
            ..Self::of_kernel(image.join(manifest::KERNEL))
        })
    }

    /// The same for a Secure Execution image: one file, with the first file system and the command line inside.
    pub fn of_secure_execution_image(image: &Path) -> Result<Self> {
        let found = image.metadata().map_err(io_error("find", image))?;
        if !found.is_file() {
            return Err(Error::Deployment {
                option: "--tee se",
                cause: format!("{} is no file", image.display()),
                remedy: "give a Secure Execution image, one file for s390x with kernel and initramfs inside",
            });
        }
        Ok(Self {
            tee: Tee::Se,
            ..Self::of_kernel(image.to_path_buf())
        })
    }

    fn of_kernel(kernel: PathBuf) -> Self {
        Self {
            kernel,
            initramfs: None,
            command_line: String::new(),
            tee: Tee::None,
            firmware: None,
            memory: 512,
            cpus: 1,
            seed: None,
            disks: Vec::new(),
            network: Network::None,
            console: Console::Stdio,
            qmp: None,
        }
    }

    /// Starts the guest with the accelerator that works here. Ctrl-C is for this process alone: the guest reads nothing,
    /// and QEMU would end at once.
    pub fn start(&self) -> Result<Guest> {
        let child = Command::new(QEMU)
            .args(self.arguments(Accelerator::probed(&self.kernel)?))
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|source| Error::Start {
                program: QEMU,
                package: "qemu-system-x86",
                source,
            })?;
        Ok(Guest {
            child,
            qmp: self.qmp.clone(),
        })
    }
}

/// A running QEMU. Dropping it kills it.
#[derive(Debug)]
pub struct Guest {
    child: Child,
    qmp: Option<PathBuf>,
}

impl Guest {
    /// QEMU's process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The same as [`Detached::switch_off`]; without a control socket the plug is pulled.
    pub fn switch_off(&mut self, patience: Duration, hurry: impl Fn() -> bool) -> Result<bool> {
        let control = self.qmp.as_deref().unwrap_or(Path::new(""));
        Detached::of(self.child.id()).switch_off(control, patience, hurry)
    }

    /// Waits for QEMU's end; `None` when the time is over before.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>> {
        let end = Instant::now() + limit;
        loop {
            let status = self
                .child
                .try_wait()
                .map_err(io_error("wait for", Path::new(QEMU)))?;
            if status.is_some() || Instant::now() >= end {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Pulls the plug.
    pub fn kill(&mut self) -> Result<()> {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map(drop)
            .map_err(io_error("kill", Path::new(QEMU)))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // It may be gone already: there is nothing left to do then, and no one to tell.
        let _ = self.kill();
    }
}
