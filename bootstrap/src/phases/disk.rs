//! Phase 10: the data volumes of the contract; and the scratch volume for images, under a key that is never stored.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hpcr_contract::disclosure::Told;
use hpcr_contract::image_config::ImageKind;
use hpcr_contract::messages;
use hpcr_disk::{Context, Event, Mounted};
use rustix::mount::MountFlags;

use crate::acts::Mount;
use crate::cidata::Seed;
use crate::ends::{self, Step};
use crate::error::Error;
use crate::guest::Guest;
use crate::mounts;
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
/// Where the guest's own mounts are.
const OWN: &str = "/run/hpcr";
/// How long a volume that is still in use is tried again: what used it is about to end.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(50);

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
    let scratch =
        scratch.map(|scratch| close_at_end(guest, &ends::SCRATCH, scratch.into_iter().collect()));
    let volumes = volumes.map(|volumes| close_at_end(guest, &ends::VOLUMES, volumes));
    scratch?;
    let volumes = volumes?;

    // What is closed below must not be taken away before.
    let kept = volumes.iter().cloned().chain([guest.path(SCRATCH)]);
    end_the_rest(guest, kept.collect());
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
fn close_at_end(guest: &Guest, step: &'static Step, mounted: Vec<Mounted>) -> Vec<PathBuf> {
    let folders = mounted.iter().map(|volume| volume.folder.clone()).collect();
    guest.ends.push(step, async move {
        let close = move || mounted.into_iter().rev().filter_map(close).collect();
        let closed = tokio::task::spawn_blocking(close).await;
        closed.unwrap_or_else(|error| vec![error.to_string()])
    });
    folders
}

/// Gives what went wrong.
fn close(volume: Mounted) -> Option<String> {
    let handle = || Mounted {
        place: volume.place.clone(),
        folder: volume.folder.clone(),
        mapping: volume.mapping.clone(),
    };
    patiently(PATIENCE, || handle().close()).map(|error| error.to_string())
}

/// Tries until it works or the time is up; gives the first error then, for later ones may follow from it.
fn patiently<E>(limit: Duration, mut act: impl FnMut() -> Result<(), E>) -> Option<E> {
    let until = Instant::now() + limit;
    let first = act().err()?;
    while Instant::now() < until {
        std::thread::sleep(PAUSE);
        if act().is_ok() {
            return None;
        }
    }
    Some(first)
}

/// Has processes and mounts that nobody took down ended before volumes are closed: they would keep them in use.
fn end_the_rest(guest: &Arc<Guest>, kept: Vec<PathBuf>) {
    let ours = Arc::clone(guest);
    guest.ends.push(&ends::REST, async move {
        let end = move || {
            ours.acts.kill_all();
            let table = ours.path("/proc/self/mountinfo");
            let left = match std::fs::read_to_string(&table) {
                Ok(table) => mounts::below(&table, &ours.path(OWN), &kept),
                Err(error) => return vec![format!("{}: {error}", table.display())],
            };
            let detached = left.iter().filter_map(|folder| {
                let error = ours.acts.detach(folder).err()?;
                Some(format!("{}: {error}", folder.display()))
            });
            detached.collect()
        };
        let ended = tokio::task::spawn_blocking(end).await;
        ended.unwrap_or_else(|error| vec![error.to_string()])
    });
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::acts::recorder::Recorder;
    use crate::console::Console;
    use crate::console::tests::Screen;

    #[test]
    fn what_is_busy_is_tried_again_and_the_first_error_is_told() {
        let mut tries = 0;
        let mut busy_until = |last: u32, limit| {
            tries = 0;
            patiently(limit, || {
                tries += 1;
                if tries < last { Err(tries) } else { Ok(()) }
            })
        };
        assert_eq!(busy_until(3, Duration::from_secs(10)), None);
        assert_eq!(busy_until(u32::MAX, 3 * PAUSE), Some(1));
    }

    #[tokio::test]
    async fn processes_are_killed_before_mounts_are_taken_away_and_volumes_are_left_to_be_closed() {
        let root = tempfile::tempdir().unwrap();
        let (recorder, console) = (Recorder::default(), Console::new(Screen::default()));
        let (guest, _) = Guest::new(console, recorder.clone(), root.path());
        let guest = Arc::new(guest);
        let (scratch, store) = (guest.path(SCRATCH), guest.path("/run/hpcr/scratch/store/a"));
        let line = |folder: &Path| format!("1 1 0:1 / {} rw - tmpfs tmpfs rw\n", folder.display());
        std::fs::create_dir_all(guest.path("/proc/self")).unwrap();
        let table = line(&scratch) + &line(&store);
        std::fs::write(guest.path("/proc/self/mountinfo"), table).unwrap();
        end_the_rest(&guest, vec![scratch]);
        let faults = guest.ends.pop().unwrap().work.await;
        assert_eq!(faults, Vec::<String>::new());
        let detached = format!("detach {}", store.display());
        assert_eq!(recorder.acts(), ["kill all".to_owned(), detached]);
    }
}
