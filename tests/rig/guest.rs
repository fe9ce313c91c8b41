//! One appliance: its disks and its seed, booted in QEMU as often as a test likes, watched, and ended.
//!
//! How QEMU is called is `hpcr-image`'s matter; here is what a test does with the guest that comes of it.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use hpcr_image::{
    initramfs, manifest,
    qemu::{Disk, Forward, Machine, Network, qmp},
};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    Error, Result, accelerator,
    console::{Console, Line},
    disk, http, place,
    timeline::{self, Phase},
    wait, workload,
};

mod seeds;

const QEMU: &str = "qemu-system-x86_64";
/// Memory of a guest, MiB.
pub const MEMORY_MIB: u32 = 512;
const DATA_MIB: u64 = 512;
const SCRATCH_MIB: u64 = 512;
/// How an image's configuration says what it is for, in as many bytes.
const DEVELOPMENT: &[u8; 22] = br#""kind": "development","#;
const PRODUCTION: &[u8; 22] = br#""kind": "production", "#;
/// The kernel's last line before the power goes. A reboot or a panic has another one.
const POWER_DOWN: &str = "reboot: Power down";

/// A guest's hardware, off.
#[derive(Debug)]
pub struct Appliance {
    /// The data disk.
    pub data: PathBuf,
    /// The disk for images, where there is one.
    pub scratch: Option<PathBuf>,
    /// Disks beyond seed, data and scratch.
    pub further: Vec<Disk>,
    /// MiB.
    pub memory: u32,
    /// The rig's port that is forwarded to the workload's.
    port: u16,
    folder: PathBuf,
    image: PathBuf,
    seed: Option<PathBuf>,
    /// In place of the image's own.
    initramfs: Option<PathBuf>,
    /// How the command line goes on where another first process than the image's is wanted.
    first: Option<String>,
    forwards: Vec<Forward>,
    other: Option<OtherSystem>,
}

/// What boots in place of the image, on the same hardware.
#[derive(Debug, Clone)]
pub(crate) struct OtherSystem {
    /// Its first file system.
    pub(crate) initramfs: PathBuf,
    /// Its kernel's.
    pub(crate) command_line: String,
    /// Its root, which the guest cannot write to.
    pub(crate) root: Disk,
}

impl Appliance {
    /// A new appliance of the image at [`place::image`], with blank disks in `folder`, and `user_data` on its seed disk.
    ///
    /// # Errors
    /// Where a disk cannot be made.
    pub fn new(folder: &Path, user_data: Option<&str>) -> Result<Self> {
        let mut appliance = Self {
            data: disk::blank(folder, "data.img", DATA_MIB)?,
            scratch: Some(disk::blank(folder, "scratch.img", SCRATCH_MIB)?),
            further: Vec::new(),
            memory: MEMORY_MIB,
            port: free_port()?,
            folder: folder.into(),
            image: place::image(),
            seed: None,
            initramfs: None,
            first: None,
            forwards: Vec::new(),
            other: None,
        };
        appliance.seed(user_data)?;
        Ok(appliance)
    }

    /// Has the kernel start a program out of the archive `cpio`, laid over the image's own: its path, and what else the
    /// kernel's command line ends with.
    ///
    /// # Errors
    /// Where the image cannot be read.
    pub fn first_process(&mut self, program: &str, cpio: &[u8]) -> Result<()> {
        let mut bytes = self.image_initramfs()?;
        // The kernel finds the next archive at the next multiple of four.
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend_from_slice(cpio);
        self.first = Some(program.into());
        self.write_initramfs(&bytes)
    }

    /// Forwards a port to `port` of the guest and gives it.
    ///
    /// # Errors
    /// Where there is no free one.
    pub fn forward(&mut self, port: u16) -> Result<u16> {
        let forward = Forward {
            host: free_port()?,
            guest: port,
        };
        self.forwards.push(forward);
        Ok(forward.host)
    }

    /// Has the image say of itself that it is one for production, with the development keys that it has.
    ///
    /// # Errors
    /// Where the image cannot be read, or does not say what it is in the one place that this knows.
    pub fn say_production(&mut self) -> Result<()> {
        let mut archive = initramfs::decompress(&self.image_initramfs()?)
            .map_err(Error::io("decompressing the initramfs"))?;
        let found: Vec<_> = archive
            .windows(DEVELOPMENT.len())
            .enumerate()
            .filter_map(|(at, window)| (window == DEVELOPMENT).then_some(at))
            .collect();
        let [at] = found[..] else {
            return Err(Error::Broken(format!(
                "the image says {} times that it is one for development",
                found.len()
            )));
        };
        archive[at..at + DEVELOPMENT.len()].copy_from_slice(PRODUCTION);
        self.write_initramfs(&archive)
    }

    fn image_initramfs(&self) -> Result<Vec<u8>> {
        fs::read(self.image.join(manifest::INITRAMFS)).map_err(Error::io("reading the initramfs"))
    }

    fn write_initramfs(&mut self, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join("initramfs");
        fs::write(&path, bytes).map_err(Error::io("writing the initramfs"))?;
        self.initramfs = Some(path);
        Ok(())
    }

    /// Has another system boot under the image's kernel.
    pub(crate) fn replace_system(&mut self, system: OtherSystem) {
        self.other = Some(system);
    }

    /// Switches it on, and calls `watch` with each console line as it comes.
    ///
    /// # Errors
    /// Where QEMU does not start.
    pub fn boot(&self, watch: impl FnMut(&Line) + Send + 'static) -> Result<Guest> {
        let control = self.folder.join("qmp.sock");
        // QEMU makes it again; an old one would be taken for it.
        let _ = fs::remove_file(&control);
        let machine = self.machine(&control)?;
        let mut command = Command::new(QEMU);
        command.args(machine.arguments(accelerator::working()?));
        self.start(command, control, watch)
    }

    /// The same by `hpcr-image run`, which has a control socket of its own.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn run(&self) -> Result<Guest> {
        let mut command = Command::new(place::program("hpcr-image"));
        command.arg("run").arg(&self.image);
        for (option, file) in [("--seed", &self.seed), ("--scratch", &self.scratch)] {
            command.args(
                file.iter()
                    .flat_map(|file| [option.as_ref(), file.as_os_str()]),
            );
        }
        command.arg("--data").arg(&self.data);
        command.args(["--memory", &self.memory.to_string()]);
        command.args(["--forward", &format!("{}:{}", self.port, workload::PORT)]);
        self.start(command, PathBuf::new(), |_| ())
    }

    fn start(
        &self,
        mut command: Command,
        control: PathBuf,
        watch: impl FnMut(&Line) + Send + 'static,
    ) -> Result<Guest> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().map_err(|source| Error::Start {
            program: command.get_program().display().to_string(),
            source,
        })?;
        let output = child
            .stdout
            .take()
            .ok_or_else(|| Error::Broken("QEMU has no standard output".into()))?;
        let console = Console::follow(output, started, watch);
        Ok(Guest {
            console,
            port: self.port,
            started,
            control,
            child: Mutex::new(child),
        })
    }

    fn machine(&self, control: &Path) -> Result<Machine> {
        let mut machine = Machine::of_image(&self.image)?;
        let mut forwards = vec![Forward {
            host: self.port,
            guest: workload::PORT,
        }];
        if let Some(initramfs) = &self.initramfs {
            machine.initramfs = Some(initramfs.clone());
        }
        forwards.extend_from_slice(&self.forwards);
        if let Some(first) = &self.first {
            machine.command_line = format!("{} rdinit={first}", machine.command_line);
        }
        machine.memory = self.memory;
        machine.seed.clone_from(&self.seed);
        machine.disks = vec![Disk::new(&self.data, "data")];
        machine.disks.extend(self.scratch.iter().map(Disk::scratch));
        machine.disks.extend_from_slice(&self.further);
        if let Some(other) = &self.other {
            machine.initramfs = Some(other.initramfs.clone());
            machine.command_line.clone_from(&other.command_line);
            machine.disks.push(other.root.clone());
        }
        machine.network = Network::User(forwards);
        machine.qmp = Some(control.into());
        Ok(machine)
    }
}

/// A running guest, killed on drop.
#[derive(Debug)]
pub struct Guest {
    /// What it writes.
    pub console: Console,
    port: u16,
    started: Instant,
    control: PathBuf,
    child: Mutex<Child>,
}

impl Guest {
    /// How long ago QEMU was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// When the first line came: until then it was firmware and kernel.
    pub fn first_line(&self) -> Option<Duration> {
        self.console.lines().first().map(|line| line.at)
    }

    /// The phases so far.
    pub fn timeline(&self) -> Vec<Phase> {
        timeline::phases(&self.console.lines())
    }

    /// Fetches a page of the workload as soon as there is one.
    ///
    /// # Errors
    /// With the whole console, where the guest ends before or the page does not come.
    pub fn get(&self, path: &str, limit: Duration) -> Result<String> {
        let what = format!("the page {path}");
        let page = wait::until(&what, limit, || {
            let ended = self.console.has_ended();
            match http::get(self.port, path) {
                None if ended => Err(Error::Broken(format!(
                    "the guest ended before {what} came:\n{}",
                    self.console
                ))),
                page => Ok(page),
            }
        });
        page.map_err(|error| error.with_hint(&self.console.to_string()))
    }

    /// Presses the power button.
    ///
    /// # Errors
    /// Where QEMU is gone.
    pub fn press_power_button(&self) -> Result<()> {
        Ok(qmp::execute(&self.control, "system_powerdown")?)
    }

    /// Sends SIGINT to what started it, as Ctrl-C does.
    ///
    /// # Errors
    /// Where that is gone.
    pub fn interrupt(&self) -> Result<()> {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = kill_process(Pid::from_child(&child), Signal::INT);
        sent.map_err(|error| Error::io("sending SIGINT")(error.into()))
    }

    /// Waits for the guest to switch itself off: QEMU ends well, after the kernel's word for it. A crash and a reboot
    /// end QEMU too, and are errors.
    ///
    /// # Errors
    /// With the whole console.
    pub fn wait_for_power_off(&self, limit: Duration) -> Result<()> {
        let ended = wait::until("power-off", limit, || self.status());
        let status = ended.map_err(|error| error.with_hint(&self.console.to_string()))?;
        wait::until("the end of the console", limit, || {
            Ok(self.console.has_ended().then_some(()))
        })?;
        let console = self.console.to_string();
        if status.success() && console.contains(POWER_DOWN) {
            return Ok(());
        }
        Err(Error::Broken(format!(
            "the guest did not power off in order, QEMU ended with {status}:\n{console}"
        )))
    }

    /// Cuts the power: QEMU is killed in the middle of whatever it did. What the guest has handed to a disk stays there,
    /// what it has not is gone; a disk that forgets what it had not flushed is beyond this.
    pub fn cut_power(self) {
        drop(self);
    }

    fn status(&self) -> Result<Option<ExitStatus>> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.try_wait().map_err(Error::io("waiting for QEMU"))
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        // It may have ended by itself; either way nothing of it stays.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// A port of the rig's loopback that nobody listens on.
fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::io("finding a free port"))?;
    Ok(listener
        .local_addr()
        .map_err(Error::io("finding a free port"))?
        .port())
}
