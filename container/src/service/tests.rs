#![allow(clippy::unwrap_used)]

use super::*;
use crate::order::Turn;
use crate::stopping::Request;
use hpcr_contract::plan::{Probe, Purpose};
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn restarts_follow_the_policy() {
    let after = |ms| Next::RestartAfter(Duration::from_millis(ms));
    for (policy, is_good, restarts, expected) in [
        (Restart::No, true, 0, Next::End),
        (Restart::No, false, 0, Next::End),
        (Restart::OnFailure(None), true, 0, Next::End),
        (Restart::OnFailure(None), false, 2, after(400)),
        (Restart::OnFailure(Some(2)), false, 1, after(200)),
        (Restart::OnFailure(Some(2)), false, 2, Next::End),
        (Restart::Always, true, 0, after(100)),
        (Restart::Always, false, 1_000_000, after(30_000)),
    ] {
        assert_eq!(
            next(policy, is_good, restarts),
            expected,
            "{policy:?} {is_good} {restarts}"
        );
    }
}

#[test]
fn an_end_is_told_with_what_brought_it_about() {
    let exit = |status, unhealthy: Option<&str>, out_of_memory| Exit {
        status,
        unhealthy: unhealthy.map(str::to_owned),
        out_of_memory,
    };
    for (exit, is_good, expected) in [
        (exit(0, None, false), true, "it ended with status 0"),
        (exit(3, None, false), false, "it ended with status 3"),
        (
            exit(137, None, true),
            false,
            "it ended with status 137 after the kernel had killed a process of it for want of memory",
        ),
        (
            exit(0, Some("its liveness check failed: no answer"), false),
            false,
            "it was stopped as its liveness check failed: no answer",
        ),
    ] {
        assert_eq!(
            (exit.to_string().as_str(), exit.is_good()),
            (expected, is_good)
        );
    }
}

/// A stand-in for crun: runs `script` for `run` and notes every call.
fn container(folder: &Path, script: &str, restart: Restart) -> Container {
    let crun = folder.join("crun");
    let text = format!(
        "#!/bin/sh\nshift 4\nif [ \"$1\" = --log ]; then log=$2; shift 2; fi\necho \"$1\" >> {0}/calls\n\
         case $1 in\nrun) pid={0}/pid; {script} ;;\nkill) touch {0}/killed ;;\ndelete) touch {0}/deleted ;;\nesac\n",
        folder.display()
    );
    std::fs::write(&crun, text).unwrap();
    std::fs::set_permissions(&crun, std::fs::Permissions::from_mode(0o755)).unwrap();
    Container {
        name: "web".into(),
        crun,
        state: folder.join("state"),
        bundle: folder.to_owned(),
        cgroup: Cgroup::new(folder, "web"),
        restart,
        stop_signal: "SIGTERM".into(),
        grace: Duration::from_millis(300),
    }
}

/// Answers as the file `health` in a folder says.
struct Answers(PathBuf);

impl Ask for Answers {
    async fn ask(&self, _: usize, _: &HealthCheck) -> Result<(), String> {
        match std::fs::read_to_string(self.0.join("health")) {
            Ok(text) if text == "bad" => Err("it said no".into()),
            _ => Ok(()),
        }
    }
}

/// A service under supervision.
struct Supervised {
    task: tokio::task::JoinHandle<Result<End, ContainerError>>,
    lines: mpsc::Receiver<Line>,
    standing: watch::Receiver<Standing>,
    stop: watch::Sender<Option<Request>>,
}

impl Supervised {
    fn new(container: Container, checks: Vec<HealthCheck>) -> Self {
        let (to_lines, lines) = mpsc::channel::<Line>(1);
        let (stop, request) = watch::channel(None);
        let (own, standing) = watch::channel(Standing::default());
        let mut stopping = Stopping {
            request,
            dependents: Vec::new(),
            turn: Turn::ONLY,
        };
        let answers = Answers(container.bundle.clone());
        let task = tokio::spawn(async move {
            let health = (&checks[..], &answers);
            container
                .supervise(&to_lines, health, &own, &mut stopping)
                .await
        });
        Self {
            task,
            lines,
            standing,
            stop,
        }
    }

    async fn started(&mut self) {
        self.standing.wait_for(|own| own.started).await.unwrap();
    }

    fn stop(&self, limit: Duration) {
        let begun = Instant::now();
        self.stop.send_replace(Some(Request { begun, limit }));
    }

    /// Takes lines until the end, which is asked for after this time.
    async fn end(mut self, stop_after: Option<Duration>) -> Observed {
        let collect = async {
            let mut all = Vec::new();
            while let Some(line) = self.lines.recv().await {
                all.push((line.stream, String::from_utf8(line.bytes).unwrap()));
            }
            all
        };
        let stopping = async {
            if let Some(time) = stop_after {
                tokio::time::sleep(time).await;
                let begun = Instant::now();
                let limit = Duration::from_secs(4);
                self.stop.send_replace(Some(Request { begun, limit }));
            }
        };
        let all = async { tokio::join!(self.task, collect, stopping) };
        let (end, lines, ()) = tokio::time::timeout(Duration::from_secs(30), all)
            .await
            .unwrap();
        Observed {
            end: end.unwrap(),
            lines,
            standing: *self.standing.borrow(),
        }
    }
}

struct Observed {
    end: Result<End, ContainerError>,
    lines: Vec<(Stream, String)>,
    standing: Standing,
}

async fn run(container: Container, stop_after: Option<Duration>) -> Observed {
    Supervised::new(container, Vec::new()).end(stop_after).await
}

fn failed(status: i32) -> End {
    End::Failed(Exit {
        status,
        ..Exit::default()
    })
}

#[tokio::test]
async fn every_line_arrives_before_the_end_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 1 > $pid; echo out; echo err >&2; seq 1 2000; exit 4";
    let seen = run(container(folder.path(), script, Restart::No), None).await;
    assert!(seen.standing.started && seen.standing.ready);
    assert_eq!(seen.end.unwrap(), failed(4));
    assert_eq!(seen.lines.len(), 2_002);
    assert!(
        seen.lines.contains(&(Stream::Stderr, "err".into()))
            && seen.lines.contains(&(Stream::Stdout, "2000".into()))
    );
}

#[tokio::test]
async fn a_program_that_cannot_start_fails_the_start_with_cruns_words() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 'executable file not found' > $log; exit 1";
    let error = run(container(folder.path(), script, Restart::Always), None)
        .await
        .end
        .unwrap_err();
    assert_eq!(error.code(), hpcr_contract::messages::CONTAINER_FAILED);
    assert!(
        error.to_string().contains("executable file not found"),
        "{error}"
    );
}

#[tokio::test]
async fn a_failing_service_is_started_again_as_often_as_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let seen = run(
        container(
            folder.path(),
            "echo 1 > $pid; echo try; exit 1",
            Restart::OnFailure(Some(2)),
        ),
        None,
    )
    .await;
    assert_eq!(seen.end.unwrap(), failed(1));
    assert_eq!(seen.lines.len(), 3);
}

#[tokio::test]
async fn a_stop_asks_first_and_counts_as_a_good_end() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "echo 1 > $pid; while [ ! -e {}/killed ]; do sleep 0.02; done; exit 143",
        folder.path().display()
    );
    let seen = run(
        container(folder.path(), &script, Restart::Always),
        Some(Duration::from_millis(200)),
    )
    .await;
    assert_eq!(seen.end.unwrap(), End::Done);
    let calls = std::fs::read_to_string(folder.path().join("calls")).unwrap();
    assert_eq!(calls, "delete\nrun\nkill\n");
}

#[tokio::test]
async fn a_service_that_does_not_stop_is_killed_after_its_grace() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "rm -f {0}/deleted; echo 1 > $pid; while [ ! -e {0}/deleted ]; do sleep 0.02; done; exit 137",
        folder.path().display()
    );
    let seen = run(
        container(folder.path(), &script, Restart::No),
        Some(Duration::from_millis(100)),
    )
    .await;
    assert_eq!(seen.end.unwrap(), End::Done);
    assert!(
        std::fs::read_to_string(folder.path().join("calls"))
            .unwrap()
            .ends_with("kill\ndelete\n")
    );
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_log_that_takes_no_lines() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 1 > $pid; exec yes";
    let mut talker = Supervised::new(
        container(folder.path(), script, Restart::Always),
        Vec::new(),
    );
    talker.started().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    talker.stop(Duration::from_secs(1));
    let end = tokio::time::timeout(Duration::from_secs(5), talker.task).await;
    assert_eq!(end.unwrap().unwrap().unwrap(), End::Done);
    assert_eq!(talker.lines.len(), 1);
}

#[tokio::test]
async fn a_container_that_has_ended_still_waits_for_its_lines_to_be_taken() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 1 > $pid; seq 1 100";
    let mut short = Supervised::new(container(folder.path(), script, Restart::No), Vec::new());
    short.started().await;
    tokio::time::sleep(LAST_LINES + Duration::from_millis(300)).await;
    let seen = short.end(None).await;
    assert_eq!(seen.lines.len(), 100);
    assert_eq!(seen.end.unwrap(), End::Done);
}

fn liveness() -> HealthCheck {
    HealthCheck {
        purpose: Purpose::Liveness,
        probe: Probe::Tcp { port: 1 },
        interval: 50,
        timeout: 1_000,
        failures: 2,
        successes: 1,
        start_period: 0,
        start_interval: None,
        initial_delay: 0,
    }
}

#[tokio::test]
async fn a_container_that_is_not_well_is_stopped_and_its_restart_policy_decides() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let script = format!(
        "rm -f {at}/killed; echo 1 > $pid; echo run; while [ ! -e {at}/killed ]; do sleep 0.02; done; exit 0"
    );
    std::fs::write(folder.path().join("health"), "bad").unwrap();
    let twice = container(folder.path(), &script, Restart::OnFailure(Some(1)));
    let seen = Supervised::new(twice, vec![liveness()]).end(None).await;
    let Ok(End::Failed(exit)) = seen.end else {
        panic!("a container that had to be stopped has not ended well");
    };
    assert_eq!(
        exit.unhealthy.unwrap(),
        "its liveness check failed: it said no"
    );
    assert_eq!(seen.lines.len(), 2);
}
