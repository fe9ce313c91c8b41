#![allow(clippy::unwrap_used)]
use std::process::Command;

use super::kubevirt::{Deployment, Volume};
use super::*;
use crate::qemu::{Console, Disk, Forward, Network};

fn machine(tee: Tee) -> Machine {
    let boots_alone = tee == Tee::Se;
    Machine {
        kernel: "/images/a kernel".into(),
        initramfs: (!boots_alone).then(|| "/images/initramfs".into()),
        command_line: if boots_alone {
            ""
        } else {
            "console=ttyS0 panic=-1"
        }
        .into(),
        tee,
        firmware: tee.needs_firmware().then(|| "/firmware/OVMF.fd".into()),
        memory: 2048,
        cpus: 2,
        seed: Some("/seeds/o'brien.iso".into()),
        disks: vec![
            Disk::new("/data/a,b.img", "data"),
            Disk::scratch("/data/scratch.img"),
        ],
        network: Network::None,
        console: Console::Stdio,
        qmp: None,
    }
}

fn deployment() -> Deployment {
    Deployment {
        name: "web".into(),
        container: "registry.test/hpcr@sha256:00".into(),
        command_line: "console=ttyS0".into(),
        memory: 2048,
        cpus: 1,
        tee: Tee::None,
        user_data: b"env: x\nworkload: y\n".to_vec(),
        network_config: None,
        volumes: vec![Volume {
            serial: "data".into(),
            size: "10Gi".into(),
        }],
        scratch: Some("20Gi".into()),
        storage_class: None,
        ports: vec![443],
    }
}

#[test]
fn a_shell_reads_the_command_line_as_qemu_is_to_see_it() {
    for tee in [Tee::None, Tee::Se, Tee::Snp, Tee::Sev, Tee::Tdx] {
        let mut machine = machine(tee);
        machine.network = Network::User(vec![Forward {
            host: 8080,
            guest: 80,
        }]);
        let line = qemu(&machine, Accelerator::Kvm).unwrap();
        let program = machine.program();
        let arguments = line.strip_prefix(&program).unwrap();
        let said = Command::new("sh")
            .args(["-c", &format!(r"printf '%s\n' {arguments}")])
            .output()
            .unwrap();
        let words: Vec<_> = machine
            .arguments(Accelerator::Kvm)
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect();
        assert_eq!(
            String::from_utf8(said.stdout).unwrap(),
            words.join("\n") + "\n"
        );
    }
}

#[test]
fn a_machine_that_could_not_run_is_refused_with_the_option_that_asks_for_it() {
    type Change = fn(&mut Machine);
    let cases: [(&str, Tee, Change, &str); 11] = [
        (
            "--tee se",
            Tee::Se,
            |m| m.initramfs = Some("/i".into()),
            "x86_64",
        ),
        (
            "--tee",
            Tee::None,
            |m| m.initramfs = None,
            "Secure Execution alone",
        ),
        (
            "--firmware",
            Tee::Snp,
            |m| m.firmware = None,
            "measures the firmware",
        ),
        (
            "--firmware",
            Tee::None,
            |m| m.firmware = Some("/f".into()),
            "without one",
        ),
        (
            "--data",
            Tee::None,
            |m| m.disks[0].serial = "a-serial-of-21-bytes-".into(),
            "longer than the 20",
        ),
        (
            "--data",
            Tee::None,
            |m| m.disks[0].serial = "hpcr-scratch".into(),
            "twice",
        ),
        (
            "--data",
            Tee::None,
            |m| m.disks[0].serial = "cidata".into(),
            "seed disk",
        ),
        (
            "--data",
            Tee::None,
            |m| m.disks[0].serial = "a,b".into(),
            "letters",
        ),
        (
            "--data",
            Tee::None,
            |m| m.disks[0].serial = String::new(),
            "letters",
        ),
        (
            "a path",
            Tee::None,
            |m| m.seed = Some("/a\nb".into()),
            "not plain text",
        ),
        (
            "a path",
            Tee::None,
            |m| m.seed = Some("seed.iso".into()),
            "relative",
        ),
    ];
    for (option, tee, change, cause) in cases {
        let mut machine = machine(tee);
        change(&mut machine);
        let error = libvirt::domain("web", &machine, None)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("{option}: ")) && error.contains(cause),
            "{error}"
        );
        // QEMU has a current folder.
        if cause != "relative" {
            let error = qemu(&machine, Accelerator::Kvm).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
        }
    }
    let emulated = Accelerator::Tcg { broken_cx16: false };
    assert!(qemu(&machine(Tee::None), emulated).is_ok());
    assert!(
        qemu(&machine(Tee::Snp), emulated)
            .unwrap_err()
            .to_string()
            .contains("--accelerator")
    );
}

#[test]
fn a_machine_without_memory_processor_or_files_of_its_own_is_refused() {
    type Change = fn(&mut Machine);
    let cases: [(Change, &str); 4] = [
        (|m| m.memory = 511, "--memory: 511 MiB are too little"),
        (|m| m.cpus = 0, "--cpus: "),
        (
            |m| m.disks[1].path = m.disks[0].path.clone(),
            "--data: /data/a,b.img is there for two disks",
        ),
        (
            |m| m.seed = Some(m.disks[0].path.clone()),
            "--data: /data/a,b.img is there for two disks",
        ),
    ];
    for (change, told) in cases {
        let mut machine = machine(Tee::None);
        change(&mut machine);
        for made in [
            libvirt::domain("web", &machine, None),
            qemu(&machine, Accelerator::Kvm),
        ] {
            let error = made.unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}

#[test]
fn names_that_libvirt_or_kubernetes_would_refuse_are_refused() {
    for name in ["", "Web", "1web", "web-", "a/b", "a_b", &"a".repeat(64)] {
        let error = libvirt::domain(name, &machine(Tee::None), None).unwrap_err();
        assert!(error.to_string().starts_with("--name: "), "{error}");
    }
    assert!(libvirt::domain(&"a".repeat(63), &machine(Tee::None), None).is_ok());
}

#[test]
fn a_domain_has_no_more_disks_than_names_for_them() {
    let mut machine = machine(Tee::None);
    machine.disks = (0..26)
        .map(|n| Disk::new(format!("/d{n}"), format!("d{n}")))
        .collect();
    let error = libvirt::domain("web", &machine, None).unwrap_err();
    assert!(error.to_string().contains("27 disks"), "{error}");
    machine.disks.pop();
    let text = libvirt::domain("web", &machine, None).unwrap();
    assert!(text.contains("<target dev='vdz' bus='virtio'/>"), "{text}");
}

#[test]
fn a_deployment_that_could_not_run_is_refused_with_the_option_that_asks_for_it() {
    type Change = fn(&mut Deployment);
    let cases: [(&str, Change, &str); 13] = [
        ("--name", |d| d.name = "Web".into(), "guest's name"),
        ("--container", |d| d.container = "a b".into(), "reference"),
        ("--data", |d| d.volumes[0].size = "10GB".into(), "no size"),
        ("--data", |d| d.volumes[0].size = "0Gi".into(), "no size"),
        ("--scratch", |d| d.scratch = Some("-1Gi".into()), "no size"),
        ("--memory", |d| d.memory = 511, "too little"),
        ("--cpus", |d| d.cpus = 0, "processor"),
        ("--publish", |d| d.ports = vec![80, 443, 80], "twice"),
        ("--publish", |d| d.ports = vec![0], "no port"),
        (
            "--network-config",
            |d| d.network_config = Some(b"garbage: [".to_vec()),
            "network-config:1",
        ),
        (
            "--data",
            |d| d.volumes[0].serial = "data-".into(),
            "Kubernetes name",
        ),
        (
            "--data",
            |d| {
                d.volumes[0].serial = "a_b".into();
                d.volumes.push(Volume {
                    serial: "a-b".into(),
                    size: "1Gi".into(),
                });
            },
            "Kubernetes name",
        ),
        (
            "--user-data",
            |d| d.user_data = vec![b'x'; (1 << 20) + 1],
            "1048577 bytes",
        ),
    ];
    for (option, change, cause) in cases {
        let mut deployment = deployment();
        change(&mut deployment);
        let error = deployment.manifests().unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{option}: ")) && error.contains(cause),
            "{error}"
        );
    }
}

#[test]
fn the_contract_stands_in_the_secret_alone_and_what_is_printed_reads_back() {
    let deployment = deployment();
    let text = deployment.to_yaml().unwrap();
    let documents: Vec<_> = text.split("---\n").skip(1).collect();
    let manifests = deployment.manifests().unwrap();
    assert_eq!(documents.len(), manifests.len());
    for (document, manifest) in documents.iter().zip(&manifests) {
        let code = hpcr_contract::messages::NETWORK_FAILED;
        let read = hpcr_contract::yaml::Document::parse(document, "manifests", code).unwrap();
        assert_eq!(&read.to_json(), manifest);
        let holds = document.contains("ZW52OiB4Cndvcmtsb2FkOiB5Cg==");
        assert_eq!(holds, manifest["kind"] == "Secret", "{document}");
    }
}
