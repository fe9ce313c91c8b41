//! One container: what it sees, what it serves, how it fails.

use super::*;
use hpcr_contract::plan::{Port, Protocol};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;

#[tokio::test]
#[ignore = "in a guest"]
async fn a_container_sees_what_it_was_given_and_nothing_else() {
    let ground = Ground::new();
    let script = "
        export PATH=/bin; for tool in id cat ls mount unshare grep hostname mknod dd pwd env; do eval \"$tool() { busybox $tool \\\"\\$@\\\"; }\"; done
        echo id=$(id -u):$(id -g) home=$HOME secret=$SECRET host=$(hostname) pwd=$(pwd)
        echo caps $(grep CapEff /proc/self/status | cat) nnp $(grep NoNewPrivs /proc/self/status)
        echo seccomp $(grep Seccomp: /proc/self/status)
        echo resolv $(cat /etc/resolv.conf)
        echo hosts $(grep other /etc/hosts)
        echo archive $(cat /conf/a)
        echo volume > /data/written && echo wrote
        echo x > /conf/a || echo archive-is-read-only
        mount -t tmpfs none /mnt 2>/dev/null || echo no-mount
        unshare -n true 2>/dev/null || echo no-unshare
        echo init $(cat /proc/1/comm) pids $(ls /proc | grep -c '^[0-9]')
        echo x > /proc/sys/kernel/core_pattern 2>/dev/null || echo no-sysctl
        cat /proc/kcore 2>/dev/null | grep -q . || echo no-kcore
        echo oops >&2
        exit 3";
    let data = ground.folder.path().join("data/app");
    let mut first = shell("web", script);
    first
        .environment
        .insert("SECRET".into(), "hush".to_owned().into());
    first.user = Some("web".into());
    first.working_dir = Some("/made/here".into());
    first.mounts = vec![
        Mount::Bind {
            source: data.to_str().unwrap().into(),
            target: "/data".into(),
            read_only: false,
        },
        Mount::File {
            source: "conf".into(),
            target: "/conf".into(),
        },
    ];
    std::fs::create_dir(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(33), None).unwrap();
    let (outcome, lines) = ground.run(vec![first, shell("other", "exit 0")]).await;
    let Outcome::Failed(error) = outcome else {
        panic!("status 3 is a failure")
    };
    assert!(
        error.to_string().contains("service web") && error.to_string().contains("status 3"),
        "{error}"
    );
    let text: Vec<_> = lines.iter().map(|(_, _, text)| text.as_str()).collect();
    let all = text.join("\n");
    for expected in [
        "id=33:34 home=/srv secret=hush host=web pwd=/made/here",
        "caps CapEff: 0000000000000000 nnp NoNewPrivs: 1",
        "seccomp Seccomp: 2",
        "resolv nameserver 192.0.2.53",
        "other",
        "archive archive",
        "wrote",
        "archive-is-read-only",
        "no-mount",
        "no-unshare",
        "no-sysctl",
        "no-kcore",
        "init busybox",
    ] {
        assert!(all.contains(expected), "{expected:?} is missing in\n{all}");
    }
    assert!(lines.contains(&("web".into(), Stream::Stderr, "oops".into())));
    assert_eq!(std::fs::metadata(data.join("written")).unwrap().uid(), 33);
    ground.assert_nothing_left();
}

#[tokio::test]
#[ignore = "in a guest"]
async fn a_published_port_is_served_until_the_stop() {
    let ground = Ground::new();
    let mut web = shell(
        "web",
        "trap 'exit 0' TERM; echo page > /page; busybox httpd -f -p 80 -h / & wait",
    );
    web.ports = vec![Port {
        host_ip: None,
        host: 18_080,
        container: 80,
        protocol: Protocol::Tcp,
    }];
    web.restart = Restart::Always;
    web.stop_grace_seconds = 30;
    let started = ground.start(vec![web]).await;
    let mut page = String::new();
    until("the page", || {
        page.clear();
        let stream = std::net::TcpStream::connect("127.0.0.1:18080");
        stream.is_ok_and(|mut stream| {
            let asked = std::io::Write::write_all(&mut stream, b"GET /page HTTP/1.0\r\n\r\n");
            asked.is_ok() && stream.read_to_string(&mut page).is_ok() && page.contains("200 OK")
        })
    })
    .await;
    assert!(page.ends_with("page\n"), "{page:?}");
    let begun = std::time::Instant::now();
    started.stop().await;
    assert!(begun.elapsed() < ENDED_WITHIN / 2, "the signal was enough");
    assert!(std::net::TcpStream::connect("127.0.0.1:18080").is_err());
    ground.assert_nothing_left();
}

#[tokio::test]
#[ignore = "in a guest"]
async fn a_command_that_does_not_exist_fails_the_start_and_leaves_nothing() {
    let ground = Ground::new();
    let wrong = Service {
        entrypoint: Some(vec!["/no/such".into()]),
        image: reference(),
        ..service()
    };
    let (sender, _receiver) = mpsc::channel(100);
    let workload = Workload {
        services: vec![shell("first", "sleep 100"), wrong],
        files: BTreeMap::new(),
    };
    let mut running = ground
        .engine
        .start(&workload, &ground.images, &sender)
        .await
        .unwrap();
    let error = running.ready(WITHIN).await.unwrap_err();
    assert!(error.to_string().contains("/no/such"), "{error}");
    assert_eq!(error.code(), hpcr_contract::messages::CONTAINER_FAILED);
    assert!(running.stop(Duration::from_secs(5)).await.is_empty());
    ground.assert_nothing_left();
}
