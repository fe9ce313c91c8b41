#![allow(clippy::unwrap_used)]

use super::*;
use crate::finding::Level;
use crate::plan::Mount;

#[test]
fn no_mount_leads_to_the_appliance() {
    for source in [
        "/",
        "/dev",
        "/etc",
        "/proc/1",
        "/run",
        "/mnt",
        "/mnt/database",
        "/mnt/data/../..",
        "/mnt/data/../../etc",
        "/var",
        "/var/hyperprotect/..",
        "/dev/mapper/data",
        "~/x",
        "../x",
        "./../x",
        "named",
        "./none",
        "conf",
        ".hidden",
        "$EMPTY/etc",
    ] {
        assert!(
            service(&format!("volumes: [\"{source}:/x\"]")).is_err(),
            "{source}"
        );
        let long = format!("volumes: [{{type: bind, source: \"{source}\", target: /x}}]");
        assert!(service(&long).is_err(), "{source}");
    }
    for lines in [
        "volumes: [/data]",
        "volumes: [\"/mnt/data:/x:shared\"]",
        "volumes: [\"/mnt/data:/x:ro:rw\"]",
        "volumes: [{type: volume, source: data, target: /x}]",
        "volumes: [{type: tmpfs, target: /x, tmpfs: {size: 0}}]",
        "volumes: [{type: bind, source: /mnt/data, target: /x, tmpfs: {size: 1}}]",
        "volumes: [{type: bind, source: /mnt/data, target: /x, bind: {propagation: shared}}]",
        "volumes: [{type: bind, target: /x}]",
        "volumes: [\"/mnt/data:/x\", \"/mnt/data:/y/../x\"]",
        "volumes: [\"/mnt/data:/x\", \"./conf:/x/\"]",
        "volumes: [\"/mnt/data:/\"]",
        "volumes: [\"/mnt/data:/proc/sys\"]",
        "volumes: [\"/mnt/data:/sys\"]",
        "volumes: [\"/mnt/data:/dev\"]",
        "volumes: [\"/mnt/data:relative\"]",
    ] {
        assert!(service(lines).is_err(), "{lines}");
    }
}

#[test]
fn the_attestation_record_is_read_only_whatever_is_asked() {
    let service = service("volumes: [\"/var/hyperprotect/se-checksums.txt:/x:rw\"]").unwrap();
    assert!(matches!(
        &service.mounts[0],
        Mount::Bind {
            read_only: true,
            ..
        }
    ));
}

/// What is told of data that would be lost, for one service with these lines; nothing stops it.
fn lost(lines: &str) -> Vec<String> {
    let text = format!(
        "services:\n  web:\n    image: {IMAGE}\n    {}\n",
        lines.replace('\n', "\n    ")
    );
    let (volumes, variables) = (["/mnt/data".to_owned()], variables());
    let given = Given {
        variables: &variables,
        is_open: false,
        volumes: &volumes,
        signed: &[],
    };
    let (workload, findings) = read(archive(&text), &given, &Place::default());
    assert!(workload.is_some(), "{lines}: {findings:?}");
    let lost = findings
        .iter()
        .filter(|finding| finding.code == messages::DATA_LOST);
    lost.map(|finding| {
        assert!(!finding.to_string().contains("hunter2"));
        let about = finding.cause.split(" names ").next().unwrap();
        let note = if finding.level == Level::Note {
            "note "
        } else {
            ""
        };
        format!("{note}{}: {about}", finding.place.path)
    })
    .collect()
}

#[test]
fn data_that_would_be_lost_at_power_off_is_told() {
    let temporary = "programs keep their data at such a path, and here it is gone at power-off";
    for (lines, expected) in [
        ("tmpfs: /run", vec![]),
        (
            "tmpfs: [/var/lib/nginx/tmp, /var/cache/x, /home/web/.cache]",
            vec![],
        ),
        (
            "tmpfs: [/tmp, /var/lib/postgresql]",
            vec![format!("services.web.tmpfs[1]: {temporary}")],
        ),
        (
            "tmpfs: /var/lib/postgresql\nread_only: true",
            vec![format!("note services.web.tmpfs: {temporary}")],
        ),
        (
            "volumes: [{type: tmpfs, target: /data/db}]",
            vec![format!("services.web.volumes[0]: {temporary}")],
        ),
        (
            "environment: {PGDATA: /mnt/data/pg, OTHER: /mnt/database, KEY: hunter2}",
            vec!["services.web: its variable PGDATA".to_owned()],
        ),
        (
            "environment: {PGDATA: /mnt/data/pg}\nvolumes: [\"/mnt/data:/mnt/data\"]",
            vec![],
        ),
        (
            "environment: {PGDATA: /mnt/data/pg}\nvolumes: [\"/mnt/data:/data\"]",
            vec!["services.web: its variable PGDATA".to_owned()],
        ),
        (
            "command: serve --dir=/mnt/data/web",
            vec!["services.web: its command".to_owned()],
        ),
        (
            "working_dir: /mnt/data",
            vec!["services.web: its working directory".to_owned()],
        ),
    ] {
        assert_eq!(lost(lines), expected, "{lines}");
    }
}
