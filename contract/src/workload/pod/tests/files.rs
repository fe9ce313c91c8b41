#![allow(clippy::unwrap_used)]

use super::*;
use crate::plan::Mount;

fn mounts(volumes: &str, mounts: &str) -> Result<(Vec<Mount>, Workload), Vec<Finding>> {
    let maps = " - {kind: ConfigMap, apiVersion: v1, metadata: {name: conf}, data: {a.txt: one, run: two}}\n";
    let lines = format!(
        "containers:\n- name: web\n  image: IMAGE\n  volumeMounts: {mounts}\nvolumes: {volumes}\n"
    );
    let workload = play(&format!(" resources:\n{maps}{}", item(&pod(&lines))))?;
    Ok((workload.services[0].mounts.clone(), workload))
}

#[test]
fn volumes_become_mounts() {
    let (mounts, workload) = mounts(
        concat!(
            "[{name: data, hostPath: {path: /mnt/data/www, type: DirectoryOrCreate}}, {name: proof, hostPath: {path: /var/hyperprotect}}, ",
            "{name: scratch, emptyDir: {}}, {name: fast, emptyDir: {medium: Memory, sizeLimit: 1Mi}}, ",
            "{name: conf, configMap: {name: conf, defaultMode: 0o755}}, {name: some, configMap: {name: conf, items: [{key: run, path: bin/run, mode: 256}]}}, ",
            "{name: none, configMap: {name: none, optional: true}}]",
        ),
        concat!(
            "[{name: data, mountPath: /srv}, {name: data, mountPath: /part, subPath: a/b, readOnly: true}, {name: proof, mountPath: /proof}, ",
            "{name: scratch, mountPath: /tmp}, {name: fast, mountPath: /fast}, {name: conf, mountPath: /conf}, {name: conf, mountPath: /one, subPath: a.txt}, ",
            "{name: some, mountPath: /some}, {name: none, mountPath: /none}]",
        ),
    )
    .unwrap();
    let bind = |source: &str, target: &str, read_only| Mount::Bind {
        source: source.into(),
        target: target.into(),
        read_only,
    };
    let file = |source: &str, target: &str| Mount::File {
        source: format!("generated/configmaps/app/{source}"),
        target: target.into(),
    };
    let tmpfs = |target: &str, bytes, mode| Mount::Tmpfs {
        target: target.into(),
        bytes,
        mode,
    };
    let shared = Mount::Shared {
        name: "app_scratch".into(),
        target: "/tmp".into(),
        read_only: false,
    };
    assert_eq!(
        mounts,
        [
            bind("/mnt/data/www", "/srv", false),
            bind("/mnt/data/www/a/b", "/part", true),
            bind("/var/hyperprotect", "/proof", true),
            shared,
            tmpfs("/fast", Some(1 << 20), Some(0o777)),
            file("conf", "/conf"),
            file("conf/a.txt", "/one"),
            file("some", "/some"),
            tmpfs("/none", None, None),
        ]
    );
    let files: Vec<_> = workload
        .files
        .iter()
        .map(|(path, file)| (path.as_str(), file.mode, file.bytes.as_slice()))
        .collect();
    let expected: [(&str, u32, &[u8]); 3] = [
        ("generated/configmaps/app/conf/a.txt", 0o755, b"one"),
        ("generated/configmaps/app/conf/run", 0o755, b"two"),
        ("generated/configmaps/app/some/bin/run", 0o400, b"two"),
    ];
    assert_eq!(files, expected);
}

#[test]
fn what_cannot_be_a_volume_is_refused_by_name() {
    for (volume, cause) in [
        ("secret: {secretName: x}", "type `secret` is not supported"),
        (
            "persistentVolumeClaim: {claimName: x}",
            "type `persistentVolumeClaim` is not supported",
        ),
        ("nfs: {}", "type `nfs` is not supported"),
        ("hostPaths: {}", "`hostPaths` is not known"),
        ("hostPath: {path: /etc}", "not open to containers"),
        ("hostPath: {path: /mnt/data/../..}", "upwards"),
        ("hostPath: {path: conf}", "no such file"),
        ("hostPath: {path: /mnt/data, type: Socket}", "type of path"),
        ("hostPath: {}", "path is missing"),
        ("emptyDir: {sizeLimit: 1Mi}", "cannot be limited"),
        ("emptyDir: {medium: HugePages}", "medium"),
        ("configMap: {name: none}", "no such ConfigMap"),
        (
            "configMap: {name: conf, items: [{key: z, path: z}]}",
            "no such key",
        ),
        (
            "configMap: {name: conf, items: [{key: run, path: ../z}]}",
            "upwards",
        ),
        (
            "configMap: {name: conf, defaultMode: 10000}",
            "no permissions",
        ),
    ] {
        let findings = mounts(
            &format!("[{{name: v, {volume}}}]"),
            "[{name: v, mountPath: /v}]",
        )
        .err()
        .unwrap();
        assert!(
            findings[0].cause.contains(cause),
            "{volume}: {}",
            findings[0]
        );
    }
    for (mount, cause) in [
        ("{name: none, mountPath: /v}", "no volume of this name"),
        ("{name: v}", "path is missing"),
        ("{name: v, mountPath: /proc}", "mounted over"),
        ("{name: v, mountPath: v}", "not absolute"),
        ("{name: v, mountPath: \"/v:x\"}", "an option of the mount"),
        ("{name: v, mountPath: \"/v:\"}", "an option of the mount"),
        (
            "{name: v, mountPath: \"/v:ro:ro\"}",
            "an option of the mount",
        ),
        (
            "{name: v, mountPath: /v, subPath: a}",
            "part of an empty folder",
        ),
        (
            "{name: v, mountPath: /v, subPathExpr: a}",
            "`subPathExpr` is not supported",
        ),
        (
            "{name: v, mountPath: /v, mountPropagation: Bidirectional}",
            "not supported",
        ),
        (
            "{name: v, mountPath: /v}, {name: v, mountPath: /v/}",
            "same target",
        ),
    ] {
        let findings = mounts("[{name: v, emptyDir: {}}]", &format!("[{mount}]"))
            .err()
            .unwrap();
        assert!(
            findings[0].cause.contains(cause),
            "{mount}: {}",
            findings[0]
        );
    }
}

#[test]
fn options_behind_a_path_are_those_of_podman() {
    for (options, is_read_only) in [
        ("", false),
        (":rw", false),
        (":Z,U", false),
        (":z,ro", true),
    ] {
        let (mounts, _) = mounts(
            "[{name: v, hostPath: {path: /mnt/data}}, {name: w, hostPath: {path: /var/hyperprotect}}]",
            &format!("[{{name: v, mountPath: \"/v{options}\"}}, {{name: w, mountPath: \"/w{options}\"}}]"),
        )
        .unwrap();
        let bind = |source: &str, target: &str, read_only| Mount::Bind {
            source: source.into(),
            target: target.into(),
            read_only,
        };
        let expected = [
            bind("/mnt/data", "/v", is_read_only),
            bind("/var/hyperprotect", "/w", true),
        ];
        assert_eq!(mounts, expected, "{options}");
    }
}

#[test]
fn memory_is_not_shared_between_containers() {
    let lines = concat!(
        "containers:\n- {name: a, image: IMAGE, volumeMounts: [{name: v, mountPath: /v}]}\n",
        "- {name: b, image: IMAGE, volumeMounts: [{name: v, mountPath: /v}]}\nvolumes: [{name: v, emptyDir: {medium: Memory}}]\n"
    );
    assert_eq!(spec(lines).unwrap_err().len(), 2);
    assert!(spec(&lines.replace("medium: Memory", "")).is_ok());
}
