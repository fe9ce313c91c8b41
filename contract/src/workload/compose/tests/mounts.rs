#![allow(clippy::unwrap_used)]

use super::*;
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
