//! Phase 10: the data volumes of the contract; and the scratch volume for images, under a key that is never stored.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hpcr_contract::disclosure::Told;
use hpcr_contract::image_config::ImageKind;
use hpcr_contract::messages;
use hpcr_disk::{Context, Event, Mounted};
use rustix::mount::MountFlags;

use crate::acts::Mount;
use crate::cidata::Seed;
use crate::error::Error;
use crate::guest::Guest;
use crate::phases::contract::Contract;
use crate::phases::early::Early;
use crate::phases::logging::Log;

/// Disks that are open and mounted.
#[derive(Debug)]
pub(crate) struct Disks {
    /// Where the volumes are mounted.
    pub(crate) volumes: Vec<PathBuf>,
    /// Room for images and containers.
    pub(crate) scratch: PathBuf,
}

const SCRATCH: &str = "/run/hpcr/scratch";
/// In place of a scratch disk.
const MEMORY: Mount = Mount {
    kind: "tmpfs",
    at: SCRATCH,
    flags: MountFlags::NOSUID.union(MountFlags::NODEV),
    options: "mode=0700",
    optional: false,
};
/// How long closing may take: what is not written yet goes to the disk.
const CLOSE: Duration = Duration::from_secs(10);

pub(crate) async fn run(
    guest: &Arc<Guest>,
    early: &Early,
    seed: &Seed,
    contract: &Contract,
    _log: &Log,
) -> Result<Disks, Error> {
    early.modules.loaded().await?;
    let context = Context {
        cidata: Some(seed.device.clone()),
        ..Context::default()
    };
    let (scratch_context, scratch_folder) = (context.clone(), guest.path(SCRATCH));
    let scratch = blocking(move || hpcr_disk::open_scratch(&scratch_context, &scratch_folder));
    let (plan, reporter) = (Arc::clone(&contract.plan), Arc::clone(guest));
    let volumes = blocking(move || {
        hpcr_disk::open_volumes(&plan.volumes, &context, &mut |event| {
            report(&reporter, &event);
        })
    });
    let (scratch, volumes) = tokio::join!(scratch, volumes);

    if let Ok(None) = &scratch {
        guest
            .acts
            .mount(&MEMORY)
            .map_err(Error::act("mounting", SCRATCH))?;
        guest
            .console
            .note("there is no scratch disk: images stay in memory");
    }
    // What is open is closed at the end, whichever of the two failed.
    let scratch = scratch.map(|scratch| {
        close_at_end(
            guest,
            "closing the scratch disk",
            scratch.into_iter().collect(),
        )
    });
    let volumes = volumes.map(|volumes| close_at_end(guest, "closing the volumes", volumes));
    scratch?;
    let volumes = volumes?;

    let killer = Arc::clone(guest);
    guest
        .ends
        .push("ending what is left", Duration::from_secs(1), async move {
            killer.acts.kill_all();
            Vec::new()
        });
    if !volumes.is_empty() {
        guest.console.say(messages::VOLUMES_ENCRYPTED, "");
        guest.console.say(messages::VOLUMES_MOUNTED, "");
    }
    Ok(Disks {
        volumes,
        scratch: guest.path(SCRATCH),
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, hpcr_disk::DiskError> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|_| Error::Bug("in the work on disks".to_owned()))??)
}

/// Has volumes closed at the end, the last one first; gives where they are.
fn close_at_end(guest: &Guest, what: &'static str, mounted: Vec<Mounted>) -> Vec<PathBuf> {
    let folders = mounted.iter().map(|volume| volume.folder.clone()).collect();
    guest.ends.push(what, CLOSE, async move {
        let close = move || -> Vec<String> {
            let closed = mounted
                .into_iter()
                .rev()
                .filter_map(|volume| volume.close().err());
            closed.map(|error| error.to_string()).collect()
        };
        let closed = tokio::task::spawn_blocking(close).await;
        closed.unwrap_or_else(|error| vec![error.to_string()])
    });
    folders
}

/// Names of volumes are the contract's: they go to the collector, and to a development image's console.
fn report(guest: &Guest, event: &Event) {
    let Some(code) = event.code() else {
        return guest
            .console
            .keep(messages::Severity::Info, &event.to_string());
    };
    let text = code.entry().map_or("", |entry| entry.text);
    let full = Told {
        code,
        text: format!("{text}: {event}"),
    };
    let public = match guest.kind() {
        ImageKind::Development => full.clone(),
        ImageKind::Production => Told {
            code,
            text: text.to_owned(),
        },
    };
    guest.console.tell(&[public], &[full]);
}

/// The folder of images and containers on the scratch volume.
pub(crate) fn store(scratch: &Path) -> PathBuf {
    scratch.join("store")
}
