#![allow(clippy::unwrap_used)]
use std::fs;
use std::time::Duration;

use hpcr_image::qemu::detached::Detached;

use super::hardware::Files;
use super::life::Unready;
use super::*;

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(object(entries))
}

fn object(entries: &[(&str, Value)]) -> Object {
    entries
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

fn config(changes: &[(&str, Value)]) -> Object {
    let mut config = object(&[
        ("name", Value::text("web")),
        ("folder", Value::text("/tmp/guests")),
        ("image", Value::text("/nowhere")),
        ("seed", Value::text("/nowhere/seed.iso")),
        ("memory", Value::whole(512)),
        ("volumes", map(&[("data", Value::whole(512))])),
    ]);
    config.extend(object(changes));
    Guest.schema().complete(config)
}

fn forward(host: i64, guest: i64) -> Value {
    map(&[("host", Value::whole(host)), ("guest", Value::whole(guest))])
}

#[test]
fn what_no_guest_can_have_is_told_at_its_attribute() {
    let wide = "x".repeat(120);
    let cases: [(&str, Value, &str); 16] = [
        ("name", Value::text("Web"), "name"),
        ("memory", Value::whole(511), "memory"),
        (
            "memory",
            Value::Number(crate::value::Number::Float(512.5)),
            "memory",
        ),
        ("cpus", Value::whole(0), "cpus"),
        ("scratch", Value::whole(0), "scratch"),
        ("timeout", Value::whole(-1), "timeout"),
        ("stop_timeout", Value::whole(86_401), "stop_timeout"),
        ("accelerator", Value::text("hvf"), "accelerator"),
        ("folder", Value::text(wide), "folder"),
        (
            "forward",
            Value::List(vec![forward(0, 80)]),
            "forward[0].host",
        ),
        (
            "forward",
            Value::List(vec![forward(80, 65_536)]),
            "forward[0].guest",
        ),
        (
            "forward",
            Value::List(vec![forward(80, 80), forward(80, 81)]),
            "forward[1].host",
        ),
        (
            "volumes",
            map(&[("data", Value::whole(127))]),
            r#"volumes["data"]"#,
        ),
        (
            "volumes",
            map(&[("hpcr-scratch", Value::whole(512))]),
            r#"volumes["hpcr-scratch"]"#,
        ),
        (
            "volumes",
            map(&[("a,b", Value::whole(512))]),
            r#"volumes["a,b"]"#,
        ),
        (
            "volumes",
            map(&[("a-serial-of-21-bytes-", Value::whole(512))]),
            r#"volumes["a-serial-of-21-bytes-"]"#,
        ),
    ];
    let context = Context::default();
    assert_eq!(Guest.check(&config(&[]), &context), []);
    for (name, value, path) in cases {
        let found = Guest.check(&config(&[(name, value)]), &context);
        assert_eq!(found.len(), 1, "{path}: {found:?}");
        assert_eq!(found[0].path.to_string(), path);
        assert!(
            found[0].is_error && found[0].detail.ends_with('.'),
            "{found:?}"
        );
    }
    // What is not known yet is passed over.
    for name in [
        "name",
        "memory",
        "forward",
        "volumes",
        "folder",
        "accelerator",
    ] {
        assert_eq!(
            Guest.check(&config(&[(name, Value::unknown())]), &context),
            [],
            "{name}"
        );
    }
}

fn plan(prior: Option<&Object>, planned: &Object) -> Result<Outcome, Failed> {
    let context = Context::default();
    Guest.plan(&Change {
        prior,
        planned,
        config: planned,
        private: &[],
        context: &context,
    })
}

/// A guest that runs: this process.
fn running(image: &std::path::Path) -> Object {
    fs::write(image.join(manifest::FILE), "an image").unwrap();
    let image = Value::text(image.to_str().unwrap());
    let mut state = plan(None, &config(&[("image", image)])).unwrap().state;
    state.extend(object(&[
        ("pid", Value::whole(1)),
        ("began", Value::text("x:1")),
        ("accelerated", Value::Bool(false)),
    ]));
    state
}

#[test]
fn a_guest_that_runs_as_it_should_is_left_alone_and_any_other_is_started_again() {
    let image = tempfile::tempdir().unwrap();
    let prior = running(image.path());
    let again = plan(Some(&prior), &prior).unwrap();
    assert!(again.state == prior && again.replace.is_empty());

    let starts = |changes: &[(&str, Value)]| {
        let mut planned = prior.clone();
        planned.extend(object(changes));
        let outcome = plan(Some(&prior), &planned).unwrap();
        (outcome.state["pid"].has_unknown(), outcome.replace)
    };
    assert_eq!(
        starts(&[
            ("delete_data", Value::Bool(true)),
            ("timeout", Value::whole(9))
        ]),
        (false, vec![])
    );
    for change in [
        ("memory", Value::whole(1024)),
        ("seed_sha256", Value::text("00")),
        ("seed_sha256", Value::unknown()),
        ("volumes", map(&[("data", Value::whole(1024))])),
        ("scratch", Value::whole(512)),
    ] {
        assert_eq!(starts(&[change]), (true, vec![]));
    }
    assert_eq!(
        starts(&[("name", Value::text("other"))]),
        (true, vec![Path::of("name")])
    );

    let stopped = Guest.read(prior.clone()).unwrap().unwrap();
    assert_eq!(text(&stopped, "state"), Some(STOPPED));
    let outcome = plan(Some(&stopped), &stopped).unwrap();
    assert!(outcome.state["pid"].has_unknown());
    assert_eq!(text(&outcome.state, "state"), Some(RUNNING));

    fs::write(image.path().join(manifest::FILE), "a newer image").unwrap();
    assert!(plan(Some(&prior), &prior).unwrap().state["pid"].has_unknown());
}

#[test]
fn a_volume_never_shrinks_and_one_that_is_left_out_stays() {
    let image = tempfile::tempdir().unwrap();
    let prior = running(image.path());
    let with = |volumes| {
        let mut planned = prior.clone();
        planned.insert("volumes".into(), volumes);
        plan(Some(&prior), &planned)
    };
    let failed = with(map(&[("data", Value::whole(511))])).unwrap_err();
    assert_eq!(failed[0].path.to_string(), r#"volumes["data"]"#);
    let left = with(Value::Null).unwrap();
    assert!(!left.warnings[0].is_error);
    assert_eq!(left.warnings[0].path.to_string(), r#"volumes["data"]"#);
}

#[test]
fn volumes_outlive_the_guest_unless_it_is_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let guests = folder.path().join("guests");
    fs::create_dir(&guests).unwrap();
    let of_guest = [
        "web-data.img",
        "web.console",
        "web.qmp",
        "web.pid",
        "web-hpcr-scratch.img",
    ];
    for name in of_guest.iter().chain(&["other.console"]) {
        fs::write(guests.join(name), "x").unwrap();
    }
    let here = ("folder", Value::text(guests.to_str().unwrap()));
    assert_eq!(Guest.delete(&config(std::slice::from_ref(&here))), []);
    let left = |name: &str| guests.join(name).exists();
    assert!(
        left("web-data.img")
            && left("other.console")
            && !left("web.console")
            && !left("web-hpcr-scratch.img")
    );
    assert_eq!(
        Guest.delete(&config(&[here, ("delete_data", Value::Bool(true))])),
        []
    );
    assert!(!left("web-data.img") && left("other.console"));
}

/// This process, as if it were a guest's.
fn this_process() -> Detached {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let tick = fields.split_whitespace().nth(19).unwrap();
    Detached {
        pid: std::process::id(),
        began: format!("{}:{tick}", boot.trim()),
    }
}

#[test]
fn an_interrupt_ends_the_wait_for_a_guest_that_is_not_up_and_takes_nothing_from_one_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let here = ("folder", Value::text(folder.path().to_str().unwrap()));
    let files = Files::of(&config(&[here])).unwrap();
    let guest = this_process();
    assert!(guest.is_running());
    let provider = crate::provider::Provider::default();
    let interrupted = provider.context().interrupted;
    let wait = |patience| life::wait(&guest, &files, Duration::from_secs(patience), &interrupted);
    fs::write(files.console(), "booting\n").unwrap();
    assert_eq!(wait(0), Err(Unready::Late));
    provider.stop(&crate::protocol::Empty {});
    let why = wait(600).unwrap_err();
    assert_eq!(why, Unready::Interrupted);
    // What it says while it is switched off is told, too.
    fs::write(files.console(), "booting\nsealing its volumes\n").unwrap();
    let told = why.told(&files, Duration::from_mins(10));
    assert!(told.detail.contains("switched off") && told.detail.contains("sealing its volumes"));
    let up = hpcr_contract::messages::SERVICE_SUCCESS.to_string();
    fs::write(files.console(), up).unwrap();
    assert!(wait(600).is_ok());
}

#[test]
fn an_import_is_refused_with_the_way_to_take_the_volumes_along() {
    let told = Guest.import("/guests/web").unwrap_err();
    assert!(told[0].detail.contains("control socket") && told[0].detail.contains("volumes"));
}

#[test]
fn a_guest_without_its_parts_is_told_which_is_missing() {
    let failed = |changes: &[(&str, Value)]| {
        let context = Context::default();
        let mut planned = config(changes);
        planned.insert("pid".into(), Value::unknown());
        let change = Change {
            prior: None,
            planned: &planned,
            config: &planned,
            private: &[],
            context: &context,
        };
        Guest.apply(&change).unwrap_err().remove(0)
    };
    let found = failed(&[]);
    assert_eq!(found.path, Path::of("image"));
    assert!(found.summary.contains("image.json"), "{found:?}");
}
