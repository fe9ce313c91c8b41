//! States as time and other providers leave them: certificates that have ended since, keys that were exchanged, and
//! attributes that were not there yet.

use serde_json::Value;

use crate::desk::Desk;
use crate::keys::{self, file, opened};

/// Changes the one instance of a resource in the state file.
fn rewrite(desk: &Desk, kind: &str, change: impl Fn(&mut Value)) {
    let mut state: Value = serde_json::from_str(&desk.state()).unwrap();
    let serial = state["serial"].as_u64().unwrap();
    state["serial"] = (serial + 1).into();
    let resources = state["resources"].as_array_mut().unwrap();
    let mut found = resources.iter_mut().filter(|one| one["type"] == kind);
    change(&mut found.next().unwrap()["instances"][0]);
    desk.write("terraform.tfstate", state.to_string());
}

fn text(more: &str) -> String {
    format!(
        "resource \"hpcr_text_encrypted\" \"it\" {{\n  text = \"hello\"\n  {more}\n}}\noutput \"it\" {{\n  value = hpcr_text_encrypted.it.rendered\n}}\n"
    )
}

#[test]
fn a_certificate_that_has_ended_since_is_a_warning_until_something_is_sealed_to_it() {
    let Some(desk) = Desk::new() else { return };
    let cert = |name| format!("cert = file(\"{}\")", file(name).display());
    desk.configure(&text(&cert("image.crt")));
    desk.apply();
    rewrite(&desk, "hpcr_text_encrypted", |one| {
        one["attributes"]["cert"] = keys::read("ended.crt").into();
        one.as_object_mut().unwrap().remove("private");
    });
    desk.configure(&text(&cert("ended.crt")));
    let told = desk.validate();
    assert!(told.iter().all(|one| !one.is_error), "{told:?}");
    assert!(told.iter().any(|one| one.words().contains("has expired")));
    assert!(!desk.would_change());
    let plan = desk.does(&["plan", "-no-color"]);
    assert_eq!(plan.matches("certificate has expired").count(), 1, "{plan}");

    desk.configure(&text(&cert("ended.crt")).replace("hello", "hi"));
    let told = desk.plan();
    assert!(
        told.iter()
            .any(|one| one.is_error && one.words().contains("has expired")),
        "{told:?}"
    );
}

#[test]
fn a_contract_that_has_ended_is_planned_as_long_as_it_stays() {
    let Some(desk) = Desk::new() else { return };
    let contract = |end: &str, more: &str| {
        format!(
            r#"
resource "hpcr_contract" "it" {{
  workload = {{ compose = {{ archive = provider::hpcr::tgz("app") }} }}
  env      = {{ logging = {{ syslog = {{ hostname = "logs.example", server = file("{ca}") }} }} }}
  cert          = file("{cert}")
  expiry_date   = "{end}"
  ca_cert       = file("{ca}")
  ca_key        = file("{ca_key}")
  {more}
}}
"#,
            cert = file("image.crt").display(),
            ca = file("authority.crt").display(),
            ca_key = file("authority.key").display(),
        )
    };
    let image = format!("registry.example/shop/web@sha256:{}", "0".repeat(64));
    desk.write(
        "app/docker-compose.yaml",
        format!("services:\n  web:\n    image: {image}\n"),
    );
    desk.configure(&contract("2090-01-01", ""));
    desk.apply();
    rewrite(&desk, "hpcr_contract", |one| {
        one["attributes"]["expiry_date"] = "2020-01-01".into();
        one["attributes"]["expires"] = "2020-01-01T00:00:00Z".into();
    });
    desk.configure(&contract("2020-01-01", ""));
    assert!(desk.validate().iter().all(|one| !one.is_error));
    assert!(!desk.would_change());
    let told = desk.plan();
    let ended = |one: &crate::desk::Told| one.words().contains("The contract has ended");
    assert!(told.iter().any(ended), "{told:?}");

    desk.configure(&contract("2020-01-01", "platform = \"hpvs\""));
    let told = desk.plan();
    let refused = |one: &crate::desk::Told| one.is_error && one.words().contains("ended already");
    assert!(told.iter().any(refused), "{told:?}");
}

fn lending(what: &str, cert: &str) -> String {
    let pem = format!("file(\"{}\")", file(cert).display());
    if what == "its own" {
        return text(&format!("cert = {pem}"));
    }
    let (provider, version) = match what {
        "cert" => (format!("cert = {pem}"), ""),
        _ => (
            format!("certs = {{ \"1.0.14\" = {pem} }}"),
            "version = \"1.0.14\"",
        ),
    };
    format!("provider \"hpcr\" {{\n  {provider}\n}}\n{}", text(version))
}

#[test]
fn another_certificate_seals_anew_and_a_renewed_one_does_not() {
    for what in ["cert", "certs", "its own"] {
        let Some(desk) = Desk::new() else { return };
        desk.configure(&lending(what, "authority.crt"));
        desk.apply();
        assert!(!desk.would_change());
        let first = desk.output("it");
        desk.configure(&lending(what, "image.crt"));
        assert!(desk.would_change(), "{what}: another key is no change");
        desk.apply();
        assert_ne!(desk.output("it"), first);
        assert_eq!(opened(desk.output("it").as_str().unwrap()), "hello");
        assert!(!desk.would_change());

        let folder = file("image.crt").parent().unwrap().to_owned();
        let renewed = keys::openssl(
            &folder,
            &["req", "-x509", "-key", "image.key", "-subj", "/CN=renewed"],
        );
        std::fs::write(folder.join("renewed.crt"), renewed).unwrap();
        desk.configure(&lending(what, "renewed.crt"));
        assert!(!desk.would_change(), "{what}: the key is the same");
    }
}

#[test]
fn another_certificate_of_the_environment_seals_anew() {
    let Some(desk) = Desk::new() else { return };
    desk.configure(&text(""));
    let run = |cert: &str, arguments: &[&str]| {
        let cert = file(cert);
        desk.run_with(("HPCR_CERT", cert.to_str().unwrap()), arguments)
            .status
            .code()
    };
    let (apply, plan) = (
        ["apply", "-auto-approve"],
        ["plan", "-detailed-exitcode", "-no-color"],
    );
    assert_eq!(run("authority.crt", &apply), Some(0));
    assert_eq!(run("authority.crt", &plan), Some(0));
    assert!(!desk.would_change(), "without a certificate it stays");
    assert_eq!(run("nowhere.crt", &plan), Some(0), "unreadable, it stays");
    assert_eq!(run("sign.pem", &plan), Some(0), "of another kind, it stays");
    desk.configure(&text("platform = \"ccrt\""));
    assert_eq!(run("nowhere.crt", &plan), Some(1), "nothing to seal to");
    desk.configure(&text(""));
    assert_eq!(run("image.crt", &plan), Some(2));
    assert_eq!(run("image.crt", &apply), Some(0));
    assert_eq!(opened(desk.output("it").as_str().unwrap()), "hello");
}

#[test]
fn a_state_that_was_moved_in_stays_and_takes_the_certificate_of_now_as_its_own() {
    let Some(desk) = Desk::new() else { return };
    desk.configure(&lending("cert", "authority.crt"));
    desk.apply();
    let first = desk.output("it");
    // As the published provider of other days leaves it: nothing kept, and no attribute that came later.
    rewrite(&desk, "hpcr_text_encrypted", |one| {
        let one = one.as_object_mut().unwrap();
        one.remove("private");
        let attributes = one["attributes"].as_object_mut().unwrap();
        assert!(attributes.remove("platform").is_some());
    });
    assert!(!desk.would_change(), "it is sealed again for nothing");
    desk.apply();
    assert_eq!(desk.output("it"), first);
    desk.configure(&lending("cert", "image.crt"));
    assert!(desk.would_change(), "another key is no change");
    desk.apply();
    assert_eq!(opened(desk.output("it").as_str().unwrap()), "hello");
}
