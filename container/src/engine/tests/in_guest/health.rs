//! Checks of real containers: a program in them, a GET, a connection.

use super::together::needs;
use super::*;
use hpcr_contract::plan::{Condition, HealthCheck, Probe, Purpose};

fn check(purpose: Purpose, probe: Probe) -> HealthCheck {
    HealthCheck {
        purpose,
        probe,
        interval: 300,
        timeout: 5_000,
        failures: 100,
        successes: 1,
        start_period: 0,
        start_interval: None,
        initial_delay: 0,
    }
}

fn program(script: &str) -> Probe {
    Probe::Exec(
        ["/bin/busybox", "sh", "-c", script]
            .map(str::to_owned)
            .into(),
    )
}

#[tokio::test]
#[ignore = "in a guest"]
async fn a_service_waits_until_those_that_it_needs_are_healthy() {
    let ground = Ground::new();
    let _ = rustls_openssl::default_provider().install_default();
    let script = "trap 'exit 0' TERM; busybox sleep 1; echo page > /page; echo serving; busybox httpd -f -p 80 -h / & while :; do busybox sleep 0.1; done";
    let checked = |name: &str, probe| {
        let mut service = shell(name, script);
        service.health = vec![check(Purpose::Readiness, probe)];
        service
            .environment
            .insert("TOKEN".into(), "hush".to_owned().into());
        service
    };
    let get = Probe::Http {
        port: 80,
        path: "/page".into(),
        tls: false,
        headers: vec![("Accept".into(), "text/plain".into())],
    };
    let services = vec![
        checked(
            "exec",
            program("busybox test -e /page && busybox test $TOKEN = hush"),
        ),
        checked("http", get),
        checked("tcp", Probe::Tcp { port: 80 }),
    ];
    let mut app = shell(
        "app",
        "trap 'exit 0' TERM; echo app; while :; do busybox sleep 0.1; done",
    );
    for name in ["exec", "http", "tcp"] {
        app = needs(app, name, Condition::Healthy);
    }
    let mut started = ground.start([services, vec![app]].concat()).await;
    started.running.ready(WITHIN).await.unwrap();
    started.said("app", 1).await;
    let lines = started.stop().await;
    let told: Vec<_> = lines.iter().map(|(.., text)| text.as_str()).collect();
    assert_eq!(told, ["serving", "serving", "serving", "app"]);
    ground.assert_nothing_left();
}

#[tokio::test]
#[ignore = "in a guest"]
async fn a_check_that_hangs_is_killed_and_those_that_wait_for_health_are_told() {
    let ground = Ground::new();
    let script = "until busybox test -e /forked; do busybox sleep 0.1; done; echo forked; exec busybox sleep 100";
    let mut db = shell("db", script);
    let forks = "busybox setsid busybox sleep 1000 & > /forked; exec busybox sleep 1000";
    db.health = vec![HealthCheck {
        timeout: 5_000,
        failures: 1,
        // One is enough.
        interval: 1_000_000,
        ..check(Purpose::Readiness, program(forks))
    }];
    let app = needs(shell("app", "echo ran"), "db", Condition::Healthy);
    let mut started = ground.start(vec![db, app]).await;
    let error = started.running.ready(WITHIN).await.unwrap_err().to_string();
    assert!(
        error.contains("service app") && error.contains("db to be healthy"),
        "{error}"
    );
    until("nothing of the check is left", || {
        programs("db").iter().all(|one| !one.contains("1000"))
    })
    .await;
    let told = started.stop().await;
    assert_eq!(told, [("db".into(), Stream::Stdout, "forked".into())]);
    ground.assert_nothing_left();
}

#[tokio::test]
#[ignore = "in a guest"]
async fn what_a_check_leaves_behind_ends_with_it_and_the_service_runs_on() {
    let ground = Ground::new();
    let mut web = shell(
        "web",
        "until busybox test -e /left; do busybox sleep 0.1; done; echo left; exec busybox sleep 100",
    );
    let leaves = "busybox setsid busybox sleep 1000 & > /left";
    web.health = vec![HealthCheck {
        interval: 1_000_000,
        ..check(Purpose::Readiness, program(leaves))
    }];
    let mut started = ground.start(vec![web]).await;
    started.running.ready(WITHIN).await.unwrap();
    until(
        "only the service is left",
        || matches!(&programs("web")[..], [one] if one.contains("sleep\x00100\x00")),
    )
    .await;
    let told = started.stop().await;
    assert_eq!(told, [("web".into(), Stream::Stdout, "left".into())]);
    ground.assert_nothing_left();
}

/// The command lines of all that runs in a service's control group.
fn programs(service: &str) -> Vec<String> {
    fn of(group: &Path, programs: &mut Vec<String>) {
        let ids = std::fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        programs.extend(ids.lines().filter_map(|id| {
            let program = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
            Some(String::from_utf8_lossy(&program).into_owned())
        }));
        let inner = std::fs::read_dir(group).into_iter().flatten().flatten();
        for inner in inner.filter(|inner| inner.path().is_dir()) {
            of(&inner.path(), programs);
        }
    }
    let mut programs = Vec::new();
    of(&group(service), &mut programs);
    programs
}

#[tokio::test]
#[ignore = "in a guest"]
async fn a_container_that_is_not_alive_is_started_again() {
    let ground = Ground::new();
    let script = "echo run; trap 'exit 0' TERM; while :; do busybox sleep 0.1; done";
    let mut sick = shell("sick", script);
    sick.restart = Restart::OnFailure(Some(1));
    sick.health = vec![HealthCheck {
        failures: 1,
        ..check(Purpose::Liveness, program("exit 1"))
    }];
    let (outcome, lines) = ground.run(vec![sick]).await;
    let Outcome::Failed(error) = outcome else {
        panic!("it was never well")
    };
    let error = error.to_string();
    assert!(error.contains("its liveness check failed"), "{error}");
    assert_eq!(lines.len(), 2);
    ground.assert_nothing_left();
}
