#![allow(clippy::unwrap_used)]

use super::*;
use crate::plan::{HealthCheck, Limits, Mount, Probe, Purpose, Restart, Ulimit};

#[test]
fn every_key_of_the_subset_reaches_the_plan() {
    let service = service(concat!(
        "container_name: front\nlabels: {a: b}\nx-note: 1\ncommand: nginx -g 'daemon off;'\nentrypoint: [\"/entry\", \"$PORT\"]\n",
        "ports:\n  - \"$PORT:80\"\n  - {target: 53, published: 5353, protocol: udp, host_ip: 127.0.0.1, mode: host}\n",
        "volumes:\n  - /mnt/data/www:/srv\n  - ./conf:/etc/web:ro\n  - .:/all\n  - /var/hyperprotect:/attestation\n",
        "  - {type: bind, source: /mnt/data, target: /data, read_only: true}\n  - {type: tmpfs, target: /cache}\n",
        "tmpfs: /run\nuser: 1000:1000\nworking_dir: /srv\nhostname: web\nread_only: $FLAG\ncap_add: [CAP_NET_ADMIN]\n",
        "cap_drop: [all]\nprivileged: false\nrestart: on-failure:3\nstop_grace_period: 1m\nstop_signal: quit\ninit: false\n",
    ))
    .unwrap();
    let texts = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(service.image.to_string(), IMAGE);
    assert_eq!(service.command, texts(&["nginx", "-g", "daemon off;"]));
    assert_eq!(service.entrypoint, texts(&["/entry", "8080"]));
    let ports: Vec<_> = service
        .ports
        .iter()
        .map(|port| (port.host_ip.is_some(), port.host, port.container))
        .collect();
    assert_eq!(ports, [(false, 8080, 80), (true, 5353, 53)]);
    let bind = |source: &str, target: &str, read_only| Mount::Bind {
        source: source.into(),
        target: target.into(),
        read_only,
    };
    let file = |source: &str, target: &str| Mount::File {
        source: source.into(),
        target: target.into(),
    };
    let tmpfs = |target: &str| Mount::Tmpfs {
        target: target.into(),
        bytes: None,
        mode: None,
    };
    assert_eq!(
        service.mounts,
        [
            bind("/mnt/data/www", "/srv", false),
            file("archive/conf", "/etc/web"),
            file("archive", "/all"),
            bind("/var/hyperprotect", "/attestation", true),
            bind("/mnt/data", "/data", true),
            tmpfs("/cache"),
            tmpfs("/run"),
        ]
    );
    assert_eq!(
        (service.user.as_deref(), service.working_dir.as_deref()),
        (Some("1000:1000"), Some("/srv"))
    );
    assert_eq!(
        (service.hostname.as_deref(), service.stop_signal.as_deref()),
        (Some("web"), Some("SIGQUIT"))
    );
    assert!(service.read_only && !service.privileged);
    assert_eq!(
        (service.cap_add, service.cap_drop),
        (vec!["NET_ADMIN".to_owned()], vec!["ALL".to_owned()])
    );
    assert_eq!(
        (service.restart, service.stop_grace_seconds),
        (Restart::OnFailure(Some(3)), 60)
    );
}

#[test]
fn what_is_not_said_gets_the_default_of_compose() {
    let service = service("command:\nenvironment:\nports: []\n").unwrap();
    assert_eq!(
        (service.command, service.entrypoint, service.restart),
        (None, None, Restart::No)
    );
    assert_eq!(
        (
            service.stop_grace_seconds,
            service.ports.len(),
            service.environment.len()
        ),
        (10, 0, 0)
    );
}

#[test]
fn what_is_null_or_empty_asks_for_nothing() {
    let plain = format!("{:?}", service("").unwrap());
    for line in [
        "devices: []",
        "dns: []",
        "links: []",
        "build:",
        "logging: {}",
        "network_mode:\nprofiles:\nsecurity_opt:\nenv_file:\nrestart:",
        "networks: []\nhealthcheck:\nextra_hosts: {}",
        "deploy: {placement: {}, resources: {reservations: {devices: []}}}",
    ] {
        assert_eq!(format!("{:?}", service(line).unwrap()), plain, "{line}");
    }
}

#[test]
fn health_is_checked_as_compose_checks_it() {
    let health = |lines: &str| service(&format!("healthcheck: {lines}")).unwrap().health;
    let told = |check: &HealthCheck| {
        let Probe::Exec(words) = &check.probe else {
            panic!("no program is run");
        };
        format!(
            "{} every {} within {}, {} times, after {}, start {} every {:?}",
            words.join(" "),
            check.interval,
            check.timeout,
            check.failures,
            check.initial_delay,
            check.start_period,
            check.start_interval
        )
    };
    for (lines, expected) in [
        (
            "{test: curl -f http://127.0.0.1}",
            "/bin/sh -c curl -f http://127.0.0.1 every 30000 within 30000, 3 times, after 30000, start 0 every None",
        ),
        (
            "{test: [CMD, pg_isready, -q], interval: 1m30s, timeout: 1.5s, retries: 5}",
            "pg_isready -q every 90000 within 1500, 5 times, after 90000, start 0 every None",
        ),
        (
            "{test: [CMD-SHELL, \"a && b\"], start_period: 40s}",
            "/bin/sh -c a && b every 30000 within 30000, 3 times, after 5000, start 40000 every Some(5000)",
        ),
        (
            "{test: a, interval: 0s, timeout: 0s, retries: 0}",
            "/bin/sh -c a every 30000 within 30000, 3 times, after 30000, start 0 every None",
        ),
        (
            "{test: a, start_period: 40s, start_interval: 2s, interval: 1s}",
            "/bin/sh -c a every 1000 within 30000, 3 times, after 1000, start 40000 every Some(2000)",
        ),
    ] {
        let checks = health(lines);
        assert_eq!(checks[0].purpose, Purpose::Readiness);
        assert_eq!(told(&checks[0]), expected, "{lines}");
    }
    for none in [
        "{}",
        "{test: [NONE]}",
        "{test: a, disable: true}",
        "{disable: true}",
    ] {
        assert!(health(none).is_empty(), "{none}");
    }
}

#[test]
fn limits_are_read_from_the_service_and_from_deploy() {
    let limits = service(concat!(
        "mem_limit: 512m\ncpus: 0.5\ncpu_shares: 512\npids_limit: 100\nshm_size: 64mb\noom_score_adj: -500\nmem_reservation: 1g\n",
        "ulimits: {nofile: {soft: 1024, hard: 2048}, core: 0, memlock: -1}\n",
    ))
    .unwrap()
    .limits;
    let ulimits = [
        ("NOFILE", 1024, 2048),
        ("CORE", 0, 0),
        ("MEMLOCK", u64::MAX, u64::MAX),
    ];
    let expected = Limits {
        memory: Some(512 << 20),
        milli_cpus: Some(500),
        cpu_weight: Some(50),
        pids: Some(100),
        shm: Some(64 << 20),
        ulimits: ulimits
            .map(|(name, soft, hard)| (name.to_owned(), Ulimit { soft, hard }))
            .into(),
        oom_score_adj: Some(-500),
    };
    assert_eq!(limits, expected);
    let deploy = service(concat!(
        "deploy:\n  replicas: 1\n  mode: replicated\n  labels: {a: b}\n  restart_policy: {condition: on-failure, max_attempts: 4}\n",
        "  resources:\n    limits: {cpus: \"1.5\", memory: 1g, pids: 9}\n    reservations: {cpus: 0.25, memory: 20M}\n",
    ))
    .unwrap();
    assert_eq!(
        (
            deploy.limits.milli_cpus,
            deploy.limits.memory,
            deploy.limits.pids
        ),
        (Some(1_500), Some(1 << 30), Some(9))
    );
    assert_eq!(deploy.restart, Restart::OnFailure(Some(4)));
    assert_eq!(
        service("pids_limit: -1\ndeploy:\nscale: 1").unwrap().limits,
        Limits::default()
    );
    // Nought is as good as nothing, as in Docker.
    let nought = "mem_limit: 0\ncpus: 0\npids_limit: 0\nshm_size: 0b\ncpu_shares: 0\noom_kill_disable:\ndeploy: {restart_policy: {condition: on-failure, max_attempts: 0}}\n";
    let read = service(nought).unwrap();
    assert_eq!(read.limits, Limits::default());
    assert_eq!(read.restart, Restart::OnFailure(None));
}

#[test]
fn privileges_are_what_is_asked_for_and_no_more() {
    let service = super::service(concat!(
        "group_add: [video, 1001]\nsecurity_opt: [\"no-new-privileges:true\"]\nplatform: linux/s390x\npull_policy: always\n",
        "sysctls: {net.core.somaxconn: 1024}\nannotations: {a: b}\nexpose: [80, \"53/udp\"]\ntty: false\nstdin_open: false\n",
    ))
    .unwrap();
    assert_eq!(service.groups, ["video", "1001"]);
    assert!(service.no_new_privileges);
    assert_eq!(service.architecture.as_deref(), Some("s390x"));
    assert_eq!(service.sysctls["net.core.somaxconn"], "1024");
    let list =
        super::service("sysctls: [net.ipv4.ip_forward=1]\nsecurity_opt: [no-new-privileges]\n")
            .unwrap();
    assert_eq!(list.sysctls["net.ipv4.ip_forward"], "1");
    assert!(list.no_new_privileges);
}

#[test]
fn privileges_that_no_program_gains_are_told_where_they_are_asked_for() {
    let told = |lines: &str| {
        let text = format!(
            "services:\n  web:\n    image: {IMAGE}\n    {}\n",
            lines.replace('\n', "\n    ")
        );
        let variables = variables();
        let given = Given {
            variables: &variables,
            is_open: false,
            volumes: &[],
            signed: &[],
        };
        let (workload, findings) = read(archive(&text), &given, &Place::default());
        assert!(workload.is_some(), "{findings:?}");
        let about = findings
            .iter()
            .filter(|finding| finding.cause.contains("gains privileges"));
        about
            .map(|finding| finding.place.path.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told("security_opt: [\"no-new-privileges:false\"]"),
        ["services.web.security_opt[0]"]
    );
    assert!(told("security_opt: [\"no-new-privileges:true\"]").is_empty());
    // Whichever stands first.
    assert!(told("security_opt: [\"no-new-privileges=false\"]\nprivileged: true").is_empty());
}
