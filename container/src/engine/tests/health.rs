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
async fn a_service_waits_until_those_that_it_needs_are_healthy() {
    let Some(ground) = Ground::new() else { return };
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
    tokio::time::sleep(Duration::from_millis(300)).await;
    let lines = started.stop().await;
    let told: Vec<_> = lines.iter().map(|(.., text)| text.as_str()).collect();
    assert_eq!(told, ["serving", "serving", "serving", "app"]);
    ground.assert_nothing_left();
}

#[tokio::test]
async fn a_check_that_hangs_is_killed_and_those_that_wait_for_health_are_told() {
    let Some(ground) = Ground::new() else { return };
    let mut db = shell("db", "exec busybox sleep 100");
    db.health = vec![HealthCheck {
        timeout: 1_500,
        failures: 2,
        ..check(Purpose::Readiness, program("exec busybox sleep 1000"))
    }];
    let app = needs(shell("app", "echo ran"), "db", Condition::Healthy);
    let mut started = ground.start(vec![db, app]).await;
    let error = started.running.ready(WITHIN).await.unwrap_err().to_string();
    assert!(
        error.contains("service app") && error.contains("db to be healthy"),
        "{error}"
    );
    let group =
        std::fs::read_to_string("/sys/fs/cgroup/hpcr/service-db/container/cgroup.procs").unwrap();
    let programs = group.lines().filter_map(|pid| {
        let program = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        Some(String::from_utf8_lossy(&program).into_owned())
    });
    // The next check may have begun already.
    let left = programs.filter(|program| program.contains("1000")).count();
    assert!(left <= 1, "{left} checks are left");
    assert!(started.stop().await.is_empty());
    ground.assert_nothing_left();
}

#[tokio::test]
async fn a_container_that_is_not_alive_is_started_again() {
    let Some(ground) = Ground::new() else { return };
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
