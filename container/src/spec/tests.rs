#![allow(clippy::unwrap_used)]

use super::*;
use hpcr_contract::plan::{ImageReference, Limits, Mount as Wanted, Ulimit};
use serde_json::Value;

/// A service with nothing set.
pub(crate) fn service() -> Service {
    let image = ImageReference {
        registry: "r".into(),
        repository: "p".into(),
        digest: "sha256:0".into(),
    };
    Service {
        stop_grace_seconds: 1,
        ..Service::new("web", image)
    }
}

fn identity() -> Identity {
    Identity {
        uid: 33,
        gid: 34,
        groups: vec![44],
        home: "/srv".into(),
    }
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|&text| text.to_owned()).collect()
}

fn spec(service: &Service) -> Value {
    let settings = Settings {
        command: strings(&["run"]),
        working_dir: Some("/w".into()),
        ..Settings::default()
    };
    let binds = [
        Bind {
            source: "/run/b/0".into(),
            target: "/data/inner".into(),
            read_only: true,
        },
        Bind {
            source: "/run/b/1".into(),
            target: "/data".into(),
            read_only: false,
        },
    ];
    let spec = runtime(&Input {
        service,
        settings: &settings,
        identity: &identity(),
        rootfs: "/store/rootfs".as_ref(),
        network: "/run/netns/web".as_ref(),
        hostname: "web",
        binds: &binds,
    });
    serde_json::to_value(spec.unwrap()).unwrap()
}

#[test]
fn the_command_line_follows_dockers_rules() {
    let settings = Settings {
        entrypoint: strings(&["/entry"]),
        command: strings(&["default"]),
        ..Settings::default()
    };
    for (entrypoint, command, expected) in [
        (None, None, &["/entry", "default"][..]),
        (None, Some(&["mine"][..]), &["/entry", "mine"]),
        (None, Some(&[]), &["/entry"]),
        (Some(&["/own"][..]), None, &["/own"]),
        (Some(&["/own"]), Some(&["mine"]), &["/own", "mine"]),
        (Some(&[]), Some(&["mine"]), &["mine"]),
    ] {
        let service = Service {
            entrypoint: entrypoint.map(strings),
            command: command.map(strings),
            ..service()
        };
        assert_eq!(
            arguments(&service, &settings).unwrap(),
            expected,
            "{entrypoint:?} {command:?}"
        );
    }
    let nothing = Service {
        entrypoint: Some(Vec::new()),
        ..service()
    };
    assert!(arguments(&nothing, &settings).is_err());
}

#[test]
fn the_services_environment_overlays_the_images() {
    let settings = Settings {
        env: strings(&["A=image", "B=image=x", "broken"]),
        ..Settings::default()
    };
    let mut service = service();
    service
        .environment
        .insert("A".into(), "service".to_owned().into());
    service
        .environment
        .insert("HOME".into(), "/own".to_owned().into());
    let expected = [
        "A=service",
        "B=image=x",
        "HOME=/own",
        "HOSTNAME=h",
        &format!("PATH={PATH}"),
    ];
    assert_eq!(environment(&service, &settings, &identity(), "h"), expected);
}

#[test]
fn a_plain_container_gets_little() {
    let spec = spec(&service());
    let process = &spec["process"];
    assert_eq!(process["noNewPrivileges"], true);
    assert_eq!(
        process["user"],
        serde_json::json!({"uid": 33, "gid": 34, "additionalGids": [44]})
    );
    assert_eq!(process["cwd"], "/w");
    for set in ["bounding", "effective", "permitted"] {
        assert_eq!(
            process["capabilities"][set].as_array().unwrap().len(),
            14,
            "{set}"
        );
    }
    assert_eq!(
        process["capabilities"]["inheritable"],
        serde_json::json!([])
    );
    let linux = &spec["linux"];
    assert_eq!(linux["resources"]["devices"][0]["allow"], false);
    assert!(
        linux["maskedPaths"]
            .as_array()
            .unwrap()
            .contains(&"/proc/kcore".into())
    );
    assert!(
        linux["readonlyPaths"]
            .as_array()
            .unwrap()
            .contains(&"/proc/sys".into())
    );
    assert_eq!(linux["seccomp"]["defaultAction"], "SCMP_ACT_ALLOW");
    let namespaces: Vec<_> = linux["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        namespaces,
        ["pid", "ipc", "uts", "mount", "cgroup", "network"]
    );
    assert_eq!(linux["namespaces"][5]["path"], "/run/netns/web");
}

#[test]
fn a_privileged_container_gets_everything() {
    let spec = spec(&Service {
        privileged: true,
        ..service()
    });
    assert_eq!(spec["process"]["noNewPrivileges"], false);
    assert_eq!(
        spec["process"]["capabilities"]["bounding"]
            .as_array()
            .unwrap()
            .len(),
        41
    );
    assert_eq!(spec["linux"]["resources"]["devices"][0]["allow"], true);
    assert_eq!(spec["linux"]["maskedPaths"], serde_json::json!([]));
    assert!(spec["linux"]["seccomp"].is_null());
}

#[test]
fn capabilities_are_added_and_dropped_by_name() {
    let count = |add: &[&str], drop: &[&str]| {
        let service = Service {
            cap_add: strings(add),
            cap_drop: strings(drop),
            ..service()
        };
        capabilities::of(&service).map(|set| set.len())
    };
    for (add, drop, expected) in [
        (&[][..], &["ALL"][..], 0),
        (&["NET_ADMIN"], &[], 15),
        (&["CAP_NET_ADMIN"], &[], 15),
        (&["CHOWN"], &["ALL"], 1),
        (&["ALL"], &["SYS_ADMIN"], 40),
        (&[], &["CHOWN", "KILL"], 12),
    ] {
        assert_eq!(count(add, drop), Ok(expected), "{add:?} {drop:?}");
    }
    assert!(count(&["NO_SUCH"], &[]).is_err());
}

#[test]
fn an_inner_mount_comes_after_the_one_around_it() {
    let spec = spec(&service());
    let targets: Vec<_> = spec["mounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["destination"].as_str().unwrap())
        .collect();
    let place = |target| targets.iter().position(|t| *t == target).unwrap();
    assert!(place("/data") < place("/data/inner"));
    let inner = &spec["mounts"][place("/data/inner")]["options"];
    assert!(inner.as_array().unwrap().contains(&"ro".into()), "{inner}");
}

#[test]
fn every_temporary_file_system_has_a_size() {
    let tmpfs = |target: &str, bytes, mode| Wanted::Tmpfs {
        target: target.into(),
        bytes,
        mode,
    };
    let spec = spec(&Service {
        mounts: vec![
            tmpfs("/tmp", None, None),
            tmpfs("/cache", Some(4096), Some(0o700)),
        ],
        limits: Limits {
            shm: Some(8192),
            ..Limits::default()
        },
        ..service()
    });
    let mounts = spec["mounts"].as_array().unwrap().iter();
    let temporary: Vec<_> = mounts
        .filter(|mount| mount["type"] == "tmpfs")
        .map(|mount| {
            let options = mount["options"].as_array().unwrap().iter();
            let said = |option: &&Value| {
                let option = option.as_str().unwrap();
                option.starts_with("size=") || option.starts_with("mode=")
            };
            let mut told: Vec<_> = options
                .filter(said)
                .map(|o| o.as_str().unwrap().to_owned())
                .collect();
            told.sort();
            format!(
                "{} {}",
                mount["destination"].as_str().unwrap(),
                told.join(" ")
            )
        })
        .collect();
    assert_eq!(
        temporary,
        [
            "/dev mode=755 size=67108864",
            "/dev/shm mode=1777 size=8192",
            "/tmp mode=1777 size=67108864",
            "/cache mode=700 size=4096",
        ]
    );
}

#[test]
fn limits_become_those_of_the_control_group_and_of_each_process() {
    let ulimit = |name: &str, soft, hard| (name.to_owned(), Ulimit { soft, hard });
    let limited = |limits| {
        spec(&Service {
            limits,
            ..service()
        })
    };
    let spec = limited(Limits {
        memory: Some(64 << 20),
        milli_cpus: Some(1_500),
        cpu_weight: Some(300),
        pids: Some(50),
        ulimits: [ulimit("NOFILE", 5, 6), ulimit("MEMLOCK", 7, 8)].into(),
        oom_score_adj: Some(-500),
        ..Limits::default()
    });
    let resources = &spec["linux"]["resources"];
    assert_eq!(resources["memory"]["limit"], 64 << 20);
    assert_eq!(resources["cpu"]["quota"], 150_000);
    assert_eq!(resources["cpu"]["period"], 100_000);
    let own = resources.to_string();
    assert!(!own.contains("300"), "the weight is the service's: {own}");
    assert_eq!(resources["pids"]["limit"], 50);
    assert_eq!(spec["process"]["oomScoreAdj"], -500);
    assert_eq!(
        spec["process"]["rlimits"],
        serde_json::json!([
            {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
            {"type": "RLIMIT_MEMLOCK", "soft": 7, "hard": 8},
            {"type": "RLIMIT_NOFILE", "soft": 5, "hard": 6},
        ])
    );

    let small = limited(Limits {
        milli_cpus: Some(1),
        ..Limits::default()
    });
    // The kernel takes no quota below 1,000 microseconds.
    assert_eq!(small["linux"]["resources"]["cpu"]["quota"], 1_000);
    assert_eq!(small["linux"]["resources"]["cpu"]["period"], 1_000_000);
    let unlimited = limited(Limits::default());
    assert!(unlimited["linux"]["resources"]["memory"].is_null());
    assert!(unlimited["linux"]["resources"]["cpu"].is_null());
    assert_eq!(unlimited["linux"]["resources"]["pids"]["limit"], 16_384);

    let unknown = Limits {
        ulimits: [ulimit("NO_SUCH", 1, 1)].into(),
        ..Limits::default()
    };
    assert!(resources::of_a_process(&unknown).is_err());
}

#[test]
fn kernel_parameters_are_those_of_the_containers_own_namespaces() {
    let with = |name: &str| Service {
        sysctls: [(name.to_owned(), "1".to_owned())].into(),
        ..service()
    };
    for own in [
        "net.core.somaxconn",
        "kernel.shm_rmid_forced",
        "kernel.sem",
        "fs.mqueue.msg_max",
    ] {
        let parameters = resources::parameters(&with(own)).unwrap();
        assert_eq!(parameters[own], "1");
        assert_eq!(parameters["net.ipv4.ip_unprivileged_port_start"], "0");
    }
    for not_own in [
        "kernel.core_pattern",
        "vm.overcommit_memory",
        "fs.file-max",
        "network",
        "net.../kernel.panic",
        "net.ipv4/../../kernel/panic",
    ] {
        assert!(resources::parameters(&with(not_own)).is_err(), "{not_own}");
    }
    let low = resources::parameters(&with("net.ipv4.ip_unprivileged_port_start")).unwrap();
    assert_eq!(low["net.ipv4.ip_unprivileged_port_start"], "1");
}

#[test]
fn a_privileged_container_may_give_its_programs_no_new_privileges() {
    let spec = spec(&Service {
        privileged: true,
        no_new_privileges: true,
        ..service()
    });
    assert_eq!(spec["process"]["noNewPrivileges"], true);
}
