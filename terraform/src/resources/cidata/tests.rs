#![allow(clippy::unwrap_used)]
use super::*;

const NETWORK: &str = "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n";

fn object(entries: &[(&str, &str)]) -> Object {
    let given = entries
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Value::text(*text)));
    CIDATA.schema().complete(given.collect())
}

fn applied(prior: Option<&Object>, planned: &Object) -> Result<Object, Failed> {
    let context = Context::default();
    let change = |planned| Change {
        prior,
        planned,
        config: planned,
        private: &[],
        context: &context,
    };
    let planned = CIDATA.plan(&change(planned))?.state;
    Ok(CIDATA.apply(&change(&planned))?.state)
}

#[test]
fn the_image_is_written_for_its_owner_made_anew_when_it_is_gone_and_removed_with_the_resource() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/seed.iso");
    let config = object(&[("user_data", "env: x\n"), ("path", path.to_str().unwrap())]);
    let state = applied(None, &config).unwrap();
    let image = fs::read(&path).unwrap();
    assert_eq!(&image[32_808..32_814], b"cidata");
    assert_eq!(text(&state, "sha256"), Some(digest(&image).as_str()));
    assert_eq!(
        text(&state, "base64"),
        Some(STANDARD.encode(&image).as_str())
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    assert!(CIDATA.read(state.clone()).unwrap().is_some());
    fs::write(&path, "somebody else's").unwrap();
    assert!(CIDATA.read(state.clone()).unwrap().is_none());
    assert_eq!(CIDATA.delete(&state), []);
    assert!(path.exists(), "what somebody else wrote is gone");
    fs::remove_file(&path).unwrap();
    assert!(CIDATA.read(state.clone()).unwrap().is_none());
    assert_eq!(CIDATA.delete(&state), []);

    let state = applied(None, &config).unwrap();
    assert_eq!(CIDATA.delete(&state), []);
    assert!(!path.exists());
}

#[test]
fn a_new_path_leaves_no_image_at_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name| folder.path().join(name);
    let config = |name| {
        object(&[
            ("user_data", "env: x\n"),
            ("path", path(name).to_str().unwrap()),
        ])
    };
    let state = applied(None, &config("a.iso")).unwrap();
    applied(Some(&state), &config("b.iso")).unwrap();
    assert!(!path("a.iso").exists() && path("b.iso").exists());
}

#[test]
fn a_plan_tells_the_digest_of_what_is_known_and_nothing_of_what_is_not() {
    let context = Context::default();
    let foreseen = |config: &Object| Image.foresee(config, &context).unwrap();
    let mut config = object(&[("user_data", "env: x\n"), ("network_config", NETWORK)]);
    let first = foreseen(&config);
    assert!(first.contains_key("sha256"));
    config.insert("meta_data".into(), Value::text("local-hostname: web\n"));
    assert!(text(&first, "sha256") != text(&foreseen(&config), "sha256"));
    config.insert("user_data".into(), Value::unknown());
    assert!(foreseen(&config).is_empty());
}

#[test]
fn what_the_guest_would_refuse_is_told_at_its_attribute() {
    let context = Context::default();
    let check = |network| {
        CIDATA.check(
            &object(&[("user_data", "x"), ("network_config", network)]),
            &context,
        )
    };
    assert_eq!(check(NETWORK), []);
    let found = check(
        "network:\n  version: 2\n  ethernets:\n    eth0:\n      addresses: [10.0.0.300/24]\n",
    );
    assert_eq!(found[0].path, Path::of("network_config"));
    assert!(
        found[0].summary.starts_with("HPL14001E: "),
        "{}",
        found[0].summary
    );

    let large = "x".repeat(33 << 20);
    let failed = applied(None, &object(&[("user_data", &large)])).unwrap_err();
    assert_eq!(failed[0].path, Path::of("user_data"));
    let failed = applied(
        None,
        &object(&[("user_data", "x"), ("path", "/proc/none/seed.iso")]),
    )
    .unwrap_err();
    assert_eq!(failed[0].path, Path::of("path"));
}

#[test]
fn what_cannot_be_an_image_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.iso");
    let config = object(&[("user_data", "env: x\n"), ("path", path.to_str().unwrap())]);
    let state = applied(None, &config).unwrap();
    let sha256 = text(&state, "sha256").unwrap();

    fs::rename(&path, folder.path().join("other")).unwrap();
    std::os::unix::fs::symlink("other", &path).unwrap();
    assert!(!holds(&path, sha256), "a link is not what was written");
    fs::remove_file(&path).unwrap();

    // Reading it would wait for a writer.
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    assert!(!holds(&path, sha256));
    fs::remove_file(&path).unwrap();

    let large = fs::File::create(&path).unwrap();
    large.set_len(MAX_IMAGE).unwrap();
    let zeros = digest(&vec![0; usize::try_from(MAX_IMAGE).unwrap()]);
    assert!(holds(&path, &zeros), "the largest image");
    large.set_len(1 << 40).unwrap();
    assert!(!holds(&path, &zeros));
    assert!(CIDATA.read(state).unwrap().is_none());
}

#[test]
fn what_somebody_else_put_at_the_path_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.iso");
    let config = |user_data| object(&[("user_data", user_data), ("path", path.to_str().unwrap())]);
    let first = applied(None, &config("env: x\n")).unwrap();
    applied(None, &config("env: x\n")).unwrap();
    let second = applied(Some(&first), &config("env: y\n")).unwrap();
    assert!(CIDATA.read(second.clone()).unwrap().is_some());

    for prior in [None, Some(&second)] {
        fs::write(&path, "somebody else's").unwrap();
        let context = Context::default();
        let planned = config("env: z\n");
        let change = Change {
            prior,
            planned: &planned,
            config: &planned,
            private: &[],
            context: &context,
        };
        let told = CIDATA.plan(&change).unwrap().warnings;
        assert!(told[0].detail.contains("Move it away") && !told[0].is_error);
        let failed = applied(prior, &config("env: z\n")).unwrap_err();
        assert_eq!(failed[0].path, Path::of("path"));
        assert!(failed[0].detail.contains("Move it away"));
        assert_eq!(fs::read(&path).unwrap(), b"somebody else's");
    }
}
