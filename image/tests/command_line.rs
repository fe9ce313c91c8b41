//! `hpcr-image` as its users call it: what it prints, and how it ends.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hpcr-image"))
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_seed_and_what_runs_it_are_made_in_two_commands() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let description = r#"{"version": "0", "baseImage": "00", "kind": "development", "architecture": "x86_64", "built": 0,
        "suite": "trixie", "kernelRelease": "6", "commandLine": "quiet", "parts": {}, "packages": [], "files": {}}"#;
    fs::create_dir(at("image")).unwrap();
    fs::write(at("image/image.json"), description).unwrap();
    fs::write(at("contract.yaml"), "env: x\n").unwrap();
    // The option of before still stands.
    for (option, name) in [("--output", "former.iso"), ("--out", "seed.iso")] {
        let seed = ["seed", "--user-data", "contract.yaml", option, name];
        assert!(run(folder.path(), &seed).status.success());
        assert_eq!(&fs::read(at(name)).unwrap()[32_808..32_814], b"cidata");
    }

    let storage = [
        "--seed",
        "seed.iso",
        "--data",
        "data=data.img",
        "--scratch",
        "scratch.img",
    ];
    let deploy = |target: &[&str]| run(folder.path(), &[&["deploy"], target, &["image"]].concat());
    // Paths are from the root on: what is printed is used elsewhere.
    let path = at("data.img")
        .canonicalize()
        .unwrap_or_else(|_| at("data.img"));
    for target in [vec!["qemu"], vec!["libvirt", "--name", "web"]] {
        let output = deploy(&[&target[..], &storage].concat());
        let text = said(&output.stdout);
        assert!(output.status.success(), "{}", said(&output.stderr));
        assert!(
            text.contains(path.to_str().unwrap()) && text.contains("hpcr-scratch"),
            "{text}"
        );
    }
    let kubevirt = [
        "kubevirt",
        "--name",
        "web",
        "--container",
        "r.test/h@sha256:0",
        "--user-data",
        "contract.yaml",
    ];
    let output = deploy(&kubevirt);
    assert!(
        said(&output.stdout).contains("kind: VirtualMachine"),
        "{}",
        said(&output.stderr)
    );
    // What could not run is wrong use; what is not there is a failure.
    let output = deploy(&[&["qemu", "--tee", "snp"], &storage[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && said(&output.stderr).contains("--firmware: "));
    let nowhere = [&kubevirt[..6], &["nowhere.yaml"]].concat();
    assert_eq!(deploy(&nowhere).status.code(), Some(1));
}
