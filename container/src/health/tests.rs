#![allow(clippy::unwrap_used)]

use super::*;
use hpcr_contract::plan::Probe;
use proptest::prelude::*;

fn check(purpose: Purpose) -> HealthCheck {
    HealthCheck {
        purpose,
        probe: Probe::Tcp { port: 1 },
        interval: 1_000,
        timeout: 100,
        failures: 3,
        successes: 1,
        start_period: 0,
        start_interval: None,
        initial_delay: 0,
    }
}

/// The verdicts after each of these results, `+` and `-`, one second apart.
fn verdicts(check: &HealthCheck, results: &str) -> String {
    let mut state = State::default();
    let told = results.char_indices().map(|(second, result)| {
        state = next(
            check,
            state,
            Duration::from_secs(second as u64),
            result == '+',
        );
        match state.verdict {
            Some(true) => '+',
            Some(false) => '-',
            None => '?',
        }
    });
    told.collect()
}

#[test]
fn results_count_when_enough_of_them_come_in_a_row() {
    let with = |failures, successes, start_period| HealthCheck {
        failures,
        successes,
        start_period,
        ..check(Purpose::Readiness)
    };
    for (failures, successes, start_period, results, expected) in [
        (3, 1, 0, "+", "+"),
        (3, 1, 0, "---", "??-"),
        (3, 1, 0, "+--+---+", "++++++-+"),
        (3, 1, 0, "--+---", "??+++-"),
        (1, 1, 0, "-+-", "-+-"),
        (3, 2, 0, "+-++", "???+"),
        (1, 3, 0, "-+++", "---+"),
        // Nothing needs no result at all.
        (0, 0, 0, "-+", "-+"),
        // Failures of the first three seconds do not count; those after them do.
        (2, 1, 3_000, "-----", "????-"),
        // A success is the end of starting.
        (2, 1, 9_000, "-+--", "?++-"),
    ] {
        let seen = verdicts(&with(failures, successes, start_period), results);
        assert_eq!(
            seen, expected,
            "{failures} {successes} {start_period} {results}"
        );
    }
}

#[test]
fn checks_are_more_frequent_while_a_service_starts() {
    let check = HealthCheck {
        start_period: 5_000,
        start_interval: Some(200),
        ..check(Purpose::Readiness)
    };
    let passed = next(&check, State::default(), Duration::ZERO, true);
    let seconds = Duration::from_secs;
    for (state, age, expected) in [
        (State::default(), 1, 200),
        (State::default(), 5, 1_000),
        (passed, 1, 1_000),
    ] {
        assert_eq!(
            pause(&check, state, seconds(age)),
            Duration::from_millis(expected)
        );
    }
    let without = HealthCheck {
        interval: 0,
        ..check
    };
    assert_eq!(
        pause(&without, State::default(), seconds(9)),
        SHORTEST_PAUSE
    );
}

proptest! {
    #[test]
    fn a_verdict_never_turns_without_as_many_results_in_a_row(
        results in "[+-]{0,40}", failures in 1u32..5, successes in 1u32..5, start_period in 0u64..9_000,
    ) {
        let check = HealthCheck { failures, successes, start_period, ..check(Purpose::Liveness) };
        let seen: Vec<char> = verdicts(&check, &results).chars().collect();
        let results: Vec<char> = results.chars().collect();
        for place in 0..seen.len() {
            let before = place.checked_sub(1).map_or('?', |before| seen[before]);
            if seen[place] != before {
                let needed = if seen[place] == '+' { successes } else { failures };
                let needed = usize::try_from(needed).unwrap();
                prop_assert!(place + 1 >= needed);
                prop_assert!(results[place + 1 - needed..=place].iter().all(|one| *one == seen[place]));
            }
        }
    }
}

/// A service whose checks answer as their scripts say, the last for ever: `+`, `-`, or `z`, which sleeps.
struct Scripted(Vec<(&'static str, Mutex<usize>)>, Instant);

impl Scripted {
    fn new(scripts: &[&'static str]) -> Self {
        let scripts = scripts.iter().map(|script| (*script, Mutex::default()));
        Self(scripts.collect(), Instant::now())
    }

    fn asked(&self, number: usize) -> usize {
        *self.0[number].1.lock().unwrap()
    }
}

impl Ask for Scripted {
    async fn ask(&self, number: usize, _: &HealthCheck) -> Result<(), String> {
        let (script, asked) = &self.0[number];
        let at = {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            (*asked - 1).min(script.len() - 1)
        };
        match &script[at..=at] {
            "+" => Ok(()),
            "-" => Err(format!("it said no to {number}")),
            _ => pending().await,
        }
    }
}

/// Watches for so many seconds of a clock that does not wait; gives what was told when, and the end.
async fn watched(
    checks: &[HealthCheck],
    asked: &Scripted,
    seconds: u64,
) -> (Vec<(u64, Told)>, Option<(u64, String)>) {
    let told = Mutex::new(Vec::new());
    let now = || asked.1.elapsed().as_secs();
    let watch = watch(checks, asked, |one| {
        told.lock().unwrap().push((now(), one));
    });
    let end = tokio::time::timeout(Duration::from_secs(seconds), watch).await;
    let end = end.ok().map(|cause| (now(), cause));
    (told.into_inner().unwrap(), end)
}

#[tokio::test(start_paused = true)]
async fn without_checks_a_service_is_ready_at_once_and_stays_alive() {
    let asked = Scripted::new(&[]);
    let (told, end) = watched(&[], &asked, 1_000).await;
    assert_eq!((told, end), (vec![(0, Told::Ready)], None));
}

#[tokio::test(start_paused = true)]
async fn a_service_is_ready_when_every_readiness_check_passes() {
    let asked = Scripted::new(&["--+---+", "+"]);
    let checks = [check(Purpose::Readiness), check(Purpose::Readiness)];
    let (told, end) = watched(&checks, &asked, 60).await;
    let no = Told::Unready("it said no to 0".into());
    assert_eq!(told, [(2, Told::Ready), (5, no), (6, Told::Ready)]);
    assert_eq!(end, None);
}

#[tokio::test(start_paused = true)]
async fn other_checks_begin_when_the_startup_check_has_passed_and_it_is_not_made_again() {
    let asked = Scripted::new(&["--+", "+", "+---"]);
    let checks = [
        HealthCheck {
            failures: 30,
            ..check(Purpose::Startup)
        },
        check(Purpose::Readiness),
        check(Purpose::Liveness),
    ];
    let (told, end) = watched(&checks, &asked, 60).await;
    assert_eq!(told, [(2, Told::Ready)]);
    let cause = "its liveness check failed: it said no to 2";
    assert_eq!(end, Some((5, cause.to_owned())));
    assert_eq!(asked.asked(0), 3);
}

#[tokio::test(start_paused = true)]
async fn a_startup_check_that_fails_for_good_ends_the_container() {
    let asked = Scripted::new(&["-", "+"]);
    let checks = [check(Purpose::Startup), check(Purpose::Readiness)];
    let (told, end) = watched(&checks, &asked, 60).await;
    assert!(told.is_empty());
    let cause = "its startup check failed: it said no to 0";
    assert_eq!(end, Some((2, cause.to_owned())));
    assert_eq!(asked.asked(1), 0);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_does_not_answer_in_time_has_failed() {
    let asked = Scripted::new(&["z"]);
    let (_, end) = watched(&[check(Purpose::Liveness)], &asked, 60).await;
    let cause = "its liveness check failed: no answer within 100ms";
    assert_eq!(end, Some((2, cause.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn the_first_check_waits_for_its_delay() {
    let asked = Scripted::new(&["+"]);
    let delayed = HealthCheck {
        initial_delay: 7_000,
        ..check(Purpose::Readiness)
    };
    let (told, _) = watched(&[delayed], &asked, 60).await;
    assert_eq!(told, [(7, Told::Ready)]);
}
