//! Real containers by the image's own `crun` and `netavark`, where control groups and networks are the tests' own.

mod alone;
mod health;
mod together;

use super::*;
use crate::image::Settings;
use crate::lines::Stream;
use crate::running::Outcome;
use crate::spec::tests::service;
use crate::unpack;
use crate::verify::Digest;
use hpcr_contract::plan::{File, ImageReference, Mount, Restart};
use rig::own_kernel;
use std::path::Path;
use std::sync::Mutex;
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

/// Service, stream and text.
type Said = (String, Stream, String);

struct Started {
    running: Running,
    lines: Arc<Mutex<Vec<Said>>>,
    reader: tokio::task::JoinHandle<()>,
}

impl Started {
    /// Waits until so many lines have this text.
    async fn said(&self, text: &str, times: usize) {
        let said = || {
            let lines = self.lines.lock().unwrap();
            lines.iter().filter(|(.., line)| line == text).count()
        };
        until(text, || said() == times).await;
    }

    /// Stops them, which must go without a fault; gives every line.
    async fn stop(self) -> Vec<Said> {
        let faults = self.running.stop(ENDED_WITHIN).await;
        assert!(faults.is_empty(), "{faults:?}");
        self.reader.await.unwrap();
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Ground {
    fn new() -> Self {
        assert!(own_kernel::is_here(), "this would change the host");
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
        Self {
            folder,
            engine,
            images,
        }
    }

    /// Lets services live, and collects their lines.
    async fn start(&self, services: Vec<Service>) -> Started {
        let (sender, mut receiver) = mpsc::channel::<Line>(4);
        let lines = Arc::<Mutex<Vec<Said>>>::default();
        let kept = Arc::clone(&lines);
        let reader = tokio::spawn(async move {
            while let Some(line) = receiver.recv().await {
                let text = String::from_utf8(line.bytes).unwrap();
                let said = (line.service.to_string(), line.stream, text);
                kept.lock().unwrap().push(said);
            }
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
        Started {
            running,
            lines,
            reader,
        }
    }

    /// Runs services until they end by themselves; gives the outcome and every line.
    async fn run(&self, services: Vec<Service>) -> (Outcome, Vec<Said>) {
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

fn shell(name: &str, script: &str) -> Service {
    Service {
        name: name.into(),
        group: name.into(),
        image: reference(),
        command: Some(vec!["sh".into(), "-c".into(), script.into()]),
        ..service()
    }
}
