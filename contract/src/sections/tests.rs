#![allow(clippy::unwrap_used)]

use super::env::EnvSection;
use super::workload::WorkloadSection;
use crate::messages::SCHEMA_PARSE_CONTRACT;
use crate::yaml::Document;

fn document(text: &str) -> Document {
    Document::parse(text, "section", SCHEMA_PARSE_CONTRACT).unwrap()
}

#[test]
fn full_sections_are_read_and_print_no_secret() {
    let env: EnvSection = document(concat!(
        "type: env\nlogging:\n  syslog: {hostname: logs.example, port: 6514, server: CA, cert: C, key: hunter2}\n",
        "  logDNA: {ingestionKey: hunter2}\n",
        "volumes:\n  data: {seed: hunter2-hunter2, volumeID: 0717-1, kms: [{apiKey: hunter2}]}\n",
        "auths:\n  docker.io: {username: puller, password: hunter2}\ncontractId: hunter2-hunter2-hunter2\n",
        "cacerts: [{registry: Q0E=}]\nenv: {REGISTRY: hunter2}\nsigningKey: LS0t\n",
    ))
    .read()
    .unwrap();
    let logging = env.logging.as_ref().unwrap();
    let syslog = logging.syslog.as_ref().unwrap();
    assert_eq!(
        (syslog.hostname.as_str(), syslog.port),
        ("logs.example", Some(6514))
    );
    assert!(logging.log_dna.is_some());
    assert!(env.volumes["data"].kms.is_some() && env.volumes["data"].grep11.is_none());

    let workload: WorkloadSection = document(concat!(
        "type: workload\ncompose:\n  archive: H4sI\n",
        "env: {REGISTRY: hunter2}\n",
        "auths:\n  registry.example:5000: {username: puller, password: hunter2}\n",
        "images: {rhs: {registry.example/web: {publicKey: a2V5}}}\n",
        "volumes:\n  data: {seed: hunter2-hunter2, previousSeed: hunter2-hunter1, mount: /mnt/data, filesystem: xfs, create: never}\n",
        "envPolicy: {environment: [A], privileged: false}\nsomething-of-tomorrow: {}\n",
    ))
    .read()
    .unwrap();
    assert_eq!(workload.compose.as_ref().unwrap().archive, "H4sI");
    assert_eq!(workload.volumes["data"].mount.as_deref(), Some("/mnt/data"));
    assert_eq!(workload.images.rhs.len(), 1);
    let policy = workload.env_policy.as_ref().unwrap();
    assert_eq!((policy.privileged, &policy.signers), (Some(false), &None));
    assert!(workload.play.is_none());
    assert!(!format!("{env:?}{workload:?}").contains("hunter"));
}

#[test]
fn what_has_another_shape_is_refused_at_its_place() {
    fn place<T: serde::de::DeserializeOwned>(text: &str) -> String {
        let finding = document(text).read::<T>().map(drop).unwrap_err();
        finding.place.to_string()
    }
    for (text, expected) in [
        (
            "logging: {syslog: {hostname: a, server: b, port: \"6514\"}}\n",
            "section:1:50 at logging.syslog.port",
        ),
        (
            "logging: {logRouter: {hostname: a, iamApiKey: b, tag: []}}\n",
            "section:1:50 at logging.logRouter.tag",
        ),
        ("env: {PORT: 80}\n", "section:1:13 at env.PORT"),
    ] {
        assert_eq!(place::<EnvSection>(text), expected);
    }
    for (text, expected) in [
        (
            "compose: {archive: x, file: y}\n",
            "section:1:23 at compose.file",
        ),
        (
            "volumes: {data: {seed: 42}}\n",
            "section:1:24 at volumes.data.seed",
        ),
        (
            "volumes: {data: {seed: a, seeed: b}}\n",
            "section:1:27 at volumes.data.seeed",
        ),
        ("auths: {r: {username: a}}\n", "section:1:12 at auths.r"),
    ] {
        assert_eq!(place::<WorkloadSection>(text), expected);
    }
}

#[test]
fn what_will_be_refused_by_name_counts_also_when_it_is_empty() {
    let section: WorkloadSection = document("play:\n").read().unwrap();
    assert!(section.play.is_some());
}
