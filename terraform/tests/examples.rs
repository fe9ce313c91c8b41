//! Every example, applied by the real Terraform with this provider as far as it goes without a cloud, a hypervisor or a
//! cluster. The guest of `local-qemu` is booted by the appliance's own tests.
//!
//! What comes out is opened with the openssl command line. Where there is no Terraform, the tests say so and skip.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpcr_contract::yaml::Document;
use hpcr_image::manifest::{CERTIFICATE, FILE};
use rig::certificates::{Authority, Identity};
use rig::recipe;
use rig::terraform::{Project, is_here};
use serde_json::{Value, json};

const SEED: &str = "the-workload-providers-seed";
const ENV_SEED: &str = "the-deployers-seed";
const ROOT: &str = "0123456789abcdef0123456789abcdef";
const PASSWORD: &str = "the-registrys-password";

/// What users bring along: an image, whose key the test has; a signing key, a collector.
struct Given {
    folder: tempfile::TempDir,
    image: Identity,
    signing_key: String,
    collector: Value,
}

impl Given {
    /// `None` where there is no Terraform.
    fn new() -> Option<Self> {
        if !is_here() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let image = recipe::receiver(folder.path(), "image").unwrap();
        fs::copy(&image.certificate, folder.path().join(CERTIFICATE)).unwrap();
        let description = json!({
            "version": "0", "kind": "development", "architecture": "x86_64", "built": 0, "suite": "trixie",
            "kernelRelease": "6", "commandLine": "console=ttyS0 quiet", "parts": {}, "packages": [], "files": {},
        });
        fs::write(folder.path().join(FILE), description.to_string()).unwrap();
        let key = folder.path().join("signing.key");
        recipe::signing_key(&key).unwrap();
        let authority = Authority::new(folder.path(), "authority").unwrap();
        let client = authority.issue("guest.test", &[]).unwrap();
        let collector = json!({
            "hostname": "collector.test", "port": 6514, "server": text(authority.certificate()),
            "cert": text(&client.certificate), "key": text(&client.key),
        });
        Some(Self {
            signing_key: text(&key),
            folder,
            image,
            collector,
        })
    }

    fn project(&self, name: &str) -> Project {
        Project::of_example(self.folder.path(), name).unwrap()
    }

    fn image_folder(&self) -> &Path {
        self.folder.path()
    }

    fn secrets(&self) -> Value {
        json!({
            "signing_key": self.signing_key, "workload_seed": SEED, "env_seed": ENV_SEED, "collector": self.collector,
            "auths": {"registry.test": {"username": "puller", "password": PASSWORD}},
        })
    }

    /// The two sections of a contract, opened with the image's key.
    fn sections(&self, user_data: &str) -> [String; 2] {
        ["workload", "env"].map(|name| {
            let line = user_data
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{name}: ")));
            let token = line.unwrap().trim_matches(['"', '\'']);
            String::from_utf8(recipe::open(token, &self.image.key).unwrap()).unwrap()
        })
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Applies twice: the second plan is empty. No state holds a secret.
fn apply(project: &Project) {
    project.validate().unwrap();
    project.apply().unwrap();
    assert!(
        project.is_settled().unwrap(),
        "the second plan is not empty"
    );
    let state = project.state().unwrap();
    for secret in [SEED, ENV_SEED, ROOT, PASSWORD, "PRIVATE KEY"] {
        assert!(!state.contains(secret), "{secret} stands in the state");
    }
}

fn output(project: &Project, name: &str) -> String {
    project.output(name).unwrap().as_str().unwrap().to_owned()
}

/// The documents of a YAML stream.
fn documents(stream: &str) -> Vec<Value> {
    let documents = stream.split("---\n").filter(|part| !part.is_empty());
    let code = hpcr_contract::messages::NETWORK_FAILED;
    documents
        .map(|part| Document::parse(part, "manifests", code).unwrap().to_json())
        .collect()
}

fn of_kind<'d>(documents: &'d [Value], kind: &str) -> &'d Value {
    documents.iter().find(|one| one["kind"] == kind).unwrap()
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

#[test]
fn every_example_has_its_line_and_is_written_as_terraform_writes_it() {
    let page = text(&examples().join("README.md"));
    for entry in fs::read_dir(examples()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            assert!(
                page.contains(&format!("| [{name}]({name}) |")),
                "{name} has no line"
            );
        }
    }
    if is_here() {
        for folder in [examples(), examples().with_file_name("modules")] {
            let output = Command::new("terraform")
                .args(["fmt", "-check", "-recursive"])
                .arg(folder)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stdout)
            );
        }
    }
}

#[test]
fn the_libvirt_example_makes_a_domain_whose_seed_opens_with_the_images_key_alone() {
    let Some(given) = Given::new() else { return };
    let project = given.project("libvirt");
    project
        .set(&json!({
            "image": given.image_folder(), "folder": given.image_folder(), "tee": "snp", "firmware": "/OVMF.fd",
            "secrets": given.secrets(), "environment": {"GREETING": "hello"},
        }))
        .unwrap();
    apply(&project);
    let domain = output(&project, "domain");
    for part in [
        "<launchSecurity type='sev-snp' kernelHashes='yes'>",
        "<serial>data</serial>",
        "console=ttyS0 quiet",
    ] {
        assert!(domain.contains(part), "{part} in {domain}");
    }
    let seed = given.image_folder().join("seed.iso");
    assert!(domain.contains(&format!("<source file='{}'/>", seed.display())));
    let iso = fs::read(&seed).unwrap();
    for secret in [SEED, ENV_SEED, PASSWORD] {
        assert!(
            !iso.windows(secret.len())
                .any(|part| part == secret.as_bytes())
        );
    }
    project.destroy().unwrap();
    assert!(!seed.exists());
}

#[test]
fn the_kubevirt_example_puts_the_contract_into_the_secret() {
    let Some(given) = Given::new() else { return };
    let project = given.project("kubevirt");
    let container = "registry.test/hpcr@sha256:00";
    project
        .set(&json!({
            "image": given.image_folder(), "container": container, "secrets": given.secrets(),
            "environment": {"GREETING": "hello"},
        }))
        .unwrap();
    apply(&project);
    let documents = documents(&output(&project, "manifests"));
    let contract = contract_of(&documents);
    let [workload, env] = given.sections(&contract);
    assert!(workload.contains(SEED) && workload.contains(PASSWORD));
    assert!(env.contains(ENV_SEED) && env.contains("GREETING"));
    let machine = of_kind(&documents, "VirtualMachine");
    let boot = "/spec/template/spec/domain/firmware/kernelBoot";
    assert_eq!(
        machine.pointer(boot).unwrap()["container"]["image"],
        container
    );
}

/// The user-data in a Secret.
fn contract_of(documents: &[Value]) -> String {
    let data = of_kind(documents, "Secret")["data"]["userdata"]
        .as_str()
        .unwrap();
    String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()
}

#[test]
fn the_cloud_examples_make_the_user_data_that_their_instances_take() {
    let Some(given) = Given::new() else { return };
    for name in ["ibm-cloud-vpc", "openstack"] {
        let project = given.project(name);
        // The cloud's own provider cannot be had here: everything but its resources is applied.
        let cloud = project.folder.join("cloud.tf");
        assert!(text(&cloud).contains("module.contract.user_data"));
        fs::remove_file(cloud).unwrap();
        let versions = project.folder.join("versions.tf");
        let own = text(&versions);
        let own: Vec<_> = own
            .lines()
            .filter(|line| !line.contains("source") || line.contains("local/hpcr/hpcr"))
            .collect();
        fs::write(&versions, own.join("\n")).unwrap();
        project
            .set(&json!({"cert": given.image.certificate, "secrets": given.secrets()}))
            .unwrap();
        apply(&project);
        let [workload, env] = given.sections(&output(&project, "user_data"));
        assert!(workload.contains(SEED) && env.contains(ENV_SEED), "{name}");
    }
}

#[test]
fn three_parties_hand_over_files_and_no_secret() {
    let Some(given) = Given::new() else { return };
    let folder = given.folder.path();
    let auditor = recipe::receiver(folder, "auditor").unwrap();
    let public = folder.join("auditor.pub");
    let shown = Command::new("openssl")
        .args(["pkey", "-pubout", "-in"])
        .arg(&auditor.key)
        .output();
    fs::write(&public, shown.unwrap().stdout).unwrap();

    let provider = given.project("multi-party/workload-provider");
    provider
        .set(&json!({
            "cert": given.image.certificate, "seed": SEED,
            "auths": {"registry.test": {"username": "puller", "password": PASSWORD}},
        }))
        .unwrap();
    apply(&provider);
    let workload = folder.join("workload.txt");
    fs::write(&workload, output(&provider, "workload")).unwrap();

    let deployer = given.project("multi-party/deployer");
    deployer
        .set(&json!({
            "cert": given.image.certificate, "workload": workload, "auditor": public, "seed": ENV_SEED,
            "signing_key": given.signing_key, "collector": given.collector, "environment": {"GREETING": "hello"},
        }))
        .unwrap();
    apply(&deployer);
    let contract = output(&deployer, "user_data");
    assert!(
        contract.contains(text(&workload).trim()),
        "the section was sealed anew"
    );
    let [workload, env] = given.sections(&contract);
    assert!(workload.contains(SEED) && !workload.contains(ENV_SEED));
    assert!(env.contains(ENV_SEED) && !env.contains(SEED));
    let digests = folder.join("digests.json");
    let expected = deployer.output("digests").unwrap();
    fs::write(&digests, expected.to_string()).unwrap();

    // The guest's record, sealed to the auditor: once of this contract, once of another one.
    let expected = expected.as_object().unwrap();
    assert!(!expected.is_empty());
    let lines = expected
        .iter()
        .map(|(name, digest)| format!("{} {name}\n", digest.as_str().unwrap()));
    let record: String = lines.collect();
    let sealed = folder.join("se-checksums.txt.enc");
    let audit = given.project("multi-party/auditor");
    audit
        .set(&json!({"record": sealed, "digests": digests, "key": auditor.key}))
        .unwrap();
    fs::write(
        &sealed,
        recipe::seal(record.as_bytes(), &auditor.certificate).unwrap(),
    )
    .unwrap();
    audit.apply().unwrap();
    let digest = expected.values().next().unwrap().as_str().unwrap();
    let other = record.replace(digest, &digest.chars().rev().collect::<String>());
    fs::write(
        &sealed,
        recipe::seal(other.as_bytes(), &auditor.certificate).unwrap(),
    )
    .unwrap();
    let error = audit.apply().unwrap_err().to_string();
    assert!(error.contains("booted another contract"), "{error}");
}

#[test]
fn every_guest_of_a_fleet_has_seeds_of_its_own_and_an_upgrade_goes_from_guest_to_guest() {
    let Some(given) = Given::new() else { return };
    let project = given.project("fleet");
    let mut variables = json!({
        "image": given.image_folder(), "container": "registry.test/hpcr@sha256:01", "root": ROOT,
        "secrets": given.secrets(),
    });
    project.set(&variables).unwrap();
    apply(&project);
    let before = project.output("manifests").unwrap();
    let fleet = |manifests: &Value| -> Vec<Vec<Value>> {
        let guests = manifests.as_object().unwrap().values();
        guests
            .map(|stream| documents(stream.as_str().unwrap()))
            .collect()
    };
    let mut seeds = BTreeSet::new();
    for guest in &fleet(&before) {
        for section in given.sections(&contract_of(guest)) {
            let section = section.replace('"', "");
            let seed = section
                .lines()
                .find_map(|line| line.trim().strip_prefix("seed: "));
            seeds.insert(
                seed.unwrap_or_else(|| panic!("no seed in {section}"))
                    .to_owned(),
            );
        }
    }
    assert_eq!(seeds.len(), 6, "two seeds a guest");
    assert_eq!(
        project
            .output("digests")
            .unwrap()
            .as_object()
            .unwrap()
            .len(),
        3
    );

    variables["previous_container"] = variables["container"].clone();
    variables["container"] = "registry.test/hpcr@sha256:02".into();
    variables["upgraded"] = 1.into();
    project.set(&variables).unwrap();
    project.apply().unwrap();
    let after = project.output("manifests").unwrap();
    for (index, (before, after)) in fleet(&before).iter().zip(fleet(&after)).enumerate() {
        // Contract and claims are what they were: the guest finds its data.
        let changed: Vec<_> = before
            .iter()
            .zip(&after)
            .filter(|(one, other)| one != other)
            .collect();
        assert_eq!(changed.len(), usize::from(index == 0));
        assert!(
            changed
                .iter()
                .all(|(one, _)| one["kind"] == "VirtualMachine")
        );
    }
}
