//! Phase 10: the data volumes of the contract; and the scratch volume for images, under a key that is never stored.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hpcr_contract::disclosure::Told;
use hpcr_contract::image_config::ImageKind;
use hpcr_contract::messages;
use hpcr_disk::{Context, DiskError, Event, Mounted};
use rustix::mount::MountFlags;
use tokio::sync::oneshot;

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
    let scratch = opening(guest, &ends::SCRATCH, move || {
        let opened = hpcr_disk::open_scratch(&scratch_context, &scratch_folder)?;
        Ok(opened.into_iter().collect())
    });
    let (plan, reporter) = (Arc::clone(&contract.plan), Arc::clone(guest));
    let volumes = opening(guest, &ends::VOLUMES, move || {
        hpcr_disk::open_volumes(&plan.volumes, &context, &mut |event| {
            report(&reporter, &event);
        })
    });
    // What is closed by the two must not be taken away before.
    let kept = contract.plan.volumes.iter().map(|volume| &volume.mount);
    let kept = kept.map(PathBuf::from).chain([guest.path(SCRATCH)]);
    end_the_rest(guest, kept.collect());

    // The first that fails is told at once; the other goes on, and is closed at the end.
    let (scratch, volumes) = tokio::try_join!(scratch, volumes)?;
    if scratch.is_empty() {
        guest
            .acts
            .mount(&MEMORY)
            .map_err(Error::act("mounting", SCRATCH))?;
        guest
            .console
            .note("there is no scratch disk: images stay in memory");
    }
    if !volumes.is_empty() {
        guest.console.say(messages::VOLUMES_ENCRYPTED, "");
        guest.console.say(messages::VOLUMES_MOUNTED, "");
    }
    Ok(Disks {
        volumes,
        scratch: guest.path(SCRATCH),
    })
}

/// Opens disks on a thread that nothing can stop; gives where they are mounted. What it has opened is closed at the end,
/// the last one first, also where the end comes while it works.
fn opening<W>(
    guest: &Guest,
    step: &'static Step,
    open: W,
) -> impl Future<Output = Result<Vec<PathBuf>, Error>> + use<W>
where
    W: FnOnce() -> Result<Vec<Mounted>, DiskError> + Send + 'static,
{
    let (sender, opened) = oneshot::channel();
    let work = tokio::task::spawn_blocking(move || {
        let volumes = open()?;
        let folders = volumes.iter().map(|volume| volume.folder.clone()).collect();
        if let Err(volumes) = sender.send(volumes) {
            // The end has not waited; nobody is left to hear of a fault.
            volumes.iter().rev().filter_map(close).for_each(drop);
        }
        Ok::<_, DiskError>(folders)
    });
    guest.ends.push(step, async move {
        let mounted = match tokio::time::timeout(step.limit / 2, opened).await {
            Ok(Ok(mounted)) => mounted,
            // It could not be opened.
            Ok(Err(_)) => return Vec::new(),
            Err(_) => return vec!["it was still being opened".to_owned()],
        };
        let close = move || mounted.iter().rev().filter_map(close).collect();
        let closed = tokio::task::spawn_blocking(close).await;
        closed.unwrap_or_else(|error| vec![error.to_string()])
    });
    async move {
        let bug = |_| Error::Bug("in the work on disks".to_owned());
        Ok(work.await.map_err(bug)??)
    }
}

/// Gives what went wrong.
fn close(volume: &Mounted) -> Option<String> {
    patiently(PATIENCE, || volume.close()).map(|error| error.to_string())
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

    fn guest(root: &Path) -> (Arc<Guest>, Recorder) {
        let (recorder, console) = (Recorder::default(), Console::new(Screen::default()));
        let (guest, _) = Guest::new(console, recorder.clone(), root);
        (Arc::new(guest), recorder)
    }

    fn mounted() -> Vec<Mounted> {
        vec![Mounted {
            place: hpcr_disk::Place {
                volume: "data".to_owned(),
                disk: None,
            },
            folder: PathBuf::from("/nonexistent/volume"),
            mapping: "hpcr-no-such-mapping".to_owned(),
        }]
    }

    #[tokio::test]
    async fn an_end_during_the_opening_closes_what_it_then_gives() {
        const STEP: Step = Step {
            what: "closing",
            limit: Duration::from_secs(20),
        };
        let (guest, _) = guest(Path::new("/"));
        let (go_on, may) = std::sync::mpsc::channel();
        let phase = opening(&guest, &STEP, move || {
            may.recv().unwrap();
            Ok(mounted())
        });
        drop(phase);
        let end = tokio::spawn(guest.ends.pop().unwrap().work);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!end.is_finished(), "it waits for the work");
        go_on.send(()).unwrap();
        let faults = end.await.unwrap();
        // There is no such volume, so that closing it was tried shows as a fault.
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    #[tokio::test]
    async fn an_end_does_not_wait_for_ever_for_a_disk_that_does_not_open() {
        const STEP: Step = Step {
            what: "closing",
            limit: Duration::from_millis(100),
        };
        let (guest, _) = guest(Path::new("/"));
        let (go_on, may) = std::sync::mpsc::channel::<()>();
        let phase = opening(&guest, &STEP, move || {
            // Until the test is over.
            let _ = may.recv();
            Ok(Vec::new())
        });
        let faults = guest.ends.pop().unwrap().work.await;
        assert_eq!(faults, ["it was still being opened"]);
        drop(go_on);
        assert_eq!(phase.await.unwrap(), Vec::<PathBuf>::new());
    }

    #[tokio::test]
    async fn processes_are_killed_before_mounts_are_taken_away_and_volumes_are_left_to_be_closed() {
        let root = tempfile::tempdir().unwrap();
        let (guest, recorder) = guest(root.path());
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
