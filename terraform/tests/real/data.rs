//! Data sources and functions that give what they should.

use serde_json::json;

use crate::desk::{Desk, text};
use crate::keys::{self, file, opened};
use crate::server;

#[test]
fn the_newest_image_of_a_range_is_found_among_others() {
    let Some(desk) = Desk::new() else { return };
    let image = |name: &str, change: &[(&str, &str)]| {
        let mut image = json!({
            "architecture": "s390x", "status": "available", "visibility": "public",
            "os": "hyper-protect-1-0-s390x-hpcr", "id": format!("id-{name}"), "checksum": "c0ffee",
            "name": format!("ibm-hyper-protect-container-runtime-{name}"),
        });
        for (key, value) in change {
            image[*key] = json!(value);
        }
        image
    };
    let images = json!([
        image("1-0-s390x-8", &[]),
        image("1-0-s390x-11", &[]),
        image("1-0-s390x-9", &[]),
        image("1-0-s390x-12", &[("status", "deprecated")]),
        image("1-0-s390x-13", &[("visibility", "private")]),
        image("1-0-s390x-14", &[("os", "ubuntu-22-04-s390x")]),
        image("1-0-amd64-15", &[("architecture", "amd64")]),
        {"id": "x", "name": "y", "operating_system": {"architecture": "s390x", "name": "hyper-protect-1-0-s390x-hpcr"}},
    ]);
    desk.write("images.json", images.to_string());
    desk.configure(
        r#"
data "hpcr_image" "newest" {
  images = file("images.json")
}
data "hpcr_image" "older" {
  images = file("images.json")
  spec   = ">=1.0.8 <1.0.11"
}
output "newest" {
  value = data.hpcr_image.newest
}
output "older" {
  value = data.hpcr_image.older
}
"#,
    );
    desk.apply();
    let newest = desk.output("newest");
    assert_eq!(newest["version"], "1.0.11");
    assert_eq!(newest["image"], "id-1-0-s390x-11");
    assert_eq!(newest["sha256"], "c0ffee");
    assert_eq!(desk.output("older")["version"], "1.0.9");
}

#[test]
fn certificates_come_over_https_from_a_server_that_is_trusted_and_are_bounded() {
    let Some(desk) = Desk::new() else { return };
    let certificate = keys::read("image.crt");
    let port = server::start(&desk.path(""), &certificate);
    let configuration = |template: &str| {
        format!(
            r#"
data "hpcr_encryption_certs" "it" {{
  versions = ["1.0.14", "1.0.15"]
  template = "https://localhost:{port}/{template}"
}}
data "hpcr_encryption_cert" "it" {{
  certs = data.hpcr_encryption_certs.it.certs
  spec  = "~1.0.14"
}}
resource "hpcr_text_encrypted" "it" {{
  text = "hello"
  cert = data.hpcr_encryption_cert.it.cert
}}
output "all" {{
  value = [data.hpcr_encryption_certs.it.certs, data.hpcr_encryption_cert.it, hpcr_text_encrypted.it.rendered]
}}
"#
        )
    };
    let trust = desk.path("tls.crt");
    let trust = ("SSL_CERT_FILE", trust.to_str().unwrap());
    let apply = ["apply", "-auto-approve", "-no-color"];
    desk.configure(&configuration("{{.Major}}-{{.Minor}}-{{.Patch}}.crt"));
    let output = desk.run_with(trust, &apply);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let all = desk.output("all");
    assert_eq!(all[0]["1.0.14"]["cert"], certificate);
    assert_eq!(all[0]["1.0.14"]["status"], "valid");
    assert!(["398", "399", "400"].contains(&all[0]["1.0.14"]["expiry_days"].as_str().unwrap()));
    assert_eq!(all[1]["version"], "1.0.15");
    assert_eq!(all[1]["expiry"], all[0]["1.0.15"]["expiry_days"]);
    assert_eq!(opened(all[2].as_str().unwrap()), "hello");

    let refused = |trust, template, words: &str| {
        desk.configure(&configuration(template));
        let output = desk.run_with(trust, &["plan", "-no-color"]);
        let told = text(&output.stderr).replace('\n', " ");
        assert!(!output.status.success() && told.contains(words), "{told}");
    };
    refused(trust, "{{.Patch}}.pem", "404");
    refused(trust, "large.crt", "64 KiB");
    let other = file("authority.crt");
    refused(
        ("SSL_CERT_FILE", other.to_str().unwrap()),
        "{{.Patch}}.crt",
        "certificate",
    );
}

#[test]
fn certificates_are_found_under_versions_as_people_write_them_and_others_are_passed_over() {
    let Some(desk) = Desk::new() else { return };
    desk.configure(&format!(
        r#"
data "hpcr_encryption_cert" "it" {{
  certs = {{ "newest" = "x", "v1.0.14" = file("{}"), "1.0" = "y" }}
}}
output "it" {{
  value = data.hpcr_encryption_cert.it
}}
"#,
        file("image.crt").display()
    ));
    let told = desk.plan();
    assert!(
        told.iter()
            .any(|one| !one.is_error && one.words().contains("passed over")),
        "{told:?}"
    );
    desk.apply();
    let it = desk.output("it");
    assert_eq!(it["version"], "1.0.14");
    assert_eq!(it["cert"], keys::read("image.crt"));
}

#[test]
fn a_record_is_opened_verified_and_read() {
    let Some(desk) = Desk::new() else { return };
    let hash = "ab".repeat(32);
    let record = format!(
        "24.3.3\nMachine Type/Plant/Serial: 8562/02/4C598\n{hash} baseimage\n{hash} env\n{hash} contract: workload\n"
    );
    desk.write("record.txt", &record);
    let key = file("image.key");
    let at = desk.path("");
    keys::openssl(
        &at,
        &[
            "dgst",
            "-sha256",
            "-sign",
            key.to_str().unwrap(),
            "-out",
            "record.sig",
            "record.txt",
        ],
    );
    desk.configure(&format!(
        r#"
data "hpcr_attestation" "clear" {{
  attestation = file("record.txt")
  cert        = file("{cert}")
  signature   = filebase64("record.sig")
}}
resource "hpcr_text_encrypted" "record" {{
  text = file("record.txt")
  cert = file("{cert}")
}}
data "hpcr_attestation" "sealed" {{
  attestation = hpcr_text_encrypted.record.rendered
  privkey     = file("{key}")
}}
output "clear" {{
  value = data.hpcr_attestation.clear.checksums
}}
output "sealed" {{
  value = data.hpcr_attestation.sealed.checksums
}}
output "opened" {{
  value = provider::hpcr::attestation_open(hpcr_text_encrypted.record.rendered, file("{key}"))
}}
output "called" {{
  value = provider::hpcr::attestation_verify(file("record.txt"), file("{cert}"), filebase64("record.sig"))
}}
"#,
        cert = file("image.crt").display(),
        key = key.display(),
    ));
    desk.apply();
    let clear = desk.output("clear");
    for name in [
        "baseimage",
        "env",
        "contract:env",
        "contract: workload",
        "contract:workload",
    ] {
        assert_eq!(clear[name], hash, "{name}");
    }
    assert_eq!(desk.output("sealed"), clear);
    assert_eq!(desk.output("called"), clear);
    assert_eq!(desk.output("opened"), record);
}

#[test]
fn functions_give_archives_and_tokens() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    desk.configure(&format!(
        r#"
resource "hpcr_tgz" "app" {{
  folder = "app"
}}
output "same" {{
  value = provider::hpcr::tgz("app") == hpcr_tgz.app.rendered
}}
output "token" {{
  value = provider::hpcr::encrypt("hello", file("{}"))
}}
"#,
        file("image.crt").display()
    ));
    desk.apply();
    assert_eq!(desk.output("same"), true);
    assert_eq!(opened(desk.output("token").as_str().unwrap()), "hello");
    assert!(!desk.would_change(), "a function gave another result");
}

#[test]
fn started_by_hand_it_says_what_it_is() {
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(crate::desk::PROVIDER);
        command
            .args(arguments)
            .env_remove("TF_PLUGIN_MAGIC_COOKIE")
            .output()
            .unwrap()
    };
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        output.stdout.is_empty() && text(&output.stderr).contains("Terraform starts this program")
    );
    assert!(text(&run(&["--help"]).stdout).contains("required_providers"));
    assert_eq!(
        text(&run(&["--version"]).stdout),
        format!("terraform-provider-hpcr {}\n", env!("CARGO_PKG_VERSION"))
    );
    let output = std::process::Command::new(crate::desk::PROVIDER)
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env("PLUGIN_PROTOCOL_VERSIONS", "4,5")
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("version 6"));
}
