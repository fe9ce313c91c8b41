//! A service's health: which results of its checks count, and what they decide. The state is pure ([`next`], [`pause`]);
//! [`watch`] only waits, asks and tells. How a check is made is told in [`crate::probe`].

use std::future::{Future, pending};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{join_all, select_all, try_join_all};
use hpcr_contract::plan::{HealthCheck, Purpose};
use tokio::time::Instant;

/// What is known of one check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// Its verdict, once enough results in a row have agreed.
    pub verdict: Option<bool>,
    /// Failures in a row.
    failures: u32,
    /// Successes in a row.
    successes: u32,
}

/// What follows from one more result, of a container that is this old. In the start period failures do not count, unless
/// the check has passed before: then the service has started.
pub(crate) fn next(check: &HealthCheck, state: State, age: Duration, passed: bool) -> State {
    let enough = |count: u32, needed: u32| count >= needed.max(1);
    if passed {
        let successes = state.successes.saturating_add(1);
        return State {
            verdict: if enough(successes, check.successes) {
                Some(true)
            } else {
                state.verdict
            },
            failures: 0,
            successes,
        };
    }
    if is_starting(check, state, age) {
        return State {
            successes: 0,
            ..state
        };
    }
    let failures = state.failures.saturating_add(1);
    State {
        verdict: if enough(failures, check.failures) {
            Some(false)
        } else {
            state.verdict
        },
        failures,
        successes: 0,
    }
}

/// The time from one check to the next.
pub(crate) fn pause(check: &HealthCheck, state: State, age: Duration) -> Duration {
    let own = check
        .start_interval
        .filter(|_| is_starting(check, state, age));
    // A check without a pause would be all that the processor does.
    Duration::from_millis(own.unwrap_or(check.interval)).max(SHORTEST_PAUSE)
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(10);

fn is_starting(check: &HealthCheck, state: State, age: Duration) -> bool {
    state.verdict.is_none() && age < Duration::from_millis(check.start_period)
}

/// Asks a service how it is.
pub(crate) trait Ask: Sync {
    /// Makes the check with this number, within its time; the error is its cause, without any secret.
    fn ask(
        &self,
        number: usize,
        check: &HealthCheck,
    ) -> impl Future<Output = Result<(), String>> + Send;
}

/// What dependents are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// All startup and readiness checks pass.
    Ready,
    /// A readiness check fails, with its cause.
    Unready(String),
}

/// Watches a container from its start on; ends when it has to be started again, with the cause.
pub(crate) async fn watch(
    checks: &[HealthCheck],
    asked: &impl Ask,
    told: impl Fn(Told) + Sync,
) -> String {
    let born = Instant::now();
    let with = |wanted: fn(Purpose) -> bool| {
        let numbered = checks.iter().enumerate();
        numbered
            .filter(move |(_, check)| wanted(check.purpose))
            .map(|(number, check)| Checked {
                number,
                check,
                born,
                asked,
            })
            .collect::<Vec<_>>()
    };

    let startup = with(|purpose| purpose == Purpose::Startup);
    let started = startup.iter().map(Checked::until_decided);
    if let Err(cause) = try_join_all(started).await {
        return format!("its startup check failed: {cause}");
    }

    let readiness = with(|purpose| purpose == Purpose::Readiness);
    if readiness.is_empty() {
        told(Told::Ready);
    }
    let verdicts = Mutex::new(vec![None; readiness.len()]);
    let judge = |place: usize, verdict: Result<(), String>| {
        let mut verdicts = verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = verdicts[place].replace(verdict.is_ok());
        match verdict {
            Err(cause) => told(Told::Unready(cause)),
            Ok(()) if known != Some(true) && verdicts.iter().all(|one| *one == Some(true)) => {
                told(Told::Ready);
            }
            Ok(()) => {}
        }
    };
    let judge = &judge;
    let readiness = readiness
        .iter()
        .enumerate()
        .map(async |(place, check)| check.for_ever(|verdict| judge(place, verdict)).await);

    let liveness = with(|purpose| purpose == Purpose::Liveness);
    let alive = liveness.iter().map(|check| Box::pin(check.until_failed()));
    let death = async {
        match alive.len() {
            0 => pending().await,
            _ => select_all(alive).await.0,
        }
    };
    tokio::select! {
        cause = death => format!("its liveness check failed: {cause}"),
        // All of them end at once where there are none.
        never = async { join_all(readiness).await; pending().await } => never,
    }
}

/// One check of a container.
struct Checked<'a, A> {
    number: usize,
    check: &'a HealthCheck,
    born: Instant,
    asked: &'a A,
}

impl<A: Ask> Checked<'_, A> {
    /// Until the first verdict; a failure with the last cause.
    async fn until_decided(&self) -> Result<(), String> {
        self.each_verdict(Some).await
    }

    /// Until it fails for good.
    async fn until_failed(&self) -> String {
        self.each_verdict(Result::err).await
    }

    /// Tells each change of its verdict, and never ends.
    async fn for_ever(&self, tell: impl Fn(Result<(), String>)) {
        self.each_verdict(|verdict| {
            tell(verdict);
            None::<()>
        })
        .await;
    }

    /// Checks until `ended` makes an end of a verdict that is new.
    async fn each_verdict<T>(&self, ended: impl Fn(Result<(), String>) -> Option<T>) -> T {
        let mut state = State::default();
        tokio::time::sleep_until(self.born + Duration::from_millis(self.check.initial_delay)).await;
        loop {
            let limit = Duration::from_millis(self.check.timeout);
            let answer = tokio::time::timeout(limit, self.asked.ask(self.number, self.check));
            let answer = answer
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {limit:?}")));
            let known = state.verdict;
            state = next(self.check, state, self.born.elapsed(), answer.is_ok());
            if state.verdict != known
                && let Some(end) = ended(answer)
            {
                return end;
            }
            tokio::time::sleep(pause(self.check, state, self.born.elapsed())).await;
        }
    }
}

#[cfg(test)]
mod tests;
