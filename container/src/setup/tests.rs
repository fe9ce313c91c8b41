#![allow(clippy::unwrap_used)]

use super::*;
use crate::acts::recorder::Recorder;
use crate::engine::Shared;
use crate::group;
use crate::image::Settings;
use crate::spec::tests::service;
use hpcr_contract::plan::Mount;
use std::os::unix::fs::{PermissionsExt as _, symlink};

struct Ground {
    folder: tempfile::TempDir,
    acts: Arc<Recorder>,
    group: Arc<Group>,
    setup: Setup,
}

impl Ground {
    /// A guest in a folder, with a netavark that notes what it is asked.
    fn new(service: &Service) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(
            at("netavark"),
            format!(
                "#!/bin/sh\ncat > {0}/asked; echo $5 >> {0}/acts\n",
                folder.path().display()
            ),
        )
        .unwrap();
        fs::set_permissions(at("netavark"), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["run/netns", "run/binds", "data", "var"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let paths = Paths {
            store: at("store"),
            run: at("run"),
            crun: at("crun"),
            netavark: at("netavark"),
            ca_bundle: at("none"),
            resolv_conf: at("none"),
            proc: at("none"),
            cgroups: at("none"),
            shared: vec![
                Shared {
                    path: at("data"),
                    writable: true,
                },
                Shared {
                    path: at("var"),
                    writable: false,
                },
            ],
        };
        let store = Arc::new(Store::create(&paths.store).unwrap());
        let acts = Arc::new(Recorder::default());
        let kernel = Arc::clone(&acts) as Arc<dyn Acts>;
        let setup = Setup::new(&paths, &store, &kernel, service);
        let subnet = network::choose_subnet("", "").unwrap();
        let services = std::slice::from_ref(service);
        let group = group::of(services, subnet, &paths, &kernel)
            .unwrap()
            .remove(0);
        Self {
            folder,
            acts,
            group,
            setup,
        }
    }

    /// Takes everything down; there must be no fault.
    async fn take_down(&self) {
        assert!(self.setup.take_down().await.is_empty());
        assert!(self.group.take_down().await.is_empty());
    }

    async fn make(&self, service: &Service) -> Result<Container, ContainerError> {
        let settings = Settings {
            command: vec!["run".into()],
            ..Settings::default()
        };
        let image = Image {
            layers: vec![
                crate::verify::Digest::of(b"1"),
                crate::verify::Digest::of(b"2"),
            ],
            settings,
        };
        let names = [("web".to_owned(), self.group.address)];
        self.setup.make(service, &image, &self.group, &names).await
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn bind(&self, source: &str) -> Service {
        let mount = Mount::Bind {
            source: self.path(source),
            target: "/in".into(),
            read_only: false,
        };
        Service {
            mounts: vec![mount],
            ..service()
        }
    }
}

#[tokio::test]
async fn what_is_made_is_taken_down_in_reverse() {
    let ground = Ground::new(&service());
    let container = ground.make(&service()).await.unwrap();
    let configuration = container.bundle.join("config.json");
    let mut on_disk: Vec<_> = fs::read_dir(ground.path("store/containers/web"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    on_disk.sort();
    assert_eq!(on_disk, ["rootfs", "upper", "work"]);
    assert!(configuration.starts_with(ground.path("run")));
    assert_eq!(
        fs::metadata(&configuration).unwrap().permissions().mode() & 0o777,
        0o600
    );
    ground.take_down().await;
    assert_eq!(
        ground.acts.acts(),
        [
            "overlay of 2 layers",
            "namespace web",
            "unmount rootfs",
            "unmount web"
        ]
    );
    assert_eq!(
        fs::read_to_string(ground.path("acts")).unwrap(),
        "setup\nteardown\n"
    );
}

#[tokio::test]
async fn a_fault_half_way_leaves_only_what_was_made_to_take_down() {
    let wrong = Service {
        user: Some("nobody".into()),
        ..service()
    };
    let ground = Ground::new(&wrong);
    let error = ground.make(&wrong).await.unwrap_err();
    assert!(
        error.to_string().contains("service web") && error.to_string().contains("/etc/passwd"),
        "{error}"
    );
    ground.take_down().await;
    assert_eq!(
        ground.acts.acts(),
        ["overlay of 2 layers", "unmount rootfs"]
    );
}

#[tokio::test]
async fn binds_stay_within_the_shared_parts_of_the_guest() {
    for (source, allowed) in [
        ("data", true),
        ("data/new/folder", true),
        ("var", true),
        ("var/missing", false),
        ("database", false),
        ("store", false),
        ("data/../store", false),
        ("data/link/layers", true),
    ] {
        let ground = Ground::new(&service());
        symlink(ground.path("store"), ground.path("data/link")).unwrap();
        let made = ground.make(&ground.bind(source)).await;
        if source == "data/link/layers" {
            // A link on the volume is followed on the volume only, where nothing of that name can be made.
            assert!(made.is_err());
            continue;
        }
        assert_eq!(made.is_ok(), allowed, "{source}: {made:?}");
    }
}

#[tokio::test]
async fn a_part_without_write_access_is_mounted_without_it() {
    let ground = Ground::new(&service());
    let container = ground.make(&ground.bind("var")).await.unwrap();
    let spec: serde_json::Value =
        serde_json::from_slice(&fs::read(container.bundle.join("config.json")).unwrap()).unwrap();
    let mount = spec["mounts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|mount| mount["destination"] == "/in")
        .unwrap()
        .clone();
    assert!(mount["options"].as_array().unwrap().contains(&"ro".into()));
}

#[tokio::test]
async fn secrets_reach_the_configuration_and_no_error_or_argument() {
    let mut secret = service();
    secret
        .environment
        .insert("TOKEN".into(), "hush-hush".to_owned().into());
    let ground = Ground::new(&secret);
    let container = ground.make(&secret).await.unwrap();
    assert!(
        fs::read_to_string(container.bundle.join("config.json"))
            .unwrap()
            .contains("TOKEN=hush-hush")
    );
    assert!(
        !fs::read_to_string(ground.path("asked"))
            .unwrap()
            .contains("hush")
    );
    assert!(!format!("{container:?}").contains("hush"));
}

#[test]
fn names_are_safe_as_files_cgroups_and_arguments() {
    for name in ["web", "web-1", "a.b_c", "0"] {
        assert!(is_plain_name(name), "{name}");
    }
    for name in [
        "",
        "-x",
        ".",
        "..",
        "a/b",
        "a b",
        "a\0",
        "ü",
        &"a".repeat(129),
    ] {
        assert!(!is_plain_name(name), "{name}");
    }
}

#[test]
fn a_stop_signal_is_a_word_or_the_default() {
    let image = |signal: Option<&str>| Image {
        layers: Vec::new(),
        settings: Settings {
            stop_signal: signal.map(str::to_owned),
            ..Settings::default()
        },
    };
    let own = |signal: &str| Service {
        stop_signal: Some(signal.into()),
        ..service()
    };
    assert_eq!(stop_signal(&service(), &image(Some("SIGQUIT"))), "SIGQUIT");
    assert_eq!(
        stop_signal(&own("SIGINT"), &image(Some("SIGQUIT"))),
        "SIGINT"
    );
    assert_eq!(stop_signal(&own("SIGRTMIN+3"), &image(None)), "SIGRTMIN+3");
    for odd in ["--all", "a b", "SIGNAL-OF-A-VERY-LONG-NAME"] {
        assert_eq!(stop_signal(&own(odd), &image(None)), "SIGTERM");
    }
}
