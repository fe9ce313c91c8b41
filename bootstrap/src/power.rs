//! The only way out: say why, take down what was set up, power off. Never a reboot, never a shell, never a return.
//!
//! Every end comes here: a phase that failed, a guard, a signal, the workload's own end, a panic. Each step has a time
//! limit, and a step that fails is told and passed over, because the power has to go off in any case.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use hpcr_contract::disclosure::Told;
use hpcr_contract::messages;

use crate::console::{seconds, uptime};
use crate::ends::{CONSOLE, End, LIMIT, SYNC};
use crate::error::Error;
use crate::guest::Guest;
use crate::phase::Failure;

/// How long the host may take to read the last lines where nothing is taken down.
const READ_AT_ONCE: Duration = Duration::from_secs(1);

/// Why the guest ends.
#[derive(Debug)]
pub(crate) enum Ending {
    /// A phase failed, or a guard did.
    Failed(Failure),
    /// Something panicked outside of a phase; where.
    Panicked(String),
    /// Someone asked for it; in what way.
    Asked(&'static str),
    /// The workload has done what it had to.
    Finished,
}

/// Ends the guest. With the kernel's acts it does not return.
pub(crate) async fn end(guest: &Arc<Guest>, ending: Ending) {
    if !guest.begin_end() {
        return;
    }
    guest.set_deadline(Some(LIMIT));
    say(guest, &ending);
    while let Some(End { step, work }) = guest.ends.pop() {
        let work = AssertUnwindSafe(work).catch_unwind();
        let faults = match tokio::time::timeout(step.limit, work).await {
            Ok(Ok(faults)) => faults,
            Ok(Err(_)) => vec!["a bug was met".to_owned()],
            Err(_) => vec![format!("not done within {} s", step.limit.as_secs())],
        };
        for fault in faults {
            let text = format!("{}: {fault}", step.what);
            guest.console.keep(messages::Severity::Warning, &text);
            guest
                .console
                .note(&format!("warning: {} did not go well", step.what));
        }
    }
    let ours = Arc::clone(guest);
    let written = tokio::task::spawn_blocking(move || ours.acts.sync());
    // Data that was promised to be durable is; a disk that hangs must not keep the power on.
    let _ = tokio::time::timeout(SYNC.limit, written).await;
    guest
        .console
        .note(&format!("powering off at {}", seconds(uptime())));
    guest.console.flush(CONSOLE.limit);
    guest.acts.power_off();
}

fn say(guest: &Guest, ending: &Ending) {
    let console = &guest.console;
    match ending {
        Ending::Asked(how) => console.note(&format!("ending: {how}")),
        Ending::Finished => console.note("ending: the workload has ended"),
        Ending::Failed(failure) => {
            console.tell(&failure.public, &failure.full);
            console.say(
                messages::SERVICE_FAILED,
                &format!("in phase {}", failure.place),
            );
        }
        Ending::Panicked(place) => {
            let told = Error::Bug(place.clone()).full(messages::INTERNAL_ERROR);
            console.tell(&told, &told);
            console.say(messages::SERVICE_FAILED, "outside of the phases");
        }
    }
}

/// Makes a panic anywhere an ending; where nobody can take it down in order any more, the power goes off at once.
pub(crate) fn end_on_panic(guest: &Arc<Guest>) {
    let guest = Arc::clone(guest);
    std::panic::set_hook(Box::new(move |info| on_panic(&guest, info)));
}

thread_local! {
    /// Set while this thread does work whose panics are an answer like any other.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Does work on hostile bytes: a panic there is an error for the caller, told to nobody else.
pub(crate) fn contained<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    CONTAINED.set(true);
    let done = std::panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(false);
    done
}

/// A thread of `contract/` hands its panic on to the contained work that started it.
fn is_contained() -> bool {
    CONTAINED.get() || std::thread::current().name() == Some(hpcr_contract::parallel::THREAD)
}

fn on_panic(guest: &Guest, info: &PanicHookInfo<'_>) {
    if is_contained() {
        return;
    }
    // The text of a panic may hold anything; its place holds nothing but our own file names.
    let place = info.location().map_or_else(
        || "at an unknown place".to_owned(),
        |location| format!("at {}:{}", location.file(), location.line()),
    );
    let is_main = std::thread::current().name() == Some("main");
    if guest.is_ending() && !is_main {
        // Whoever takes down goes on with the next step; the deadline covers what does not.
        let text = format!("a bug was met {place}");
        return guest.console.keep(messages::Severity::Error, &text);
    }
    if is_main || guest.ask.send(Ending::Panicked(place.clone())).is_err() {
        at_once(guest, &place);
    }
}

/// The last resort: says so and powers off, without taking anything down.
pub(crate) fn at_once(guest: &Guest, cause: &str) {
    let told: Vec<Told> = Error::Bug(cause.to_owned()).full(messages::INTERNAL_ERROR);
    guest.console.tell(&told, &[]);
    guest
        .console
        .say(messages::SERVICE_FAILED, "at once, nothing was taken down");
    guest.console.flush(READ_AT_ONCE);
    guest.acts.power_off();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn contained_work_gives_its_panic_back_and_the_next_panic_is_seen_again() {
        assert!(contained(|| panic!("hostile bytes")).is_err());
        assert!(!CONTAINED.get());
        assert_eq!(contained(|| 7).ok(), Some(7));
    }

    #[test]
    fn the_threads_of_contained_work_are_contained_too() {
        let on = |name: &str| {
            let thread = std::thread::Builder::new().name(name.to_owned());
            thread.spawn(is_contained).unwrap().join().unwrap()
        };
        assert!(on(hpcr_contract::parallel::THREAD) && !on("another"));
        assert_eq!(contained(is_contained).ok(), Some(true));
    }

    use crate::acts::recorder::Recorder;
    use crate::console::Console;
    use crate::console::tests::{Screen, Stuck};
    use crate::ends::{CONTAINERS, LOG, Step, VOLUMES};
    use hpcr_contract::messages::Code;
    use std::future::Future;

    fn guest() -> (Arc<Guest>, Recorder, Screen) {
        let (recorder, screen) = (Recorder::default(), Screen::default());
        let (guest, _) = Guest::new(Console::new(screen.clone()), recorder.clone(), "/");
        (Arc::new(guest), recorder, screen)
    }

    fn note(recorder: &Recorder, what: &'static str) -> impl Future<Output = Vec<String>> + use<> {
        let recorder = recorder.clone();
        async move {
            recorder.note(what);
            Vec::new()
        }
    }

    fn failed(code: Code, public: &str, full: &str) -> Ending {
        let told = |text: &str| {
            vec![Told {
                code,
                text: text.to_owned(),
            }]
        };
        Ending::Failed(Failure {
            place: "disk 10/13".to_owned(),
            public: told(public),
            full: told(full),
        })
    }

    #[tokio::test]
    async fn what_was_set_up_last_is_taken_down_first_and_then_the_power_goes_off() {
        let (guest, recorder, screen) = guest();
        for (step, act) in [
            (&LOG, "close the log"),
            (&VOLUMES, "close volumes"),
            (&CONTAINERS, "stop containers"),
        ] {
            guest.ends.push(step, note(&recorder, act));
        }
        end(&guest, Ending::Asked("SIGTERM")).await;
        assert_eq!(
            recorder.acts(),
            [
                "stop containers",
                "close volumes",
                "close the log",
                "sync",
                "power off"
            ]
        );
        assert_eq!(screen.lines()[0], "hpcr-init: ending: SIGTERM");
        assert!(screen.lines()[1].starts_with("hpcr-init: powering off at "));
    }

    #[tokio::test]
    async fn a_step_that_fails_hangs_or_panics_does_not_keep_the_power_on() {
        const HANGING: Step = Step {
            what: "hanging",
            limit: Duration::from_millis(50),
        };
        let (guest, recorder, screen) = guest();
        guest.ends.push(&LOG, note(&recorder, "close the log"));
        guest
            .ends
            .push(&VOLUMES, async { vec!["/srv/secret is busy".to_owned()] });
        guest.ends.push(&HANGING, std::future::pending());
        guest.ends.push(&CONTAINERS, async { panic!("boom") });
        end(&guest, Ending::Finished).await;
        assert_eq!(recorder.acts(), ["close the log", "sync", "power off"]);
        let lines = screen.lines();
        assert_eq!(
            lines[1..4],
            ["stopping the containers", "hanging", "closing the volumes"]
                .map(|what| format!("hpcr-init: warning: {what} did not go well"))
        );
        assert!(!lines.concat().contains("secret"));
    }

    #[tokio::test]
    async fn a_failure_is_told_before_anything_is_taken_down_and_the_service_code_follows() {
        let (guest, recorder, screen) = guest();
        end(
            &guest,
            failed(messages::LUKS_OPEN_FAILED, "public", "with secret"),
        )
        .await;
        let lines = screen.lines();
        assert_eq!(
            lines[..2],
            [
                "HPL02003E: public",
                "HPL10000E: the appliance shuts down: in phase disk 10/13"
            ]
        );
        assert!(!lines.concat().contains("secret"));
        assert_eq!(recorder.acts(), ["sync", "power off"]);
    }

    #[tokio::test]
    async fn the_power_goes_off_once() {
        let (guest, recorder, _) = guest();
        end(&guest, Ending::Finished).await;
        end(&guest, Ending::Asked("SIGTERM")).await;
        assert_eq!(recorder.acts(), ["sync", "power off"]);
    }

    #[test]
    fn the_last_resort_takes_nothing_down() {
        let (guest, recorder, screen) = guest();
        at_once(&guest, "at main.rs:1");
        assert_eq!(recorder.acts(), ["power off"]);
        assert!(
            screen.lines()[0]
                .starts_with("HPL11000E: internal error: the appliance met a bug (at main.rs:1)")
        );
        assert!(screen.lines()[1].starts_with("HPL10000E"));
    }

    #[tokio::test]
    async fn a_host_that_does_not_read_the_console_does_not_keep_the_power_on() {
        let stuck = || {
            let recorder = Recorder::default();
            let (guest, _) = Guest::new(Console::new(Stuck), recorder.clone(), "/");
            for _ in 0..1000 {
                guest.console.note("nobody reads this");
            }
            (Arc::new(guest), recorder)
        };
        let (guest, recorder) = stuck();
        end(&guest, Ending::Asked("SIGTERM")).await;
        assert_eq!(recorder.acts(), ["sync", "power off"]);
        let (guest, recorder) = stuck();
        at_once(&guest, "at main.rs:1");
        assert_eq!(recorder.acts(), ["power off"]);
    }
}
