//! Runs the phases of the boot: each within its time limit, a panic being a failure like any other, a line with its
//! times for each.
//!
//! The table itself is in `main.rs`; the macro below makes of it both the list of names and the program. What a phase
//! gives is a value with the phase's name, so a phase that needs it cannot stand before it.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use hpcr_contract::disclosure::Told;
use hpcr_contract::image_config::ImageKind;
use hpcr_contract::messages::Code;
use tokio::sync::mpsc;

use crate::console::{seconds, uptime};
use crate::error::Error;
use crate::guest::Guest;
use crate::power::Ending;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    /// Its name on the console.
    pub(crate) name: &'static str,
    /// How long it may take, where it may not take for ever.
    pub(crate) limit: Option<Duration>,
    /// The message code of a failure that has none of its own.
    pub(crate) code: Code,
}

/// Why the boot ended in a phase.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Where: `contract (6/13)`.
    pub(crate) place: String,
    /// What the console may show.
    pub(crate) public: Vec<Told>,
    /// What the collector gets.
    pub(crate) full: Vec<Told>,
}

impl Failure {
    /// The failure that an error is, on an image of this kind; `code` is for what has none of its own.
    pub(crate) fn new(
        place: impl Into<String>,
        error: &Error,
        code: Code,
        kind: ImageKind,
    ) -> Self {
        Self {
            place: place.into(),
            public: error.for_console(code, kind),
            full: error.full(code),
        }
    }
}

/// Makes the phase table: a constant with its rows, and the function that runs them in that order.
macro_rules! phases {
    (
        $(#[$doc:meta])* $boot:ident($guest:ident)
        $($name:ident = $work:expr, $limit:expr, $code:ident;)+
    ) => {
        /// The rows of the table.
        const PHASES: &[$crate::phase::Phase] = &[$($crate::phase::Phase {
            name: stringify!($name),
            limit: $limit,
            code: hpcr_contract::messages::$code,
        }),+];

        $(#[$doc])*
        async fn $boot(
            $guest: &std::sync::Arc<$crate::guest::Guest>,
            runner: &mut $crate::phase::Runner,
        ) -> Result<std::convert::Infallible, $crate::power::Ending> {
            $(let $name = runner.run($work).await?;)+
            // The last phase says how the boot's work came to its end.
            Err(last_of!($($name)+))
        }
    };
}

/// The last of some names.
macro_rules! last_of {
    ($last:ident) => { $last };
    ($first:ident $($rest:ident)+) => { last_of!($($rest)+) };
}

pub(crate) use {last_of, phases};

/// How long a phase that does not even notice its time limit may go on before the main thread ends it.
const GRACE: Duration = Duration::from_secs(10);

/// Runs phases one after the other.
pub(crate) struct Runner {
    guest: Arc<Guest>,
    asked: mpsc::UnboundedReceiver<Ending>,
    table: &'static [Phase],
    next: usize,
}

impl Runner {
    pub(crate) fn new(
        guest: Arc<Guest>,
        asked: mpsc::UnboundedReceiver<Ending>,
        table: &'static [Phase],
    ) -> Self {
        Self {
            guest,
            asked,
            table,
            next: 0,
        }
    }

    /// Runs the work of the table's next row; being asked to end comes first.
    pub(crate) async fn run<T>(
        &mut self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Ending> {
        let begun = uptime();
        let phase = self.table[self.next];
        self.next += 1;
        let number = format!("{}/{}", self.next, self.table.len());
        self.guest
            .set_deadline(phase.limit.map(|limit| limit + GRACE));

        let work = AssertUnwindSafe(work).catch_unwind();
        let within = async {
            match phase.limit {
                Some(limit) => tokio::time::timeout(limit, work)
                    .await
                    .map_err(|_| Error::TooLate(limit)),
                None => Ok(work.await),
            }
        };
        let outcome = tokio::select! {
            biased;
            outcome = within => outcome,
            // The guest itself holds a sender, so the channel never closes.
            Some(ending) = self.asked.recv() => return Err(ending),
        };
        let error = match outcome {
            Ok(Ok(Ok(value))) => {
                let now = uptime();
                self.guest.console.note(&format!(
                    "phase {} {number} done at {}, took {} ms",
                    phase.name,
                    seconds(now),
                    now.saturating_sub(begun).as_millis()
                ));
                return Ok(value);
            }
            Ok(Ok(Err(error))) | Err(error) => error,
            Ok(Err(_panic)) => self.panicked(),
        };
        let place = format!("{} {number}", phase.name);
        let kind = self.guest.kind();
        Err(Ending::Failed(Failure::new(
            place, &error, phase.code, kind,
        )))
    }

    /// The panic hook has said where it was; what the panic said may hold anything, and stays where it is.
    fn panicked(&mut self) -> Error {
        match self.asked.try_recv() {
            Ok(Ending::Panicked(place)) => Error::Bug(place),
            _ => Error::Bug("at an unknown place".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::acts::recorder::Recorder;
    use crate::console::Console;
    use crate::console::tests::Screen;
    use hpcr_contract::messages;

    const TABLE: &[Phase] = &[
        Phase {
            name: "first",
            limit: Some(Duration::from_millis(50)),
            code: messages::NETWORK_TIMEOUT,
        },
        Phase {
            name: "second",
            limit: None,
            code: messages::INTERNAL_ERROR,
        },
    ];

    fn runner() -> (Runner, Screen) {
        let screen = Screen::default();
        let (guest, asked) = Guest::new(Console::new(screen.clone()), Recorder::default(), "/");
        (Runner::new(Arc::new(guest), asked, TABLE), screen)
    }

    fn failure<T: std::fmt::Debug>(outcome: Result<T, Ending>) -> Failure {
        match outcome.unwrap_err() {
            Ending::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_phase_gives_its_value_and_a_line_that_machines_can_read() {
        let (mut runner, screen) = runner();
        assert_eq!(runner.run(async { Ok(7) }).await.unwrap(), 7);
        runner.guest.console.flush(Duration::from_secs(5));
        let lines = screen.lines();
        let words: Vec<_> = lines[0].split(' ').collect();
        assert_eq!(words[..5], ["hpcr-init:", "phase", "first", "1/2", "done"]);
        assert_eq!(
            (words[5], words[7], words[8], words[10]),
            ("at", "s,", "took", "ms")
        );
        assert!(words[6].parse::<f64>().is_ok() && words[9].parse::<u64>().is_ok());
    }

    #[tokio::test]
    async fn a_phase_that_takes_too_long_fails_with_the_phases_code() {
        let (mut runner, _) = runner();
        let outcome = runner
            .run(std::future::pending::<Result<(), Error>>())
            .await;
        let failure = failure(outcome);
        assert_eq!(failure.place, "first 1/2");
        assert_eq!(failure.full[0].code, messages::NETWORK_TIMEOUT);
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_like_any_other() {
        let (mut runner, _) = runner();
        let outcome = runner
            .run(async {
                assert!(uptime() == Duration::ZERO, "hunter2");
                Ok(())
            })
            .await;
        let failure = failure(outcome);
        assert_eq!(failure.full[0].code, messages::INTERNAL_ERROR);
        assert!(!failure.full[0].text.contains("hunter2"));
    }

    #[tokio::test]
    async fn being_asked_to_end_ends_a_phase_that_waits() {
        let (mut runner, _) = runner();
        runner.run(async { Ok(()) }).await.unwrap();
        let ask = runner.guest.ask.clone();
        ask.send(Ending::Asked("the power button was pressed"))
            .unwrap();
        let outcome = runner
            .run(std::future::pending::<Result<(), Error>>())
            .await;
        assert!(matches!(outcome, Err(Ending::Asked(_))));
    }
}
