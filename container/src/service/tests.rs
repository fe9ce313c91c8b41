#![allow(clippy::unwrap_used)]

use super::*;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn restarts_follow_the_policy() {
    let after = |ms| Next::RestartAfter(Duration::from_millis(ms));
    for (policy, status, restarts, expected) in [
        (Restart::No, 0, 0, Next::End(End::Done)),
        (Restart::No, 3, 0, Next::End(End::Failed(3))),
        (Restart::OnFailure(None), 0, 0, Next::End(End::Done)),
        (Restart::OnFailure(None), 1, 2, after(400)),
        (Restart::OnFailure(Some(2)), 1, 1, after(200)),
        (Restart::OnFailure(Some(2)), 1, 2, Next::End(End::Failed(1))),
        (Restart::Always, 0, 0, after(100)),
        (Restart::Always, 137, 1_000_000, after(30_000)),
    ] {
        assert_eq!(
            next(policy, status, restarts),
            expected,
            "{policy:?} {status} {restarts}"
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
        restart,
        stop_signal: "SIGTERM".into(),
        grace: Duration::from_millis(300),
    }
}

struct Observed {
    started: Result<(), ContainerError>,
    end: Result<End, ContainerError>,
    lines: Vec<(Stream, String)>,
}

async fn run(container: Container, stop_after: Option<Duration>) -> Observed {
    let (lines, mut received) = mpsc::channel::<Line>(1);
    let (stop, stopped) = watch::channel(None);
    let (started, has_started) = oneshot::channel();
    let collect = async {
        let mut all = Vec::new();
        while let Some(line) = received.recv().await {
            all.push((line.stream, String::from_utf8(line.bytes).unwrap()));
        }
        all
    };
    let supervised = tokio::spawn(container.supervise(lines, stopped, started));
    let stopping = async {
        if let Some(time) = stop_after {
            tokio::time::sleep(time).await;
            stop.send_replace(Some(Duration::from_secs(5)));
        }
    };
    let (end, lines, ()) = tokio::join!(supervised, collect, stopping);
    let end = end.unwrap();
    Observed {
        started: has_started.await.unwrap(),
        end,
        lines,
    }
}

#[tokio::test]
async fn every_line_arrives_before_the_end_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo 1 > $pid; echo out; echo err >&2; seq 1 2000; exit 4";
    let seen = run(container(folder.path(), script, Restart::No), None).await;
    assert!(seen.started.is_ok());
    assert_eq!(seen.end.unwrap(), End::Failed(4));
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
        .started
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
    assert_eq!(seen.end.unwrap(), End::Failed(1));
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
    let (lines, untaken) = mpsc::channel::<Line>(1);
    let (stop, stopped) = watch::channel(None);
    let (started, has_started) = oneshot::channel();
    let script = "echo 1 > $pid; exec yes";
    let talker = container(folder.path(), script, Restart::Always);
    let supervised = tokio::spawn(talker.supervise(lines, stopped, started));
    has_started.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stop.send_replace(Some(Duration::from_secs(2)));
    let end = tokio::time::timeout(Duration::from_secs(5), supervised).await;
    assert_eq!(end.unwrap().unwrap().unwrap(), End::Done);
    assert_eq!(untaken.len(), 1);
}

#[tokio::test]
async fn a_container_that_has_ended_still_waits_for_its_lines_to_be_taken() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, mut taken) = mpsc::channel::<Line>(1);
    let (_stop, stopped) = watch::channel(None);
    let (started, has_started) = oneshot::channel();
    let script = "echo 1 > $pid; seq 1 100";
    let short = container(folder.path(), script, Restart::No);
    let supervised = tokio::spawn(short.supervise(lines, stopped, started));
    has_started.await.unwrap().unwrap();
    tokio::time::sleep(LAST_LINES + Duration::from_millis(300)).await;
    let mut count = 0;
    while taken.recv().await.is_some() {
        count += 1;
    }
    assert_eq!(count, 100);
    assert_eq!(supervised.await.unwrap().unwrap(), End::Done);
}
