#![allow(clippy::unwrap_used)]

use super::*;
use crate::secret::ExposeSecret as _;
use crate::testing::{self, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A compose archive with one service and these further lines.
fn archive(lines: &str) -> String {
    let compose = format!("services:\n  web:\n    image: ${{REGISTRY}}/web@{DIGEST}\n{lines}");
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(compose.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, "docker-compose.yml", compose.as_bytes())
        .unwrap();
    STANDARD.encode(tar.into_inner().unwrap().finish().unwrap())
}

fn indented(pem: &[u8]) -> String {
    let text = String::from_utf8_lossy(pem);
    let lines: Vec<_> = text.lines().map(|line| format!("      {line}\n")).collect();
    lines.concat()
}

/// A workload section around these further lines.
fn workload_text(lines: &str) -> String {
    format!(
        "type: workload\ncompose: {{archive: {}}}\n{lines}",
        archive("")
    )
}

/// A certificate authority for collectors, base64 of PEM.
static AUTHORITY: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
    let pair = KeyPair::rsa(2048);
    STANDARD.encode(testing::certificate(&pair, 0, 2_000_000_000))
});

/// An env section around these further lines.
fn env_text(lines: &str) -> String {
    let authority = &*AUTHORITY;
    format!(
        "type: env\nlogging: {{syslog: {{hostname: logs.example, server: {authority}}}}}\n{lines}"
    )
}

fn plan(workload: &str, env: &str) -> Result<Plan, Vec<Finding>> {
    let evidence = Evidence {
        workload: [1; 32],
        env: [2; 32],
        auditor: None,
    };
    let document = |text: &str, name: &str| {
        Document::parse(text, name, messages::SCHEMA_PARSE_CONTRACT).unwrap()
    };
    let documents = (document(workload, "workload"), document(env, "env"));
    let workload = Part {
        section: &documents.0.read::<WorkloadSection>().unwrap(),
        document: &documents.0,
        unpacked: &Unpacked::default(),
    };
    let env = Part {
        section: &documents.1.read::<EnvSection>().unwrap(),
        document: &documents.1,
        unpacked: &Unpacked::default(),
    };
    build(Product::Ccrt, &workload, &env, Some(7), evidence)
}

/// Code and place of everything that is wrong.
fn refused(workload: &str, env: &str) -> Vec<String> {
    let told = plan(workload, env).unwrap_err();
    assert!(
        told.iter()
            .all(|finding| !finding.to_string().contains("hunter2")),
        "{told:?}"
    );
    told.iter()
        .map(|finding| {
            format!(
                "{} {} at {}",
                finding.code, finding.place.file, finding.place.path
            )
        })
        .collect()
}

#[test]
fn the_workload_wins_where_both_parties_speak() {
    let plan = plan(
        &workload_text(
            "env: {REGISTRY: workload.example}\nauths:\n  docker.io: {username: work, password: hunter2}\n",
        ),
        &env_text(concat!(
            "env: {REGISTRY: env.example, OTHER: x}\nauths:\n",
            "  https://index.docker.io/v1/: {username: env, password: hunter2}\n  env.example: {username: env, password: hunter2}\n",
        )),
    )
    .unwrap();
    assert_eq!(plan.workload.services[0].image.registry, "workload.example");
    let users: Vec<_> = plan
        .registries
        .iter()
        .map(|(host, auth)| (host.as_str(), auth.username.as_str()))
        .collect();
    assert_eq!(users, [("docker.io", "work"), ("env.example", "env")]);
    assert_eq!((plan.expires, plan.evidence.env), (Some(7), [2; 32]));
    assert!(!format!("{plan:?}").contains("hunter2"));
}

#[test]
fn a_plan_prints_no_command_and_no_file() {
    let compose = archive("    command: [\"--password=${PASSWORD}\"]\n");
    let workload = format!(
        "type: workload\ncompose: {{archive: {compose}}}\nenv: {{REGISTRY: r.example, PASSWORD: hunter2}}\n"
    );
    let plan = plan(&workload, &env_text("")).unwrap();
    let command = plan.workload.services[0].command.as_deref();
    assert_eq!(command, Some(&["--password=hunter2".to_owned()][..]));
    assert!(!format!("{plan:?}").contains("hunter2"));
}

#[test]
fn a_volume_opens_its_mount_path_to_the_containers() {
    let compose = archive("    volumes: [\"/mnt/data/www:/srv\"]\n");
    let workload = |volumes: &str| {
        format!(
            "type: workload\ncompose: {{archive: {compose}}}\nenv: {{REGISTRY: r.example}}\n{volumes}"
        )
    };
    let with = plan(
        &workload("volumes: {data: {seed: hunter2-hunter2-1}}\n"),
        &env_text("volumes: {data: {seed: hunter2-hunter2-1}}\n"),
    );
    assert_eq!(with.unwrap().workload.services[0].mounts.len(), 1);
    assert_eq!(
        refused(&workload(""), &env_text("")),
        ["HPL06009E docker-compose.yml at services.web.volumes[0]"]
    );
}

#[test]
fn what_cannot_be_honoured_stops_the_contract_by_name() {
    for (workload, env, expected) in [
        (
            "type: workload\nconfidential-containers: {}\n".to_owned(),
            env_text(""),
            "workload at confidential-containers",
        ),
        (
            workload_text("env: {REGISTRY: r.example}\n"),
            env_text("confidential-containers: {}\n"),
            "env at confidential-containers",
        ),
        (
            workload_text("env: {REGISTRY: r.example}\n"),
            "type: env\nlogging: {logDNA: {ingestionKey: hunter2}}\n".to_owned(),
            "env at logging.logDNA",
        ),
        ("type: workload\n".to_owned(), env_text(""), "workload at "),
        (
            workload_text("env: {REGISTRY: r.example}\n"),
            "type: env\n".to_owned(),
            "env at ",
        ),
        (
            workload_text(
                "env: {REGISTRY: r.example}\nauths: {docker.io: &a {username: a, password: b}}\n",
            )
            .replace("&a ", ""),
            env_text(
                "auths: {docker.io: {username: a, password: b}, index.docker.io: {username: a, password: b}}\n",
            ),
            "env at auths.index.docker.io",
        ),
        (
            workload_text("env: {REGISTRY: r.example}\n"),
            env_text("cacerts: [{one: aHVudGVyMg==}]\n"),
            "env at cacerts[0].one",
        ),
    ] {
        assert_eq!(refused(&workload, &env), [format!("HPL05001E {expected}")]);
    }
}

/// An env section with a syslog sink of these keys.
fn syslog(keys: &[(&str, &[u8])]) -> String {
    let mut text = "type: env\nlogging:\n  syslog:\n    hostname: logs.example\n".to_owned();
    for (key, pem) in keys {
        text += &["    ", key, ": |\n", &indented(pem)].concat();
    }
    text
}

#[test]
fn a_syslog_sink_is_read_with_its_certificates_and_default_port() {
    let pair = KeyPair::rsa(2048);
    let certificate = testing::certificate(&pair, 10, 20);
    let in_base64 = STANDARD.encode(&certificate);
    let env = syslog(&[
        ("server", in_base64.as_bytes()),
        ("cert", &certificate),
        ("key", &pair.private_pem),
    ]);
    let plan = plan(&workload_text("env: {REGISTRY: r.example}\n"), &env).unwrap();
    let syslog = plan.logging;
    assert_eq!((syslog.host.as_str(), syslog.port), ("logs.example", 6514));
    assert_eq!(syslog.authorities, certificate);
    let client = syslog.client.unwrap();
    assert_eq!(
        (client.certificate, client.key.expose_secret().as_bytes()),
        (certificate, &pair.private_pem[..])
    );
}

#[test]
fn a_syslog_sink_that_cannot_work_is_refused_under_its_own_code() {
    let (pair, other) = (KeyPair::rsa(2048), KeyPair::rsa(2048));
    let certificate = testing::certificate(&pair, 10, 20);
    let key = &pair.private_pem;
    for (keys, expected) in [
        (
            &[("server", &b"hunter2"[..])][..],
            "HPL01005E env at logging.syslog.server",
        ),
        (&[("server", key)], "HPL01007E env at logging.syslog.server"),
        (
            &[("server", &certificate), ("cert", &certificate)],
            "HPL01009E env at logging.syslog.cert",
        ),
        (
            &[("server", &certificate), ("key", key)],
            "HPL01008E env at logging.syslog.key",
        ),
        (
            &[("server", &certificate), ("cert", b"hunter2"), ("key", key)],
            "HPL01005E env at logging.syslog.cert",
        ),
        (
            &[("server", &certificate), ("cert", key), ("key", key)],
            "HPL01008E env at logging.syslog.cert",
        ),
        (
            &[
                ("server", &certificate),
                ("cert", &certificate),
                ("key", &certificate),
            ],
            "HPL01006E env at logging.syslog.key",
        ),
        (
            &[
                ("server", &certificate),
                ("cert", &certificate),
                ("key", &other.private_pem),
            ],
            "HPL01009E env at logging.syslog.key",
        ),
    ] {
        assert_eq!(
            refused(
                &workload_text("env: {REGISTRY: r.example}\n"),
                &syslog(keys)
            ),
            [expected]
        );
    }
    let wrong_host =
        syslog(&[("server", &certificate)]).replace("logs.example", "https://hunter2/");
    assert_eq!(
        refused(&workload_text("env: {REGISTRY: r.example}\n"), &wrong_host),
        ["HPL05001E env at logging.syslog.hostname"]
    );
}

#[test]
fn everything_wrong_in_every_part_is_told_at_once() {
    let found = refused(
        &workload_text("volumes: {a: {seed: hunter2-hunter2-1}}\nconfidential-containers: {}\n"),
        "type: env\ncacerts: [{one: hunter2}]\n",
    );
    assert_eq!(found.len(), 6, "{found:?}");
}

#[test]
fn a_finding_tells_the_line_of_its_section() {
    let findings = plan(
        &workload_text("env: {REGISTRY: r.example}\nvolumes:\n  a:\n    seed: hunter2-hunter2-1\n    mount: /etc\n"),
        &env_text("volumes:\n  a: {seed: hunter2-hunter2-1}\n"),
    )
    .unwrap_err();
    assert_eq!(
        findings[0].place.to_string(),
        "workload:7:12 at volumes.a.mount"
    );
}

mod determinism;
mod volumes;

#[test]
fn each_party_can_forbid_privileges() {
    let workload = |policy: &str, lines: &str| {
        format!(
            "type: workload\nenv: {{REGISTRY: r.example}}\ncompose: {{archive: {}}}\n{policy}",
            archive(lines)
        )
    };
    let privileged = "    privileged: true\n";
    let consent = |workload: &str, env: &str| -> Vec<String> {
        let told = refused(workload, env).into_iter();
        told.filter(|told| told.starts_with("HPL12100E")).collect()
    };
    let forbidden = env_text("workloadPolicy: {privileged: false}\n");
    for lines in [privileged, "    cap_add: [SYS_ADMIN]\n"] {
        assert_eq!(
            consent(&workload("", lines), &forbidden),
            ["HPL12100E env at workloadPolicy.privileged"],
            "{lines}"
        );
    }
    assert_eq!(
        consent(
            &workload("envPolicy: {privileged: false}\n", "    cap_add: [BPF]\n"),
            &forbidden
        ),
        [
            "HPL12100E workload at envPolicy.privileged",
            "HPL12100E env at workloadPolicy.privileged",
        ]
    );
    assert!(plan(&workload("", "    cap_add: [NET_ADMIN]\n"), &forbidden).is_ok());
    let allowed = env_text("workloadPolicy: {privileged: true}\n");
    for env in [env_text(""), allowed] {
        assert!(plan(&workload("", privileged), &env).is_ok());
    }
}
