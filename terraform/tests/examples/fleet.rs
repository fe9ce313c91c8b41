//! A fleet: seeds, upgrade, and the records of all guests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use rig::certificates::Identity;
use rig::terraform::Project;
use rig::{place, recipe};
use serde_json::{Value, json};

use crate::given::{self, Given, ROOT, apply, contract_of, documents, token};

/// The documents of each guest, by name.
fn guests(project: &Project) -> BTreeMap<String, Vec<Value>> {
    let manifests = project.output("manifests").unwrap();
    let streams = manifests.as_object().unwrap().iter();
    streams
        .map(|(name, stream)| (name.clone(), documents(stream.as_str().unwrap())))
        .collect()
}

/// The seeds of a guest's volume, from both sections of its contract; none where the key opens nothing.
fn seeds(guest: &[Value], image: &Identity) -> Option<[String; 2]> {
    let contract = contract_of(guest);
    let seed = |section| {
        let opened = recipe::open(token(&contract, section), &image.key).ok()?;
        let opened = String::from_utf8(opened).unwrap().replace('"', "");
        let lines = opened.lines();
        let mut seeds = lines.filter_map(|line| line.trim().strip_prefix("seed: "));
        seeds.next().map(str::to_owned)
    };
    Some([seed("workload")?, seed("env")?])
}

/// The kinds of a guest's objects that are not what they were.
fn changed(before: &[Value], after: &[Value]) -> Vec<String> {
    assert_eq!(before.len(), after.len());
    let pairs = before.iter().zip(after).filter(|(one, other)| one != other);
    pairs
        .map(|(one, _)| one["kind"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_guest_of_a_fleet_has_seeds_of_its_own() {
    let Some(given) = Given::new() else { return };
    let project = given.project("fleet");
    project
        .set(&json!({
            "image": given.image_folder(), "container": "registry.test/hpcr@sha256:01", "root": ROOT,
            "secrets": given.secrets(),
        }))
        .unwrap();
    apply(&project);
    let guests = guests(&project);
    let seeds: BTreeSet<_> = guests
        .values()
        .flat_map(|guest| seeds(guest, &given.image).unwrap())
        .collect();
    assert_eq!(seeds.len(), 6, "two seeds a guest");
    let digests = project.output("digests").unwrap();
    assert_eq!(digests.as_object().unwrap().len(), 3);
}

#[test]
fn an_upgrade_goes_from_guest_to_guest_and_keeps_claims_and_seeds() {
    let Some(given) = Given::new() else { return };
    let folder = given.folder.path().join("newer");
    fs::create_dir(&folder).unwrap();
    let newer = given::image(&folder);
    let project = given.project("fleet");
    let old = json!({
        "image": given.image_folder(), "container": "registry.test/hpcr@sha256:01", "root": ROOT,
        "secrets": given.secrets(),
    });
    project.set(&old).unwrap();
    project.apply().unwrap();
    let first = guests(&project);
    // The same image in another container, and then one with a key of its own: its contract is sealed to that key.
    for (image, key, kinds) in [
        (given.image_folder(), &given.image, &["VirtualMachine"][..]),
        (&folder, &newer, &["Secret", "VirtualMachine"]),
    ] {
        project.set(&old).unwrap();
        project.apply().unwrap();
        let mut new = old.clone();
        new["previous_container"] = old["container"].clone();
        new["previous_image"] = old["image"].clone();
        new["container"] = "registry.test/hpcr@sha256:02".into();
        new["image"] = json!(image);
        let mut before = guests(&project);
        for upgraded in 0..=3 {
            new["upgraded"] = upgraded.into();
            project.set(&new).unwrap();
            apply(&project);
            let after = guests(&project);
            for (index, (name, guest)) in after.iter().enumerate() {
                let expected = if index + 1 == upgraded { kinds } else { &[] };
                let mut changed = changed(&before[name], guest);
                changed.sort();
                assert_eq!(changed, expected, "{name} with {upgraded} upgraded");
                let (opens, other) = if index < upgraded {
                    (key, &given.image)
                } else {
                    (&given.image, key)
                };
                // What it opens its volume with is what it was.
                let original = seeds(&first[name], &given.image);
                assert_eq!(seeds(guest, opens), original, "{name}");
                assert_eq!(seeds(guest, other).is_none(), opens.key != other.key);
            }
            before = after;
        }
        // Nothing of the previous image is needed once all have the new one.
        for name in ["previous_container", "previous_image", "upgraded"] {
            new.as_object_mut().unwrap().remove(name);
        }
        project.set(&new).unwrap();
        assert!(project.is_settled().unwrap());
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
