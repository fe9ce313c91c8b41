//! Kernel modules, loaded in the background in the image's order: those of disks and network stand first in it, and while
//! the boot uses these the others follow. Whoever needs a later one waits for all.

use std::io;
use std::sync::Arc;

use hpcr_contract::messages;
use rustix::io::Errno;
use tokio::sync::watch;

use crate::error::Error;
use crate::guards::power_button;
use crate::guest::Guest;
use crate::phase::Failure;
use crate::power::Ending;

/// How far loading has come.
#[derive(Debug, Clone, Copy)]
struct Progress {
    loaded: usize,
    is_done: bool,
}

/// The way to learn how far loading has come.
#[derive(Debug)]
pub(crate) struct Modules(watch::Receiver<Progress>);

impl Modules {
    /// Waits until all are loaded.
    pub(crate) async fn loaded(&self) -> Result<(), Error> {
        self.wait_for(|progress| progress.is_done).await
    }

    /// Waits until the module that is being loaded now has been. A driver finds its devices one by one while it is
    /// loaded: whoever sees one of them waits here, and then sees all.
    pub(crate) async fn settled(&self) -> Result<(), Error> {
        let now = self.0.borrow().loaded;
        self.wait_for(|progress| progress.is_done || progress.loaded > now)
            .await
    }

    async fn wait_for(&self, condition: impl FnMut(&Progress) -> bool) -> Result<(), Error> {
        // A loader that has gone has asked for the end, and said why.
        let gone = |_| Error::Bug("while loading kernel modules".to_owned());
        self.0
            .clone()
            .wait_for(condition)
            .await
            .map(drop)
            .map_err(gone)
    }
}

/// Starts loading. A module that cannot be loaded ends the guest.
pub(crate) fn load(guest: &Arc<Guest>, paths: Vec<String>) -> Modules {
    let start = Progress {
        loaded: 0,
        is_done: false,
    };
    let (told, progress) = watch::channel(start);
    let guest = Arc::clone(guest);
    std::thread::spawn(move || match load_all(&guest, &paths, &told) {
        Ok(()) => {
            power_button::watch(&guest);
            told.send_modify(|progress| progress.is_done = true);
        }
        Err(error) => {
            let code = messages::INTERNAL_ERROR;
            let failure = Failure::new("loading of modules", &error, code, guest.kind());
            // Nobody listens once the end has begun.
            let _ = guest.ask.send(Ending::Failed(failure));
        }
    });
    Modules(progress)
}

/// Loads in order. Some modules drive hardware that is not here.
fn load_all(guest: &Guest, paths: &[String], told: &watch::Sender<Progress>) -> Result<(), Error> {
    for path in paths {
        let path = guest.path(path);
        match guest.acts.load_module(&path) {
            Err(error) if !is_absent(&error) => return Err(Error::act("loading", path)(error)),
            Ok(()) | Err(_) => told.send_modify(|progress| progress.loaded += 1),
        }
    }
    Ok(())
}

/// The hardware is not here, or the module is part of the kernel or loaded already.
fn is_absent(error: &io::Error) -> bool {
    let number = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(number, Some(Errno::NODEV | Errno::EXIST))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::acts::recorder::Recorder;
    use crate::console::Console;
    use crate::console::tests::Screen;

    fn paths(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| format!("/m/{name}.ko")).collect()
    }

    #[tokio::test]
    async fn modules_are_loaded_in_order_and_those_without_hardware_are_passed_over() {
        let recorder = Recorder::default();
        let (guest, _asked) = Guest::new(
            Console::new(Screen::default()),
            recorder.clone(),
            "/nowhere",
        );
        let modules = load(&Arc::new(guest), paths(&["first", "absent", "last"]));
        modules.settled().await.unwrap();
        modules.loaded().await.unwrap();
        modules.settled().await.unwrap();
        let loaded = ["first", "absent", "last"].map(|name| format!("load /nowhere/m/{name}.ko"));
        assert_eq!(recorder.acts(), loaded);
    }

    #[tokio::test]
    async fn a_broken_module_ends_the_guest_by_name() {
        let (guest, mut asked) =
            Guest::new(Console::new(Screen::default()), Recorder::default(), "/");
        let modules = load(&Arc::new(guest), paths(&["first", "broken", "last"]));
        assert!(modules.loaded().await.is_err());
        let Some(Ending::Failed(failure)) = asked.recv().await else {
            panic!("not asked")
        };
        assert!(
            failure.full[0].text.contains("loading /m/broken.ko"),
            "{}",
            failure.full[0]
        );
    }
}
