//! `hpcr-image run`: a guest with its console here, until it ends or somebody asks this process to end.
//!
//! The first SIGINT, SIGTERM or SIGHUP presses the guest's power button; a second one does not wait for its way out.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hpcr_image::qemu::{Accelerator, Disk, Machine, Network};
use hpcr_image::{Error, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::Run;

/// How long the guest has to end in order; its own way out takes 30 s at most.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often signals are looked for.
const PACE: Duration = Duration::from_millis(200);

/// The guest's own exit is no exit code of QEMU's: it powers off in the same way whatever happened.
pub(crate) fn run(arguments: Run) -> Result<ExitCode> {
    let control = control_folder()?;
    let machine = machine(arguments, control.path().join("qmp"))?;
    // Before signals are caught: nothing that runs yet could end in order.
    Accelerator::probed(&machine.kernel)?;
    let asked = asked_to_end()?;
    let mut guest = machine.start()?;
    let is_well = loop {
        if let Some(status) = guest.wait(PACE)? {
            break status.success();
        }
        if asked.load(Ordering::Relaxed) > 0 {
            let seconds = PATIENCE.as_secs();
            eprintln!(
                "hpcr-image: the power button was pressed: the guest has {seconds} s to end in order; a second signal ends it at once"
            );
            let in_order = guest.switch_off(PATIENCE, || asked.load(Ordering::Relaxed) > 1)?;
            if !in_order {
                eprintln!("hpcr-image: the guest did not end by itself: the plug was pulled");
            }
            break in_order;
        }
    };
    Ok(ExitCode::from(u8::from(!is_well)))
}

fn machine(arguments: Run, control: PathBuf) -> Result<Machine> {
    let mut machine = Machine::of_image(&arguments.image)?;
    machine.memory = arguments.memory;
    machine.cpus = arguments.cpus;
    machine.seed = Some(arguments.seed);
    machine.network = Network::User(arguments.forward);
    let data = arguments.data.into_iter().enumerate();
    machine.disks = data
        .map(|(index, path)| Disk::new(path, format!("data{index}")))
        .collect();
    machine.disks.push(Disk::scratch(arguments.scratch));
    machine.qmp = Some(control);
    Ok(machine)
}

/// A folder for the control socket that nobody else can enter.
fn control_folder() -> Result<tempfile::TempDir> {
    let folder = tempfile::Builder::new().prefix("hpcr-image.").tempdir();
    folder.map_err(|source| Error::Io {
        action: "make a folder in",
        path: std::env::temp_dir(),
        source,
    })
}

/// How often this process has been asked to end.
fn asked_to_end() -> Result<Arc<AtomicUsize>> {
    let listen = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let (mut interrupt, mut terminate, mut hangup) = {
            let _entered = runtime.enter();
            (
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            )
        };
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        _ = hangup.recv() => {}
                    }
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        });
        Ok(asked)
    };
    listen().map_err(|source| Error::Io {
        action: "listen for signals at",
        path: "/proc/self".into(),
        source,
    })
}
