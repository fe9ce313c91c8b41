//! Whole builds, out of real packages. They need the host's apt, and the network unless the packages are in the cache.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use hpcr_contract::image_config::ImageKind;
use hpcr_image::assemble::{Request, build};
use hpcr_image::manifest::Manifest;
use hpcr_image::{Error, lock};

/// Any program serves as `/init` here: this one needs the C library.
fn request(output: PathBuf) -> Request {
    Request {
        output,
        kind: ImageKind::Development,
        suite: "trixie".into(),
        init: std::env::current_exe().unwrap(),
        cache: Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/packages"),
        locked: None,
        refresh: false,
        new_keys: false,
        built: None,
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes_and_a_lock_file_that_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut request = request(dir.path().join("image"));
    let first = build(&request, |_| ()).unwrap();
    request.locked = Some(request.output.join("packages.lock"));
    let second = build(&request, |_| ()).unwrap();
    assert_eq!(first, second);
    assert_eq!(Manifest::read(&request.output).unwrap(), second);
    second.verify(&request.output).unwrap();

    // No shell, no interpreter, no package manager: every program is one of these.
    let programs: Vec<_> = second
        .files
        .keys()
        .filter(|path| path.contains("bin/"))
        .collect();
    assert_eq!(
        programs,
        ["/usr/bin/crun", "/usr/sbin/mke2fs", "/usr/sbin/nft"]
    );

    // A byte more in a part is seen, and so is a package that was not there before.
    let kernel = request.output.join("vmlinuz");
    let mut bytes = std::fs::read(&kernel).unwrap();
    bytes.push(0);
    std::fs::write(&kernel, bytes).unwrap();
    assert!(matches!(
        second.verify(&request.output),
        Err(Error::PartsDiffer { .. })
    ));
    let locked = request.locked.unwrap();
    std::fs::write(&locked, "crun 0 00\n").unwrap();
    assert!(matches!(
        lock::verify(&locked, &[]),
        Err(Error::LockDiffers { .. })
    ));
}

#[test]
fn a_program_that_is_missing_is_told_before_anything_is_fetched() {
    let dir = tempfile::tempdir().unwrap();
    let mut request = request(dir.path().join("image"));
    request.init = dir.path().join("hpcr-init");
    request.cache = dir.path().join("packages");
    let error = build(&request, |_| ()).unwrap_err();
    assert!(
        error.to_string().contains("hpcr-init: cannot read"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_production_image_is_refused_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("image");
    let request = Request {
        kind: ImageKind::Production,
        ..request(output.clone())
    };
    assert!(matches!(
        build(&request, |_| ()),
        Err(Error::ProductionNeedsSecureExecution)
    ));
    assert!(!output.exists());
}
