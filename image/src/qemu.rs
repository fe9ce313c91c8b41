//! A guest in QEMU: what it has, as plain data; the command line made from it, as a pure function; and the running
//! machine, which dies with the value that holds it.
//!
//! **The guest reaches wherever this process reaches.** QEMU's user network is a client of the process's own network
//! namespace: start it in a namespace of its own to keep packets in (the tests do), or use [`Network::None`].

pub mod accelerator;
pub mod qmp;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::files::io_error;
use crate::manifest::{self, Manifest};
use crate::{Error, Result};

pub use accelerator::Accelerator;

const QEMU: &str = "qemu-system-x86_64";

/// A virtual machine that boots an image.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The kernel.
    pub kernel: PathBuf,
    /// The first file system.
    pub initramfs: PathBuf,
    /// The kernel's command line.
    pub command_line: String,
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
    /// This process's standard output; its standard input goes to the guest. Ctrl-C ends QEMU.
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
            kernel: image.join(manifest::KERNEL),
            initramfs: image.join(manifest::INITRAMFS),
            command_line,
            memory: 512,
            cpus: 1,
            seed: None,
            disks: Vec::new(),
            network: Network::None,
            console: Console::Stdio,
            qmp: None,
        })
    }

    /// QEMU's arguments. Nothing but what the guest uses: no default devices, no display, no reboot.
    pub fn arguments(&self, accelerator: Accelerator) -> Vec<OsString> {
        let mut arguments = Arguments::default();
        arguments.words(&[
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
            "-machine",
            "q35",
        ]);
        arguments.words(accelerator.arguments());
        arguments.option("-m", format!("{}M", self.memory));
        arguments.option("-smp", self.cpus.to_string());
        arguments.option("-kernel", &self.kernel);
        arguments.option("-initrd", &self.initramfs);
        arguments.option("-append", &self.command_line);
        arguments.words(&[
            "-object",
            "rng-builtin,id=rng",
            "-device",
            "virtio-rng-pci,rng=rng",
        ]);
        match &self.console {
            Console::Stdio => arguments.option("-chardev", "stdio,id=console,signal=on"),
            Console::File(path) => {
                arguments.option("-chardev", joined("file,id=console,path=", path));
            }
        }
        arguments.words(&["-serial", "chardev:console"]);

        let seed = self.seed.iter().map(|path| Disk {
            path: path.clone(),
            serial: "cidata".to_owned(),
            read_only: true,
        });
        for (index, disk) in seed.chain(self.disks.iter().cloned()).enumerate() {
            let read_only = if disk.read_only { "on" } else { "off" };
            let drive = format!("if=none,id=disk{index},format=raw,read-only={read_only},file=");
            arguments.option("-drive", joined(&drive, &disk.path));
            arguments.option(
                "-device",
                format!(
                    "virtio-blk-pci,drive=disk{index},serial={}",
                    escaped(&disk.serial)
                ),
            );
        }
        match &self.network {
            Network::None => arguments.words(&["-nic", "none"]),
            Network::User(forwards) => {
                let forward = |Forward { host, guest }: &Forward| {
                    format!("hostfwd=tcp:127.0.0.1:{host}-:{guest}")
                };
                let card: Vec<_> = ["user".to_owned(), "id=net".to_owned()]
                    .into_iter()
                    .chain(forwards.iter().map(forward))
                    .collect();
                arguments.option("-netdev", card.join(","));
                // No boot ROM: the kernel is given, and a ROM costs time.
                arguments.words(&["-device", "virtio-net-pci,netdev=net,romfile="]);
            }
        }
        if let Some(path) = &self.qmp {
            let mut socket = joined("unix:", path);
            socket.push(",server=on,wait=off");
            arguments.option("-qmp", socket);
        }
        arguments.0
    }

    /// Starts the guest with the accelerator that works here.
    pub fn start(&self) -> Result<Guest> {
        let child = Command::new(QEMU)
            .args(self.arguments(Accelerator::probed(&self.kernel)?))
            .stdin(if self.console == Console::Stdio {
                Stdio::inherit()
            } else {
                Stdio::null()
            })
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

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn option(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.extend([name.into(), value.into()]);
    }
}

/// QEMU splits option values at commas; a doubled comma is one of the value.
fn escaped(value: &str) -> String {
    value.replace(',', ",,")
}

fn joined(option: &str, path: &Path) -> OsString {
    format!("{option}{}", escaped(&path.to_string_lossy())).into()
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

    /// Presses the power button, which an orderly guest answers by powering off.
    pub fn power_button(&self) -> Result<()> {
        let Some(path) = &self.qmp else {
            return Err(Error::Qmp {
                message: "this machine was started without one".to_owned(),
            });
        };
        qmp::execute(path, "system_powerdown")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine {
            kernel: "vmlinuz".into(),
            initramfs: "initramfs".into(),
            command_line: "console=ttyS0".into(),
            memory: 512,
            cpus: 2,
            seed: Some("seed.iso".into()),
            disks: vec![Disk::new("a,b.img", "data"), Disk::scratch("scratch.img")],
            network: Network::User(vec![Forward {
                host: 8080,
                guest: 80,
            }]),
            console: Console::File("console.log".into()),
            qmp: Some("qmp.sock".into()),
        }
    }

    fn text(machine: &Machine) -> String {
        let arguments = machine.arguments(Accelerator::Tcg { broken_cx16: true });
        arguments
            .iter()
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn every_part_of_the_machine_reaches_the_command_line() {
        let text = text(&machine());
        for expected in [
            "-nodefaults",
            "-no-reboot",
            "-m 512M -smp 2 -kernel vmlinuz -initrd initramfs -append console=ttyS0",
            "-chardev file,id=console,path=console.log -serial chardev:console",
            "-drive if=none,id=disk0,format=raw,read-only=on,file=seed.iso -device virtio-blk-pci,drive=disk0,serial=cidata",
            "id=disk1,format=raw,read-only=off,file=a,,b.img -device virtio-blk-pci,drive=disk1,serial=data",
            "drive=disk2,serial=hpcr-scratch",
            "-netdev user,id=net,hostfwd=tcp:127.0.0.1:8080-:80 -device virtio-net-pci,netdev=net,romfile=",
            "-qmp unix:qmp.sock,server=on,wait=off",
            "-cpu max,-cx16",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }

    #[test]
    fn a_machine_without_network_has_no_card() {
        let text = text(&Machine {
            network: Network::None,
            ..machine()
        });
        assert!(
            text.contains("-nic none") && !text.contains("netdev"),
            "{text}"
        );
    }
}
