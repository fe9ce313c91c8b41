#![allow(clippy::unwrap_used)]

use super::*;
use crate::finding::Level;
use crate::plan::Mount;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn packed(files: &[(&str, &str)]) -> String {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &tar.into_inner().unwrap()).unwrap();
    STANDARD.encode(gzip.finish().unwrap())
}

#[test]
fn an_archive_brings_pods_config_maps_and_files() {
    let web = pod(
        "containers: [{name: web, image: IMAGE, volumeMounts: [{name: c, mountPath: /c}], envFrom: [{configMapRef: {name: web.config}}]}]\nvolumes: [{name: c, hostPath: {path: conf/web.conf}}]",
    );
    let stream = format!("# first\n---\n{web}---\nkind: ConfigMap\napiVersion: v1\nmetadata: {{name: web.config}}\ndata: {{text: |\n    a\n    b\n  }}\n---\n# nothing\n")
        .replace("data: {text: |\n    a\n    b\n  }", "data:\n  text: |\n    a\n    b");
    let archive = packed(&[
        ("web.yaml", &stream),
        ("conf/web.conf", "listen"),
        ("conf/other.yaml", "not: read"),
        ("notes.txt", "a: b: c"),
    ]);
    let workload = play(&format!(" archive: {archive}\n")).unwrap();
    assert_eq!(environment(&workload.services[0]), [("text", "a\nb\n")]);
    let expected = Mount::File {
        source: "archive/conf/web.conf".into(),
        target: "/c".into(),
    };
    assert_eq!(workload.services[0].mounts, [expected]);
    assert_eq!(
        workload.files["archive/conf/web.conf"].bytes.as_slice(),
        b"listen"
    );
}

#[test]
fn what_is_wrong_in_an_archive_is_placed_in_its_file() {
    let stream = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: b}\ndata: {a: {}}\n";
    let archive = packed(&[("maps.yml", stream)]);
    let findings = play(&format!(" archive: {archive}\n")).unwrap_err();
    assert_eq!(
        findings[0].place.to_string(),
        "workload:2:11 at play.archive \u{2192} maps.yml:8:11 at data.a"
    );
    for (files, cause) in [
        (packed(&[("a.yaml", "a: [")]), ""),
        (packed(&[("a.yaml", "\u{0}")]), ""),
        (packed(&[("conf/a.yaml", "kind: Pod")]), "there is no Pod"),
        ("aGVsbG8=".to_owned(), "not a gzip stream"),
    ] {
        let findings = play(&format!(" archive: {files}\n")).unwrap_err();
        assert!(findings[0].cause.contains(cause), "{}", findings[0]);
    }
}

#[test]
fn templates_are_carried_out_in_values_alone() {
    let text = item(&pod(concat!(
        "containers:\n- name: \"{{ .Env.NONE | default `web` }}\"\n  image: '{{ .Env.HOST }}/web@DIGEST'\n",
        "  args: ['{{ if eq .Env.PORT \"8080\" }}--high{{ else }}--low{{ end }}', \"{{ .Env.SECRET | quote }}\"]\n",
        "  ports: [{containerPort: 80, hostPort: '{{ .Env.PORT }}'}]\n",
    )));
    let text = text.replace("DIGEST", IMAGE.split_once('@').unwrap().1);
    let workload = play(&format!(" templates:\n{text}")).unwrap();
    let service = &workload.services[0];
    assert_eq!(
        (service.name.as_str(), service.image.to_string().as_str()),
        ("app-web", IMAGE)
    );
    assert_eq!(
        service.command.as_deref().unwrap(),
        ["--high", "\"hunter2\""]
    );
    assert_eq!(service.ports[0].host, 8080);
    // A resource is no template.
    let workload = play(&format!(
        " resources:\n{}",
        item(&pod(
            "containers: [{name: a, image: IMAGE, args: ['{{ .Env.PORT }}']}]"
        ))
    ))
    .unwrap();
    assert_eq!(
        workload.services[0].command.as_deref().unwrap(),
        ["{{ .Env.PORT }}"]
    );
}

#[test]
fn what_is_wrong_in_a_template_is_told_with_both_places() {
    let text = item(&pod(
        "containers:\n- name: a\n  image: IMAGE\n  args: ['x {{ .Env.NONE }}']",
    ));
    let finding = &play(&format!(" templates:\n{text}")).unwrap_err()[0];
    assert_eq!(
        finding.place.to_string(),
        "workload:10:15 at play.templates[0].spec.containers[0].args[0]"
    );
    assert_eq!(
        &*finding.cause,
        "line 1, column 6 of the template: the variable NONE has no value"
    );
}

#[test]
fn a_play_without_a_pod_is_refused() {
    for text in [
        " {}\n",
        " resources: []\n",
        " templates:\n",
        " resources: [{kind: ConfigMap, apiVersion: v1, metadata: {name: a}}]\n",
        "\n",
    ] {
        let findings = play(text).unwrap_err();
        assert!(
            findings[0].cause.contains("there is no Pod"),
            "{text}: {}",
            findings[0]
        );
    }
    for (text, cause) in [
        (" charts: []\n", "`charts` is not known"),
        (" resources: {}\n", "a list is expected"),
        (" resources: [a]\n", "`kind` is missing"),
        (
            " resources: [{kind: Deployment, apiVersion: apps/v1}]\n",
            "the kind Deployment is not supported",
        ),
        (" resources: [{kind: Pod, apiVersion: v2}]\n", "not v1"),
        (
            " resources: [{kind: ConfigMap, apiVersion: v1, metadata: {name: contract.config.map}}]\n",
            "made of the contract's environment",
        ),
        (
            " resources: [{kind: ConfigMap, apiVersion: v1, metadata: {name: a}}, {kind: ConfigMap, apiVersion: v1, metadata: {name: a}}]\n",
            "same name",
        ),
        (
            " resources: [{kind: ConfigMap, apiVersion: v1, metadata: {name: a}, data: {../x: a}}]\n",
            "cannot have this key",
        ),
        (
            " resources: [{kind: ConfigMap, apiVersion: v1, metadata: {name: a}, data: {a: 1}}]\n",
            "text is expected, not a number",
        ),
        (
            " resources: [{kind: ConfigMap, apiVersion: 1, metadata: {name: a}}]\n",
            "not v1",
        ),
    ] {
        let findings = play(text).unwrap_err();
        assert!(
            findings.iter().any(|finding| finding.cause.contains(cause)),
            "{text}: {}",
            findings[0]
        );
    }
}

#[test]
fn an_image_needs_a_digest_and_a_key_is_not_enough_yet() {
    for (image, level) in [
        ("nginx", Level::Error),
        ("registry.example/signed:1", Level::Limit),
    ] {
        for list in ["containers", "initContainers"] {
            let lines = format!(
                "{list}: [{{name: a, image: \"{image}\"}}]\ncontainers: [{{name: b, image: IMAGE}}]\n"
            );
            let lines = if list == "containers" {
                lines.lines().next().unwrap().to_owned()
            } else {
                lines
            };
            let findings = spec(&lines).unwrap_err();
            assert_eq!(
                (findings[0].level, findings[0].code.to_string().as_str()),
                (level, "HPL06010E")
            );
        }
    }
}
