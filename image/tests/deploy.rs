//! What `deploy` prints is held against the schemas of those who take it: libvirt's own, out of Debian's package, and
//! KubeVirt's published API, out of its TypeScript package.
//!
//! Both are fetched when the test runs, by apt and npm, and kept in `target/`. Where one cannot be had, the test says so
//! and skips.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hpcr_image::deploy::kubevirt::{Deployment, Volume};
use hpcr_image::deploy::libvirt;
use hpcr_image::packages::PrivateRoot;
use hpcr_image::qemu::{Console, Disk, Machine, Network, Tee};

const EVERY_TEE: [Tee; 5] = [Tee::None, Tee::Se, Tee::Snp, Tee::Sev, Tee::Tdx];
/// The suite of the image, and one whose libvirt knows TDX.
const SUITES: [&str; 2] = ["trixie", "sid"];
const KUBEVIRT_API: &str = "@kubevirt-ui-ext/kubevirt-api@1.7.0";
const TYPESCRIPT: &str = "typescript@5.9.3";

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")
}

fn machine(tee: Tee) -> Machine {
    let boots_alone = tee == Tee::Se;
    let command_line = if boots_alone {
        ""
    } else {
        "console=ttyS0 panic=-1"
    };
    Machine {
        kernel: "/images/vmlinuz & more".into(),
        initramfs: (!boots_alone).then(|| "/images/initramfs".into()),
        command_line: command_line.into(),
        tee,
        firmware: tee.needs_firmware().then(|| "/firmware/OVMF.fd".into()),
        memory: 4096,
        cpus: 2,
        seed: Some("/seeds/seed.iso".into()),
        disks: vec![
            Disk::new("/dev/vg/data", "data"),
            Disk::scratch("/disks/scratch.img"),
        ],
        network: Network::None,
        console: Console::Stdio,
        qmp: None,
    }
}

/// The folder of libvirt's schemas of a suite.
fn libvirt_schema(suite: &str) -> hpcr_image::Result<PathBuf> {
    let root = PrivateRoot::open_of_any_age(&target().join("schemas"), suite)?;
    let package = root.fetch(&["libvirt-common"])?.remove(0);
    Ok(root.unpacked(&package)?.join("usr/share/libvirt/schemas"))
}

#[test]
fn every_domain_is_one_by_libvirts_own_schema() {
    if Command::new("xmllint").arg("--version").output().is_err() {
        eprintln!("skipped: no xmllint; make setup brings it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut judged = 0;
    for suite in SUITES {
        let schema = match libvirt_schema(suite) {
            Ok(folder) => folder.join("domain.rng"),
            Err(error) => {
                eprintln!("skipped for {suite}: libvirt's schema cannot be had: {error}");
                continue;
            }
        };
        let knows = |tee| {
            let common = fs::read_to_string(schema.with_file_name("domaincommon.rng")).unwrap();
            tee != Tee::Tdx || common.contains("<value>tdx</value>")
        };
        for tee in EVERY_TEE.into_iter().filter(|tee| knows(*tee)) {
            let text = libvirt::domain("web", &machine(tee), Some("default")).unwrap();
            assert_eq!(lint(&schema, &text, folder.path()), None, "{suite}: {text}");
            let broken = text.replace("<memballoon model='none'/>", "<memballoon model='no'/>");
            assert!(
                lint(&schema, &broken, folder.path()).is_some(),
                "the schema judges nothing"
            );
            judged += 1;
        }
    }
    eprintln!("{judged} domains were judged");
}

/// What xmllint says against a domain.
fn lint(schema: &Path, domain: &str, folder: &Path) -> Option<String> {
    let file = folder.join("domain.xml");
    fs::write(&file, domain).unwrap();
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--relaxng"])
        .args([schema, &file])
        .output()
        .unwrap();
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).into_owned())
}

const NETWORK: &[u8] = b"network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n";

fn deployment(tee: Tee) -> Deployment {
    Deployment {
        name: "web".into(),
        container: "registry.test/hpcr@sha256:00".into(),
        command_line: if tee == Tee::Se { "" } else { "console=ttyS0" }.into(),
        memory: 4096,
        cpus: 2,
        tee,
        user_data: b"env: x\n".to_vec(),
        network_config: Some(NETWORK.to_vec()),
        volumes: vec![Volume {
            serial: "data".into(),
            size: "10Gi".into(),
        }],
        scratch: Some("20Gi".into()),
        storage_class: Some("fast".into()),
        ports: vec![443],
    }
}

/// The folder with KubeVirt's API and a TypeScript compiler; `None` where npm or its registry is not there.
fn kubevirt_api() -> Option<PathBuf> {
    let folder = target().join("kubevirt-api");
    if folder.join("node_modules/.bin/tsc").exists() {
        return Some(folder);
    }
    fs::create_dir_all(&folder).unwrap();
    let output = Command::new("npm")
        .args([
            "install",
            "--silent",
            "--no-save",
            "--ignore-scripts",
            "--prefix",
        ])
        .arg(&folder)
        .args([KUBEVIRT_API, TYPESCRIPT])
        .output();
    match output {
        Ok(output) if output.status.success() => Some(folder),
        Ok(output) => {
            eprintln!("skipped: npm: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        Err(error) => {
            eprintln!("skipped: npm: {error}");
            None
        }
    }
}

/// The interface of the published API that a manifest is an object of.
fn interface(kind: &str) -> &'static str {
    match kind {
        "VirtualMachine" => "kubevirt.V1VirtualMachine",
        "Secret" => "kubernetes.IoK8sApiCoreV1Secret",
        "PersistentVolumeClaim" => "kubernetes.IoK8sApiCoreV1PersistentVolumeClaim",
        "Service" => "kubernetes.IoK8sApiCoreV1Service",
        other => panic!("no interface is known for {other}"),
    }
}

/// What the compiler says of manifests that are written as literals of the API's interfaces: for a literal, a field that
/// the interface does not have is an error like one of another type.
fn compile(folder: &Path, name: &str, manifests: &[serde_json::Value]) -> String {
    let imports = ["kubevirt", "kubernetes"].map(|module| {
        format!("import type * as {module} from '@kubevirt-ui-ext/kubevirt-api/{module}';\n")
    });
    let literals = manifests.iter().enumerate().map(|(index, manifest)| {
        let interface = interface(manifest["kind"].as_str().unwrap());
        format!("export const m{index}: {interface} = {manifest:#};\n")
    });
    let source: String = imports.into_iter().chain(literals).collect();
    let file = folder.join(name).with_extension("ts");
    fs::write(&file, source).unwrap();
    let output = Command::new(folder.join("node_modules/.bin/tsc"))
        .args([
            "--noEmit",
            "--strict",
            "--skipLibCheck",
            "--module",
            "nodenext",
        ])
        .arg(&file)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_manifest_is_one_of_kubevirts_published_api() {
    let Some(folder) = kubevirt_api() else {
        return;
    };
    let manifests: Vec<_> = EVERY_TEE
        .into_iter()
        .flat_map(|tee| deployment(tee).manifests().unwrap())
        .collect();
    assert_eq!(compile(&folder, "manifests", &manifests), "");

    let mut unknown = manifests.last_chunk::<2>().unwrap()[0].clone();
    unknown["spec"]["template"]["spec"]["domain"]["devices"]["ballon"] = true.into();
    let said = compile(&folder, "unknown", &[unknown]);
    assert!(
        said.contains("ballon"),
        "the compiler judges nothing: {said}"
    );
}
