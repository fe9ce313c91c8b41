//! A fleet: seeds, upgrade, and the records of all guests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use rig::place;
use serde_json::{Value, json};

use rig::recipe;

use crate::given::{self, Given, ROOT, apply, contract_of, documents, token};

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

#[test]
fn a_guest_that_is_not_upgraded_keeps_the_contract_that_its_image_opens() {
    let Some(given) = Given::new() else { return };
    let folder = given.folder.path().join("newer");
    fs::create_dir(&folder).unwrap();
    let newer = given::image(&folder);
    let project = given.project("fleet");
    let mut variables = json!({
        "image": given.image_folder(), "container": "registry.test/hpcr@sha256:01", "root": ROOT, "size": 2,
        "secrets": given.secrets(),
    });
    project.set(&variables).unwrap();
    project.apply().unwrap();
    let before = project.output("manifests").unwrap();

    variables["previous_container"] = variables["container"].clone();
    variables["previous_image"] = variables["image"].clone();
    variables["container"] = "registry.test/hpcr@sha256:02".into();
    variables["image"] = json!(folder);
    variables["upgraded"] = 1.into();
    project.set(&variables).unwrap();
    apply(&project);
    assert_eq!(
        project.output("manifests").unwrap()["web-1"],
        before["web-1"]
    );
    let contracts = project.output("contracts").unwrap();
    for (name, opens, other) in [
        ("web-0", &newer, &given.image),
        ("web-1", &given.image, &newer),
    ] {
        let token = token(contracts[name].as_str().unwrap(), "workload");
        assert!(recipe::open(token, &opens.key).is_ok(), "{name}");
        assert!(recipe::open(token, &other.key).is_err(), "{name}");
    }
}

/// As the guest writes it: a version, then what was hashed.
fn record(digests: &Value) -> String {
    let digests = digests.as_object().unwrap().iter();
    let lines = digests.map(|(name, digest)| format!("{} {name}\n", digest.as_str().unwrap()));
    format!("26.7.1\n{}", lines.collect::<String>())
}

#[test]
fn the_records_of_a_whole_fleet_are_verified_against_the_contracts_that_were_sent() {
    let checker = place::program("hpcr-check");
    if !checker.is_file() {
        eprintln!("skipped: {} is not built", checker.display());
        return;
    }
    let Some(given) = Given::new() else { return };
    let project = given.project("fleet");
    project
        .set(&json!({
            "image": given.image_folder(), "container": "registry.test/hpcr@sha256:01", "root": ROOT,
            "secrets": given.secrets(),
        }))
        .unwrap();
    project.apply().unwrap();
    let folder = given.folder.path();
    let write = |path: String, content: &[u8]| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    // What the deployer hands over, and what the guests of the image's key would have written.
    let contracts = project.output("contracts").unwrap();
    for (name, contract) in contracts.as_object().unwrap() {
        write(
            format!("sent/{name}.yaml"),
            contract.as_str().unwrap().as_bytes(),
        );
    }
    let digests = project.output("digests").unwrap();
    for (index, (name, digests)) in digests.as_object().unwrap().iter().enumerate() {
        // The machine's serial number makes every record one of its own.
        let text = format!(
            "{}Machine Type/Plant/Serial: 8562/02/{index}\n",
            record(digests)
        );
        write(format!("records/{name}.txt"), text.as_bytes());
        let signature = sign(&given, &folder.join(format!("records/{name}.txt")));
        write(format!("records/{name}.sig"), &signature);
    }
    let verify = || {
        let output = Command::new(&checker)
            .current_dir(folder)
            .args([
                "attestation",
                "verify",
                "--fleet",
                "records",
                "--contract",
                "sent",
                "--cert",
            ])
            .arg(&given.image.certificate)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (status, said) = verify();
    assert_eq!(status, Some(0), "{said}");
    // A guest that booted another guest's contract does not pass for it.
    fs::copy(
        folder.join("sent/web-1.yaml"),
        folder.join("sent/web-2.yaml"),
    )
    .unwrap();
    let (status, said) = verify();
    assert!(status == Some(1) && said.contains("web-2"), "{said}");
}

/// A signature as the image makes it.
fn sign(given: &Given, record: &Path) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign"])
        .arg(&given.image.key)
        .arg(record)
        .output();
    output.unwrap().stdout
}
