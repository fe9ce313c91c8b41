#![allow(clippy::unwrap_used)]

use super::*;
use crate::plan::Mount;

fn with(top: &str, lines: &str) -> Result<Workload, Vec<Finding>> {
    read_text(&format!(
        "{top}\nservices:\n  web:\n    image: {IMAGE}\n    {lines}\n"
    ))
}

fn mounted(workload: &Workload) -> Vec<(String, String, u32, String)> {
    let mounts = &workload.services[0].mounts;
    mounts
        .iter()
        .map(|mount| {
            let Mount::File { source, target } = mount else {
                panic!("{mount:?} is no read-only file");
            };
            let file = &workload.files[source];
            let text = String::from_utf8(file.bytes.to_vec()).unwrap();
            (source.clone(), target.clone(), file.mode, text)
        })
        .collect()
}

#[test]
fn configs_and_secrets_are_files_of_the_workload() {
    let workload = with(
        concat!(
            "configs:\n  web: {file: ./conf/web.conf}\n  inline: {content: \"port $PORT\\n\"}\n",
            "secrets:\n  token: {environment: GREETING, labels: {a: b}}\n  file: {file: conf/web.conf, external: false}\n",
        ),
        concat!(
            "configs: [web, {source: inline, target: /etc/inline, mode: 0640}, inline]\n",
            "    secrets: [token, {source: file, target: renamed, mode: 0o400}]",
        ),
    )
    .unwrap();
    let own = |source: &str, target: &str, mode: u32, text: &str| {
        (source.to_owned(), target.to_owned(), mode, text.to_owned())
    };
    assert_eq!(
        mounted(&workload),
        [
            own("archive/conf/web.conf", "/web", 0o644, "listen 80"),
            own(
                "generated/configs/640/inline",
                "/etc/inline",
                0o640,
                "port 8080\n"
            ),
            own(
                "generated/configs/444/inline",
                "/inline",
                0o444,
                "port 8080\n"
            ),
            own(
                "generated/secrets/444/token",
                "/run/secrets/token",
                0o444,
                "hunter2"
            ),
            own(
                "generated/secrets/400/file",
                "/run/secrets/renamed",
                0o400,
                "listen 80"
            ),
        ]
    );
    assert!(!format!("{workload:?}").contains("hunter2"));
}

#[test]
fn what_lies_outside_of_the_contract_is_refused_with_its_place() {
    for (top, lines, place, cause) in [
        (
            "configs: {a: {external: true}}",
            "",
            ":1:15 at configs.a.external",
            "`external` is not supported",
        ),
        (
            "configs: {a: {file: /etc/passwd}}",
            "",
            ":1:21 at configs.a.file",
            "outside of the archive",
        ),
        (
            "configs: {a: {file: ./none}}",
            "",
            ":1:21 at configs.a.file",
            "no such file",
        ),
        (
            "secrets: {a: {content: x}}",
            "",
            ":1:15 at secrets.a.content",
            "`content` is not known",
        ),
        (
            "secrets: {a: {environment: NONE}}",
            "",
            ":1:28 at secrets.a.environment",
            "variable NONE has no value",
        ),
        (
            "secrets: {a: {}}",
            "",
            ":1:14 at secrets.a",
            "not said once",
        ),
        (
            "configs: {a: {content: x, environment: HOST}}",
            "",
            ":1:14 at configs.a",
            "not said once",
        ),
        (
            "",
            "secrets: [none]",
            ":5:15 at services.web.secrets[0]",
            "under `secrets`",
        ),
        (
            "configs: {a: {content: x}}",
            "configs: [{source: a, uid: \"1\"}]",
            ":5:27 at services.web.configs[0].uid",
            "belongs to root",
        ),
        (
            "configs: {a: {content: x}}",
            "configs: [{source: a, target: /proc/x}]",
            ":5:35 at services.web.configs[0].target",
            "mounted over",
        ),
        (
            "configs: {a: {content: x}}",
            "configs: [{source: a, mode: \"9\"}]",
            ":5:33 at services.web.configs[0].mode",
            "no permissions",
        ),
    ] {
        let findings = with(top, lines).unwrap_err();
        let told = findings
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            told.contains(place) && told.contains(cause),
            "{top} {lines}: {told}"
        );
    }
}

#[test]
fn a_temporary_file_system_has_size_and_permissions() {
    let lines = "tmpfs: [\"/a:size=64m,mode=0700,noexec\"]\nvolumes: [{type: tmpfs, target: /b, tmpfs: {size: 1024, mode: 0755}}]";
    let tmpfs = |target: &str, bytes, mode| Mount::Tmpfs {
        target: target.into(),
        bytes: Some(bytes),
        mode: Some(mode),
    };
    assert_eq!(
        service(lines).unwrap().mounts,
        [tmpfs("/a", 64 << 20, 0o700), tmpfs("/b", 1024, 0o755)]
    );
    for lines in ["tmpfs: /a:exec", "tmpfs: /a:size=0", "tmpfs: /a:uid=1"] {
        assert!(service(lines).is_err(), "{lines}");
    }
}
