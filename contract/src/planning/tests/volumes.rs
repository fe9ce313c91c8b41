//! Data volumes: both halves together, the paths that are free, and what nothing mounts.

use super::*;
use crate::plan::{Create, Filesystem, HeaderRecord};

#[test]
fn a_volume_takes_both_seeds_and_the_stricter_of_two_wishes() {
    let plan = plan(
        &workload_text(
            "env: {REGISTRY: r.example}\nvolumes:\n  data: {seed: workload-seed-0001, previousSeed: workload-seed-0000, create: never}\n  \
             logs: {seed: workload-seed-0001, mount: /logs, filesystem: ext4}\n",
        ),
        &env_text(
            "volumes:\n  data: {seed: deployer-seed-0001, volumeID: '0717-1', volumeName: n, headerRecord: require}\n  \
             logs: {seed: deployer-seed-0001, create: ifBlank}\n",
        ),
    )
    .unwrap();
    let [data, logs] = &plan.volumes[..] else {
        panic!("{:?}", plan.volumes)
    };
    // printf '%s%s' deployer-seed-0001 workload-seed-0001 | openssl dgst -sha256
    let passphrase = "246fd6dd52d3eb76cf3899c5a575efe132211abfdcbcd9ccf970fadb85a4ac23";
    assert_eq!(data.passphrase.expose_secret(), passphrase);
    assert_eq!(
        (
            data.previous_passphrases.len(),
            logs.previous_passphrases.len()
        ),
        (1, 0)
    );
    assert_eq!((data.disk.as_str(), logs.disk.as_str()), ("0717-1", "logs"));
    assert_eq!(
        (data.mount.as_str(), logs.mount.as_str()),
        ("/mnt/data", "/logs")
    );
    assert_eq!(
        (data.filesystem, logs.filesystem),
        (Filesystem::Ext4, Filesystem::Ext4)
    );
    assert_eq!((data.create, logs.create), (Create::Never, Create::IfBlank));
    assert_eq!(
        (data.header_record, logs.header_record),
        (HeaderRecord::Require, HeaderRecord::Adopt)
    );
}

#[test]
fn volumes_that_do_not_match_overlap_or_want_another_key_are_refused() {
    let seeds = "seed: hunter2-hunter2-1";
    for (workload, env, expected) in [
        (
            "volumes: {a: {S}}",
            "",
            &["HPL07015E workload at volumes.a"][..],
        ),
        ("", "volumes: {b: {S}}", &["HPL07015E env at volumes.b"]),
        (
            "volumes: {a: {S, filesystem: xfs}}",
            "volumes: {a: {S}}",
            &["HPL02121E workload at volumes.a.filesystem"],
        ),
        (
            "volumes: {a: {S}}",
            "volumes: {b: {S}}",
            &[
                "HPL07015E workload at volumes.a",
                "HPL07015E env at volumes.b",
            ],
        ),
        (
            "volumes: {a: {S}, b: {S, mount: /b}}",
            "volumes: {a: {S, volumeID: x}, b: {S, volumeName: x}}",
            &["HPL02121E env at volumes.b.volumeName"],
        ),
        (
            "volumes: {a: {S}, b: {S, mount: /b}}",
            "volumes: {a: {S, volumeID: b}, b: {S}}",
            &["HPL02121E env at volumes.b"],
        ),
        // Of either name, the guest sees the first twenty characters.
        (
            "volumes: {a: {S}, b: {S, mount: /b}}",
            "volumes: {a: {S, volumeID: abcdefghijklmnopqrst}, b: {S, volumeID: abcdefghijklmnopqrstu}}",
            &["HPL02121E env at volumes.b.volumeID"],
        ),
        (
            "volumes: {a: {S}}",
            "volumes: {a: {S, kms: [], kmsTimeout: 1}}",
            &["HPL02121E env at volumes.a.kms"],
        ),
        (
            "volumes: {a: {S}}",
            "volumes: {a: {S, grep11: {}}}",
            &["HPL02121E env at volumes.a.grep11"],
        ),
        (
            "volumes: {a: {S}}",
            "volumes: {a: {uv-secret-id: index-1}}",
            &["HPL02121E env at volumes.a.uv-secret-id"],
        ),
        (
            "volumes: {a: {S}}",
            "volumes: {a: {}}",
            &["HPL02121E env at volumes.a"],
        ),
        (
            "volumes: {a: {S}, b: {S}}",
            "volumes: {a: {S}, b: {S}}",
            &["HPL02121E workload at volumes.b"],
        ),
        (
            "volumes: {a: {S, mount: /data/x}, b: {S, mount: /data}}",
            "volumes: {a: {S}, b: {S}}",
            &["HPL02121E workload at volumes.b.mount"],
        ),
    ] {
        let text = |lines: &str| format!("{}\n", lines.replace('S', seeds));
        let env_lines = text(env);
        let found = refused(
            &workload_text(&format!("env: {{REGISTRY: r.example}}\n{}", text(workload))),
            &env_text(&env_lines),
        );
        assert_eq!(found, expected, "{workload} {env}");
    }
}

#[test]
fn no_volume_hides_what_belongs_to_the_appliance() {
    for mount in [
        "/",
        "/proc",
        "/etc/ssl",
        "/var",
        "/var/hyperprotect/x",
        "/var/lib",
        "/mnt/../etc",
        "/dev/shm",
        "relative",
        "/run/x",
        "/usr",
    ] {
        let workload = workload_text(&format!(
            "env: {{REGISTRY: r.example}}\nvolumes: {{a: {{seed: hunter2-hunter2-1, mount: {mount}}}}}\n"
        ));
        let env = env_text("volumes: {a: {seed: hunter2-hunter2-1}}\n");
        assert_eq!(
            refused(&workload, &env),
            ["HPL02121E workload at volumes.a.mount"],
            "{mount}"
        );
    }
}

#[test]
fn a_volume_that_no_container_mounts_is_told() {
    let workload = |mounts: &str| {
        format!(
            "type: workload\nenv: {{REGISTRY: r.example}}\ncompose: {{archive: {}}}\nvolumes: {{a: {{seed: workload-seed-0001}}, b: {{seed: workload-seed-0002, mount: /mnt/b}}}}\n",
            archive(mounts)
        )
    };
    let env = env_text("volumes: {a: {seed: deployer-seed-0001}, b: {seed: deployer-seed-0002}}\n");
    for (mounts, expected) in [
        ("", &["volumes.a", "volumes.b"][..]),
        ("    volumes: [\"/mnt/data/www:/www\"]\n", &["volumes.b"]),
        ("    volumes: [\"/mnt/data:/a\", \"/mnt/b:/b:ro\"]\n", &[]),
    ] {
        let plan = plan(&workload(mounts), &env).unwrap();
        let idle: Vec<_> = plan
            .warnings
            .iter()
            .map(|finding| {
                assert_eq!(finding.code, messages::VOLUME_IDLE);
                finding.place.path.as_str()
            })
            .collect();
        assert_eq!(idle, expected, "{mounts}");
    }
}
