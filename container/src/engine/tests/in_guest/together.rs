//! Services that share, wait for each other, and are bounded.

use super::*;
use hpcr_contract::plan::{Condition, Dependency, Limits, Role, Ulimit};

pub(super) fn needs(service: Service, other: &str, condition: Condition) -> Service {
    let need = Dependency {
        service: other.into(),
        condition,
    };
    Service {
        depends_on: [service.depends_on, vec![need]].concat(),
        ..service
    }
}

fn of_group(service: Service, group: &str) -> Service {
    Service {
        group: group.into(),
        ..service
    }
}

#[tokio::test]
#[ignore = "in a guest"]
async fn services_of_a_group_share_an_address_and_a_host_name_that_others_do_not() {
    let ground = Ground::new();
    let server = "busybox mkdir -p /srv; echo page > /srv/page; exec busybox httpd -f -p 127.0.0.1:8000 -h /srv";
    let client = "export PATH=/bin; i=0
        until busybox wget -q -O - http://127.0.0.1:8000/page; do i=$((i+1)); [ $i -gt $0 ] && echo nothing && break; busybox sleep 0.1; done
        echo host $(busybox hostname) addresses $(busybox ip -o -4 addr | busybox grep -c inet) hosts $(busybox grep server /etc/hosts)";
    let asks = |name: &str, tries: &str| {
        let mut service = shell(name, client);
        service.command.as_mut().unwrap().push(tries.into());
        needs(service, "server", Condition::Started)
    };
    let started = ground
        .start(vec![
            of_group(shell("server", server), "pod"),
            of_group(asks("beside", "100"), "pod"),
            asks("outside", "3"),
        ])
        .await;
    let lines = ended(started, &["beside", "outside"]).await;
    let of = |name: &str| -> Vec<_> {
        let own = lines.iter().filter(|(service, ..)| service == name);
        own.filter(|(_, stream, _)| *stream == Stream::Stdout)
            .map(|(.., text)| text.as_str())
            .collect()
    };
    let [beside, outside] = [of("beside"), of("outside")];
    assert_eq!(beside[0], "page");
    assert!(
        beside[1].starts_with("host pod addresses 2 hosts 10."),
        "{beside:?}"
    );
    assert_eq!(outside[0], "nothing");
    assert!(
        outside[1].starts_with("host outside addresses 2"),
        "{outside:?}"
    );
    ground.assert_nothing_left();
}

/// Stops once these have ended; gives every line.
async fn ended(mut started: Started, names: &[&str]) -> Vec<Said> {
    started.running.ready(WITHIN).await.unwrap();
    for name in names {
        let watched = &mut started.running.watched;
        let one = watched.iter_mut().find(|one| one.name == *name).unwrap();
        let end = one.standing.wait_for(|own| own.ended.is_some());
        tokio::time::timeout(WITHIN, end).await.unwrap().unwrap();
    }
    started.stop().await
}

#[tokio::test]
#[ignore = "in a guest"]
async fn a_step_is_tried_again_and_ends_well_before_those_that_wait_for_it() {
    let ground = Ground::new();
    let shared = |service: Service, read_only| Service {
        mounts: vec![Mount::Shared {
            name: "work".into(),
            target: "/common".into(),
            read_only,
        }],
        ..service
    };
    let script = "busybox test -e /common/tried || { echo once > /common/tried; exit 1; }; busybox sleep 0.5; echo done > /common/result";
    let step = Service {
        role: Role::Init,
        restart: Restart::OnFailure(None),
        user: Some("web".into()),
        ..shared(shell("step", script), false)
    };
    let script = "busybox cat /common/result; echo x > /common/result || echo read-only";
    let app = needs(
        shared(shell("app", script), true),
        "step",
        Condition::Completed,
    );
    let (outcome, lines) = ground.run(vec![step, app]).await;
    assert!(matches!(outcome, Outcome::Done), "{outcome:?}");
    let told: Vec<_> = lines
        .iter()
        .filter(|(_, stream, _)| *stream == Stream::Stdout)
        .map(|(service, _, text)| format!("{service}: {text}"))
        .collect();
    assert_eq!(told, ["app: done", "app: read-only"]);
    ground.assert_nothing_left();
}

#[tokio::test]
#[ignore = "in a guest"]
async fn a_step_that_fails_for_good_is_the_cause_and_nothing_that_waits_for_it_starts() {
    let ground = Ground::new();
    let step = Service {
        role: Role::Init,
        ..shell("step", "exit 4")
    };
    let app = needs(shell("app", "echo ran"), "step", Condition::Completed);
    let mut started = ground.start(vec![step, app]).await;
    let error = started.running.ready(WITHIN).await.unwrap_err().to_string();
    assert!(
        error.contains("service step") && error.contains("status 4"),
        "{error}"
    );
    assert!(started.stop().await.is_empty());
    ground.assert_nothing_left();
}

#[tokio::test]
#[ignore = "in a guest"]
async fn independent_services_start_side_by_side_and_a_slow_one_is_named() {
    let ground = Ground::new();
    let slow = Service {
        role: Role::Init,
        ..shell("slow", "busybox sleep 100")
    };
    let waiting = needs(shell("waiting", "echo ran"), "slow", Condition::Completed);
    let mut started = ground
        .start(vec![slow, waiting, shell("free", "echo free")])
        .await;
    started.said("free", 1).await;
    let limit = Duration::from_secs(1);
    let error = started.running.ready(limit).await.unwrap_err().to_string();
    assert!(
        error.contains("service slow") && error.contains("has not ended within 1 s"),
        "{error}"
    );
    let lines = started.stop().await;
    assert_eq!(lines, [("free".into(), Stream::Stdout, "free".into())]);
    ground.assert_nothing_left();
}

#[tokio::test]
#[ignore = "in a guest"]
async fn services_stop_before_those_that_they_need() {
    let ground = Ground::new();
    let script = "trap 'busybox sleep 0.3; echo stopped; exit 0' TERM; echo up; while :; do busybox sleep 0.1; done";
    let obeys = |name: &str| Service {
        stop_grace_seconds: 30,
        ..shell(name, script)
    };
    let mut started = ground
        .start(vec![
            obeys("db"),
            needs(obeys("app"), "db", Condition::Started),
            needs(obeys("web"), "app", Condition::Started),
        ])
        .await;
    started.running.ready(WITHIN).await.unwrap();
    // From then on they catch the signal.
    started.said("up", 3).await;
    let lines = started.stop().await;
    let stopped: Vec<_> = lines
        .iter()
        .filter(|(.., text)| text == "stopped")
        .map(|(service, ..)| service.as_str())
        .collect();
    assert_eq!(stopped, ["web", "app", "db"]);
    ground.assert_nothing_left();
}

#[tokio::test]
#[ignore = "in a guest"]
async fn limits_hold_in_the_container() {
    let ground = Ground::new();
    let script = "cd /sys/fs/cgroup; export PATH=/bin
        for file in memory.max cpu.max pids.max; do echo $file $(busybox cat $file); done
        echo files $(ulimit -n) adj $(busybox cat /proc/self/oom_score_adj) somaxconn $(busybox cat /proc/sys/net/core/somaxconn)
        echo shm $(busybox df -k /dev/shm | busybox tail -1) groups $(busybox id -G)";
    let mut limited = shell("limited", script);
    limited.limits = Limits {
        memory: Some(32 << 20),
        milli_cpus: Some(500),
        pids: Some(20),
        shm: Some(1 << 20),
        ulimits: [(
            "NOFILE".to_owned(),
            Ulimit {
                soft: 100,
                hard: 200,
            },
        )]
        .into(),
        oom_score_adj: Some(300),
        ..Limits::default()
    };
    limited.groups = vec!["7".into()];
    limited.sysctls = [("net.core.somaxconn".to_owned(), "77".to_owned())].into();
    let (outcome, lines) = ground.run(vec![limited]).await;
    assert!(matches!(outcome, Outcome::Done), "{outcome:?} {lines:?}");
    let text: Vec<_> = lines.iter().map(|(.., text)| text.as_str()).collect();
    let all = text.join("\n");
    for expected in [
        "memory.max 33554432",
        "cpu.max 50000 100000",
        "pids.max 20",
        "files 100 adj 300 somaxconn 77",
        "shm tmpfs 1024 ",
        "groups 0 7",
    ] {
        assert!(all.contains(expected), "{expected:?} is missing in\n{all}");
    }
    ground.assert_nothing_left();
}

/// Under names that are the kernel's in the same folder.
#[tokio::test]
#[ignore = "in a guest"]
async fn services_share_the_processor_by_their_weights() {
    let ground = Ground::new();
    // As many of each as there are processors, so that they meet on every one.
    let processors = std::thread::available_parallelism().unwrap().get();
    let script = "for i in $(busybox seq $0); do while :; do :; done & done; echo up; wait";
    let busy = |name: &str, weight| {
        let mut service = shell(name, script);
        let command = service.command.as_mut().unwrap();
        command.push(processors.to_string());
        service.limits.cpu_weight = Some(weight);
        service
    };
    let services = vec![busy("cpu.weight", 100), busy("memory.max", 1_000)];
    let mut started = ground.start(services).await;
    started.running.ready(WITHIN).await.unwrap();
    let used = || ["cpu.weight", "memory.max"].map(|name| microseconds(&group(name)));
    let before = used();
    let since = || {
        let now = used();
        [now[0] - before[0], now[1] - before[1]]
    };
    until("they work", || since().iter().sum::<u64>() > 3_000_000).await;
    let [little, much] = since();
    assert!(much > 4 * little, "{much} is not ten times {little}");
    assert_eq!(started.stop().await.len(), 2);
    ground.assert_nothing_left();
}

/// Processor time that a control group has used.
fn microseconds(group: &Path) -> u64 {
    let text = std::fs::read_to_string(group.join("cpu.stat")).unwrap();
    let used = text
        .lines()
        .find_map(|line| line.strip_prefix("usage_usec "));
    used.unwrap().parse().unwrap()
}

#[tokio::test]
#[ignore = "in a guest"]
async fn a_kill_for_want_of_memory_is_told_as_the_cause() {
    let ground = Ground::new();
    let mut greedy = shell("greedy", "exec busybox dd if=/dev/zero of=/dev/shm/x bs=1M");
    greedy.limits.memory = Some(16 << 20);
    let (outcome, _) = ground.run(vec![greedy]).await;
    let Outcome::Failed(error) = outcome else {
        panic!("it was killed")
    };
    let error = error.to_string();
    assert!(
        error.contains("service greedy") && error.contains("want of memory"),
        "{error}"
    );
    ground.assert_nothing_left();
}
