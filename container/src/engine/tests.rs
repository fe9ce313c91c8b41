//! Real containers by the real `crun` and `netavark`. Skipped, with a word, where root, the tools or a static busybox
//! are missing: the guest tests of the appliance run the same path in any case.
#![allow(clippy::unwrap_used)]

mod health;
mod together;

use super::*;
use crate::image::Settings;
use crate::lines::Stream;
use crate::running::Outcome;
use crate::spec::tests::service;
use crate::unpack;
use crate::verify::Digest;
use hpcr_contract::plan::{File, ImageReference, Mount, Port, Protocol, Restart};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

struct Ground {
    folder: tempfile::TempDir,
    engine: Engine,
    images: Images,
}

/// How long a workload may take to be up.
const WITHIN: Duration = Duration::from_mins(1);
/// How long its stop may take, on a busy machine; each that obeys its signal takes a moment of it.
const ENDED_WITHIN: Duration = Duration::from_secs(30);
const NETAVARK: &str = "/usr/lib/podman/netavark";

fn reference() -> ImageReference {
    ImageReference {
        registry: "r".into(),
        repository: "p".into(),
        digest: "sha256:1".into(),
    }
}

struct Started {
    running: Running,
    lines: tokio::task::JoinHandle<Vec<(String, Stream, String)>>,
}

impl Started {
    /// Stops them, which must go without a fault; gives every line.
    async fn stop(self) -> Vec<(String, Stream, String)> {
        let faults = self.running.stop(ENDED_WITHIN).await;
        assert!(faults.is_empty(), "{faults:?}");
        self.lines.await.unwrap()
    }
}

impl Ground {
    fn new() -> Option<Self> {
        let tools = [
            "/usr/bin/crun",
            NETAVARK,
            "/usr/bin/busybox",
            "/usr/sbin/nft",
        ];
        let mut missing = tools.iter().find(|tool| !Path::new(tool).exists());
        let controllers = std::fs::read_to_string("/sys/fs/cgroup/cgroup.controllers");
        if !controllers.is_ok_and(|text| text.contains("memory")) {
            missing = Some(&"cgroup v2 with the memory controller");
        }
        if missing.is_some() || !rustix::process::geteuid().is_root() {
            println!("skipped: needs root and {missing:?}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("data")).unwrap();
        std::fs::write(at("resolv.conf"), "nameserver 192.0.2.53\n").unwrap();
        let paths = Paths {
            store: at("store"),
            run: at("run"),
            crun: "/usr/bin/crun".into(),
            netavark: NETAVARK.into(),
            ca_bundle: at("none"),
            resolv_conf: at("resolv.conf"),
            proc: "/proc".into(),
            cgroups: "/sys/fs/cgroup".into(),
            shared: vec![Shared {
                path: at("data"),
                writable: true,
            }],
        };
        let engine = Engine::new(paths).unwrap();
        let mut tar = tar::Builder::new(Vec::new());
        let mut add = |name: &str, kind, mode, data: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(data.len() as u64);
            header.set_mode(mode);
            header.set_mtime(0);
            tar.append_data(&mut header, name, data).unwrap();
        };
        add("bin", tar::EntryType::Directory, 0o755, b"");
        add(
            "bin/busybox",
            tar::EntryType::Regular,
            0o755,
            &std::fs::read("/usr/bin/busybox").unwrap(),
        );
        add(
            "etc/passwd",
            tar::EntryType::Regular,
            0o644,
            b"web:x:33:34::/srv:/bin/sh\n",
        );
        let tar = tar.into_inner().unwrap();
        let layer = Digest::of(&tar);
        let partial = engine.store.begin().unwrap();
        unpack::unpack(&tar[..], partial.path(), &Kernel).unwrap();
        partial.keep(&engine.store, layer).unwrap();
        let settings = Settings {
            entrypoint: vec!["/bin/busybox".into()],
            ..Settings::default()
        };
        let images = Images(BTreeMap::from([(
            reference().to_string(),
            Image {
                layers: vec![layer],
                settings,
            },
        )]));
        Some(Self {
            folder,
            engine,
            images,
        })
    }

    /// Lets services live, and collects their lines.
    async fn start(&self, services: Vec<Service>) -> Started {
        let (sender, mut receiver) = mpsc::channel::<Line>(4);
        let lines = tokio::spawn(async move {
            let mut lines = Vec::new();
            while let Some(line) = receiver.recv().await {
                lines.push((
                    line.service.to_string(),
                    line.stream,
                    String::from_utf8(line.bytes).unwrap(),
                ));
            }
            lines
        });
        let workload = Workload {
            services,
            files: BTreeMap::from([("conf/a".into(), File::plain(b"archive".to_vec()))]),
        };
        let running = self
            .engine
            .start(&workload, &self.images, &sender)
            .await
            .unwrap();
        Started { running, lines }
    }

    /// Runs services until they end by themselves; gives the outcome and every line.
    async fn run(&self, services: Vec<Service>) -> (Outcome, Vec<(String, Stream, String)>) {
        let mut started = self.start(services).await;
        let outcome = tokio::time::timeout(WITHIN, started.running.wait()).await;
        let outcome = outcome.unwrap();
        (outcome, started.stop().await)
    }

    fn assert_nothing_left(&self) {
        let groups = std::fs::read_dir("/sys/fs/cgroup/hpcr").unwrap().flatten();
        let left: Vec<_> = groups.filter(|one| one.path().is_dir()).collect();
        assert!(left.is_empty(), "{left:?}");
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let ours = self.folder.path().to_str().unwrap();
        assert!(!mounts.contains(ours), "{mounts}");
        assert!(
            !Path::new("/sys/class/net/hpcr0").exists(),
            "the bridge is still there"
        );
    }
}

/// The control group of a service.
fn group(service: &str) -> PathBuf {
    Path::new("/sys/fs/cgroup/hpcr").join(format!("service-{service}"))
}

/// Waits for what comes sooner or later, on a busy machine.
async fn until(what: &str, mut it_is: impl FnMut() -> bool) {
    let waited = async {
        while !it_is() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let waited = tokio::time::timeout(WITHIN, waited).await;
    assert!(waited.is_ok(), "{what}: not within {WITHIN:?}");
}

#[test]
fn a_service_that_is_meant_for_other_machines_is_refused() {
    let of = |architecture: Option<&str>| Service {
        architecture: architecture.map(str::to_owned),
        ..service()
    };
    let own = image::architecture().to_string();
    assert!(fit(&[of(None), of(Some(&own))]).is_ok());
    let error = fit(&[of(None), of(Some("vax"))]).unwrap_err().to_string();
    assert!(
        error.contains("r/p@sha256:0") && error.contains(&own),
        "{error}"
    );
}

fn shell(name: &str, script: &str) -> Service {
    Service {
        name: name.into(),
        group: name.into(),
        image: reference(),
        command: Some(vec!["sh".into(), "-c".into(), script.into()]),
        ..service()
    }
}

#[tokio::test]
async fn a_container_sees_what_it_was_given_and_nothing_else() {
    let Some(ground) = Ground::new() else { return };
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
            read_only: false,
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
async fn a_published_port_is_served_until_the_stop() {
    let Some(ground) = Ground::new() else { return };
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
    let (sender, _receiver) = mpsc::channel(100);
    let workload = Workload {
        services: vec![web],
        files: BTreeMap::new(),
    };
    let running = ground
        .engine
        .start(&workload, &ground.images, &sender)
        .await
        .unwrap();
    let mut page = String::new();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if let Ok(mut stream) = std::net::TcpStream::connect("127.0.0.1:18080") {
            std::io::Write::write_all(&mut stream, b"GET /page HTTP/1.0\r\n\r\n").unwrap();
            page.clear();
            if stream.read_to_string(&mut page).is_ok() && page.contains("200 OK") {
                break;
            }
        }
    }
    let begun = std::time::Instant::now();
    let faults = running.stop(ENDED_WITHIN).await;
    assert!(page.ends_with("page\n"), "{page:?}");
    assert!(faults.is_empty(), "{faults:?}");
    assert!(begun.elapsed() < ENDED_WITHIN / 2, "the signal was enough");
    assert!(std::net::TcpStream::connect("127.0.0.1:18080").is_err());
    ground.assert_nothing_left();
}

#[tokio::test]
async fn a_command_that_does_not_exist_fails_the_start_and_leaves_nothing() {
    let Some(ground) = Ground::new() else { return };
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
