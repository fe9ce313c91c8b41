//! Images are pulled from a real registry, which does what a hostile one would.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::acts::recorder::Recorder;
use crate::engine::{Engine, Paths};
use crate::image::Compression;
use crate::spec::tests::service;
use hpcr_contract::messages;
use hpcr_contract::plan::{Credentials, Service, Workload};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

mod registry;

use registry::{OCI, PASSWORD, Registry, openssl, tar_of, tars};

/// A guest that pulls.
struct Guest {
    folder: tempfile::TempDir,
    engine: Engine,
    progress: Mutex<Vec<Progress>>,
}

impl Guest {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let paths = Paths {
            store: at("store"),
            run: at("run"),
            crun: at("crun"),
            netavark: at("netavark"),
            ca_bundle: at("none"),
            resolv_conf: at("none"),
            proc: at("none"),
            cgroups: at("none"),
            shared: Vec::new(),
        };
        let engine = Engine::with_acts(paths, Arc::new(Recorder::default())).unwrap();
        Self {
            folder,
            engine,
            progress: Mutex::default(),
        }
    }

    async fn pull(&self, registry: &Registry, digest: &Value) -> Result<(), ContainerError> {
        self.pull_with(
            &registry.host,
            digest,
            PASSWORD,
            &std::fs::read(registry.folder.path().join("cert.pem")).unwrap(),
        )
        .await
    }

    async fn pull_with(
        &self,
        host: &str,
        descriptor: &Value,
        password: &str,
        ca: &[u8],
    ) -> Result<(), ContainerError> {
        let digest = descriptor["digest"].as_str().unwrap().to_owned();
        let image = ImageReference {
            registry: host.into(),
            repository: "app".into(),
            digest,
        };
        let workload = Workload {
            services: vec![Service { image, ..service() }],
            files: BTreeMap::new(),
        };
        let credentials = Credentials {
            username: "robot".into(),
            password: password.to_owned().into(),
        };
        let credentials = BTreeMap::from([(host.to_owned(), credentials)]);
        let authorities = BTreeMap::from([("test".to_owned(), ca.to_vec())]);
        let note = |progress| self.progress.lock().unwrap().push(progress);
        let pulled = self
            .engine
            .pull(&workload, &credentials, &authorities, note);
        pulled.await.map(|images| assert_eq!(images.count(), 1))
    }

    fn layer(&self, tar: &[u8]) -> PathBuf {
        self.folder
            .path()
            .join("store/layers")
            .join(Digest::of(tar).hex())
    }
}

#[tokio::test]
async fn an_image_of_all_compressions_is_pulled_and_unpacked() {
    let Some(registry) = Registry::start() else {
        return;
    };
    let guest = Guest::new();
    guest
        .pull(&registry, &registry.put_image().0)
        .await
        .unwrap();
    let [base, middle, top] = tars();
    assert_eq!(
        std::fs::read(guest.layer(&base).join("etc/old")).unwrap(),
        b"old"
    );
    assert_eq!(
        std::fs::read(guest.layer(&middle).join("alias")).unwrap(),
        b"#!"
    );
    assert!(
        guest.layer(&middle).join("etc/old").exists(),
        "the recorder's whiteout"
    );
    assert_eq!(
        std::fs::read(guest.layer(&top).join("page")).unwrap(),
        b"<p>"
    );
    assert_eq!(guest.progress.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn an_index_leads_to_this_machines_image() {
    let Some(registry) = Registry::start() else {
        return;
    };
    let mut entry = registry.put_image().0;
    let index_of = |entry: &Value| {
        let index = json!({ "schemaVersion": 2, "mediaType": format!("{OCI}.index.v1+json"), "manifests": [entry] });
        registry.put(
            index.to_string().as_bytes(),
            "index",
            "_manifests/revisions",
        )
    };
    entry["platform"] = json!({ "architecture": image::architecture(), "os": "linux" });
    Guest::new()
        .pull(&registry, &index_of(&entry))
        .await
        .unwrap();
    entry["platform"]["architecture"] = json!("riscv64");
    let error = Guest::new()
        .pull(&registry, &index_of(&entry))
        .await
        .unwrap_err();
    assert!(matches!(error, ContainerError::Platform { .. }), "{error}");
}

#[tokio::test]
async fn other_bytes_under_a_digest_stop_everything_and_leave_nothing() {
    let Some(registry) = Registry::start() else {
        return;
    };
    let tampered = [
        (Part::Layer, 0),
        (Part::Layer, 1),
        (Part::Layer, 2),
        (Part::Manifest, 0),
        (Part::Config, 0),
    ];
    for (part, number) in tampered {
        let (manifest, layers) = registry.put_image();
        let bytes =
            std::fs::read(registry.blob_path(manifest["digest"].as_str().unwrap())).unwrap();
        let parsed: Value = serde_json::from_slice(&bytes).unwrap();
        let victim = match part {
            Part::Layer => &layers[number],
            Part::Config => &parsed["config"],
            _ => &manifest,
        };
        registry.tamper(victim);
        let guest = Guest::new();
        let begun = Instant::now();
        let error = guest.pull(&registry, &manifest).await.unwrap_err();
        assert!(begun.elapsed() < Duration::from_secs(3), "no second try");
        let ContainerError::Mismatch {
            part: named,
            expected,
            ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(
            (*named, expected.as_str()),
            (part, victim["digest"].as_str().unwrap())
        );
        assert_eq!(error.code(), messages::IMAGE_MISMATCH);
        assert!(error.to_string().contains(&registry.host), "{error}");
        if part == Part::Layer {
            assert!(!guest.layer(&tars()[number]).exists());
        }
    }
}

#[tokio::test]
async fn a_layer_that_unpacks_to_something_else_is_refused() {
    let Some(registry) = Registry::start() else {
        return;
    };
    let [tar, other, _] = tars();
    let layer = registry.put_layer(&tar, Compression::Gzip);
    let manifest = registry.put_manifest(&[layer], &[Digest::of(&other)]);
    let guest = Guest::new();
    let error = guest.pull(&registry, &manifest).await.unwrap_err();
    assert!(
        matches!(
            error,
            ContainerError::Mismatch {
                part: Part::UnpackedLayer,
                ..
            }
        ),
        "{error}"
    );
    assert!(!guest.layer(&other).exists());
    assert_eq!(
        std::fs::read_dir(guest.folder.path().join("store/partial"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn a_layer_that_swells_beyond_measure_is_refused() {
    let Some(registry) = Registry::start() else {
        return;
    };
    let zeros = vec![0; 100 << 20];
    let tar = tar_of(&[("zeros", tar::EntryType::Regular, "", &zeros)]);
    let manifest = registry.put_manifest(
        &[registry.put_layer(&tar, Compression::Zstd)],
        &[Digest::of(&tar)],
    );
    let error = Guest::new().pull(&registry, &manifest).await.unwrap_err();
    assert!(
        error.to_string().contains("larger than it may be"),
        "{error}"
    );
}

#[tokio::test]
async fn refusals_are_told_apart_at_once_and_without_the_password() {
    let Some(registry) = Registry::start() else {
        return;
    };
    let (image, _) = registry.put_image();
    let ca = std::fs::read(registry.folder.path().join("cert.pem")).unwrap();
    openssl(
        registry.folder.path(),
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem",
    );
    let other = std::fs::read(registry.folder.path().join("other.pem")).unwrap();
    let missing = json!({ "digest": Digest::of(b"missing").to_string() });
    for (descriptor, password, ca, expected) in [
        (&image, "hush-hush", &ca, "HTTP 401"),
        (&image, PASSWORD, &other, "its certificate is not accepted"),
        (&missing, PASSWORD, &ca, "HTTP 404"),
    ] {
        let begun = Instant::now();
        let error = Guest::new()
            .pull_with(&registry.host, descriptor, password, ca)
            .await
            .unwrap_err();
        assert_eq!(error.code(), messages::IMAGE_FETCH_FAILED);
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(expected) && text.contains(&registry.host),
            "{text}"
        );
        assert!(!text.contains("hush") && !text.contains(PASSWORD));
        assert!(begun.elapsed() < Duration::from_secs(3), "no second try");
    }
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_given_up_in_time() {
    let _installed_before = rustls_openssl::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    openssl(
        folder.path(),
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=a -keyout key.pem -out cert.pem",
    );
    let ca = std::fs::read(folder.path().join("cert.pem")).unwrap();
    let image = json!({ "digest": Digest::of(b"any").to_string() });
    // One that refuses connections, and one that takes them and never says a word.
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute_address = mute.local_addr().unwrap();
    let begun = Instant::now();
    let try_at = async |address: std::net::SocketAddr| {
        Guest::new()
            .pull_with(&address.to_string(), &image, PASSWORD, &ca)
            .await
            .unwrap_err()
    };
    for error in <[_; 2]>::from(tokio::join!(try_at(closed), try_at(mute_address))) {
        assert!(
            matches!(
                &error,
                ContainerError::Registry {
                    fault: RegistryFault::Unreachable { .. },
                    ..
                }
            ),
            "{error}"
        );
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_registry_whose_token_service_is_not_https_gets_no_password() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let realm = format!("http://{}/token", listener.local_addr().unwrap());
    let auth = |folder: &Path| {
        let roots = folder.join("cert.pem");
        json!({ "token": { "realm": realm, "service": "s", "issuer": "i", "rootcertbundle": roots } })
    };
    let Some(registry) = Registry::start_with(auth) else {
        return;
    };
    let (image, _) = registry.put_image();
    let error = Guest::new().pull(&registry, &image).await.unwrap_err();
    assert!(error.to_string().contains("not https"), "{error}");
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock
    );
}
