//! Every example, applied by the real Terraform with this provider as far as it goes without a cloud, a hypervisor or a
//! cluster. The guest of `local-qemu` is booted by the appliance's own tests.
//!
//! What comes out is opened with the openssl command line. Where there is no Terraform, the tests say so and skip.

#![allow(clippy::unwrap_used)]

mod fleet;
mod given;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use given::{
    ENV_SEED, Given, PASSWORD, ROOT, SEED, apply, contract_of, documents, of_kind, output, text,
};
use rig::recipe;
use rig::terraform::is_here;
use serde_json::json;

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
fn the_local_example_keeps_every_secret_in_the_seed_disk_alone() {
    let Some(given) = Given::new() else { return };
    let project = given.project("local-qemu");
    // Contract and seed disk without the guest, for which there is no image here.
    let main = project.folder.join("main.tf");
    let whole = text(&main);
    let (apart, _) = whole.split_once("resource \"hpcr_guest\"").unwrap();
    fs::write(&main, apart).unwrap();
    fs::remove_file(project.folder.join("outputs.tf")).unwrap();
    project
        .set(&json!({
            "image": given.image_folder(), "folder": given.image_folder(), "secrets": given.secrets(),
            "registry_authorities": [{"registry.test": "QUFBQQ=="}], "environment": {"GREETING": "hello"},
        }))
        .unwrap();
    apply(&project);
    let iso = fs::read(given.image_folder().join("seed.iso")).unwrap();
    // Files stand in it as they are, filled up with zeros.
    let iso = String::from_utf8_lossy(&iso).replace('\0', "\n");
    let [workload, env] = given.sections(&iso);
    assert!(workload.contains(SEED) && workload.contains(PASSWORD));
    assert!(env.contains(ENV_SEED) && env.contains("QUFBQQ==") && env.contains("GREETING"));
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

#[test]
fn secure_execution_is_chosen_with_a_certificate_and_without_an_images_folder() {
    let Some(given) = Given::new() else { return };
    let file = given.image_folder().join("se.img");
    fs::write(&file, "kernel, initramfs and command line, encrypted").unwrap();
    for (name, own, result, told) in [
        (
            "libvirt",
            json!({"image": file, "folder": given.image_folder()}),
            "domain",
            "<launchSecurity type='s390-pv'",
        ),
        (
            "kubevirt",
            json!({"container": "registry.test/hpcr@sha256:00"}),
            "manifests",
            "s390x",
        ),
        (
            "fleet",
            json!({"container": "registry.test/hpcr@sha256:00", "root": ROOT, "size": 1}),
            "manifests",
            "s390x",
        ),
    ] {
        let project = given.project(name);
        let mut variables = own;
        variables["tee"] = "se".into();
        variables["secrets"] = given.secrets();
        project.set(&variables).unwrap();
        let error = project.apply().unwrap_err().to_string();
        assert!(
            error.contains("Give the file with the certificate"),
            "{error}"
        );
        variables["cert"] = json!(given.image.certificate);
        project.set(&variables).unwrap();
        apply(&project);
        let result = project.output(result).unwrap().to_string();
        assert!(result.contains(told), "{name}: {result}");
    }
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
    apply(&audit);
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
