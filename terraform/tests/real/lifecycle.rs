//! From nothing to a contract and back, through a development override and through a mirror.

use std::fs;
use std::os::unix::fs::symlink;

use hpcr_contract::messages::INVALID_CONTRACT;
use hpcr_contract::yaml::Document;
use serde_json::Value;

use crate::desk::{Desk, PROVIDER, text as text_of};
use crate::keys::{self, file, is_signed, opened};

/// A contract as it was rendered.
pub(crate) fn contract(rendered: &Value) -> Value {
    let text = rendered.as_str().unwrap();
    Document::parse(text, "rendered", INVALID_CONTRACT)
        .unwrap()
        .to_json()
}

/// Every resource of text, a folder and a contract.
fn everything() -> String {
    format!(
        r#"
locals {{
  cert = file("{cert}")
  contract = yamlencode({{
    workload = {{ type = "workload", compose = {{ archive = hpcr_tgz.app.rendered }} }}
    env      = {{ type = "env", logging = {{ syslog = {{ hostname = "logs.example", server = file("{ca}") }} }} }}
  }})
}}
resource "hpcr_text" "it" {{
  text = "hello"
}}
resource "hpcr_text_encrypted" "it" {{
  text = "hello"
  cert = local.cert
}}
resource "hpcr_json" "it" {{
  json = jsonencode({{ a = 1 }})
}}
resource "hpcr_json_encrypted" "it" {{
  json     = jsonencode({{ a = 1 }})
  cert     = local.cert
  platform = "ccrt"
}}
resource "hpcr_tgz" "app" {{
  folder = "app"
}}
resource "hpcr_tgz_encrypted" "app" {{
  folder = "app"
  cert   = local.cert
}}
resource "hpcr_contract_encrypted" "it" {{
  contract = local.contract
  cert     = local.cert
  privkey  = file("{key}")
}}
resource "hpcr_contract_encrypted_contract_expiry" "it" {{
  contract  = local.contract
  cert      = local.cert
  privkey   = file("{locked}")
  password  = "tr0ub4dor"
  expiry    = 30
  cacert    = file("{ca}")
  cakey     = file("{ca_key}")
  csrparams = {{ country = "DE", org = "Example", domain = "shop" }}
}}
resource "hpcr_contract" "it" {{
  workload = {{
    compose = {{ archive = hpcr_tgz.app.rendered }}
    volumes = {{ data = {{ seed = "workload-seed-0123456", mount = "/data" }} }}
  }}
  env = {{
    logging = {{ syslog = {{ hostname = "logs.example", server = file("{ca}") }} }}
    volumes = {{ data = {{ seed = "deployer-seed-0123456" }} }}
    env     = {{ GREETING = "hello" }}
  }}
  attestation_public_key = file("{public}")
  cert        = local.cert
  signing_key = file("{key}")
  expiry_date = "2090-01-01"
  ca_cert     = file("{ca}")
  ca_key      = file("{ca_key}")
}}
output "all" {{
  sensitive = true
  value = {{
    text      = hpcr_text.it
    token     = hpcr_text_encrypted.it
    json      = hpcr_json.it
    jsonToken = hpcr_json_encrypted.it
    tgz       = hpcr_tgz.app
    tgzToken  = hpcr_tgz_encrypted.app
    signed    = hpcr_contract_encrypted.it
    ending    = hpcr_contract_encrypted_contract_expiry.it
    contract  = hpcr_contract.it
  }}
}}
"#,
        cert = file("image.crt").display(),
        key = file("sign.pem").display(),
        locked = file("locked.pem").display(),
        public = file("sign.pub").display(),
        ca = file("authority.crt").display(),
        ca_key = file("authority.key").display(),
    )
}

#[test]
fn what_is_applied_stays_opens_with_openssl_and_goes() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    desk.configure(&everything());
    desk.apply();
    let state = desk.state();
    assert!(!desk.would_change(), "a second plan is not empty");
    assert!(!desk.would_change(), "a third plan is not empty");
    desk.apply();
    let all = desk.output("all");

    assert_eq!(all["text"]["rendered"], "aGVsbG8=");
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(all["token"]["sha256_in"], hello);
    let token = all["token"]["rendered"].as_str().unwrap();
    assert!(token.starts_with("hyper-protect-basic."));
    assert_eq!(opened(token), "hello");
    assert!(
        state.contains(token),
        "apply without a change made another token"
    );
    let token = all["jsonToken"]["rendered"].as_str().unwrap();
    assert!(token.starts_with("contract-basic."));
    assert_eq!(opened(token), r#"{"a":1}"#);
    let archive = all["tgz"]["rendered"].as_str().unwrap();
    assert_eq!(
        opened(all["tgzToken"]["rendered"].as_str().unwrap()),
        archive
    );

    let public = keys::read("sign.pub");
    for name in ["signed", "ending", "contract"] {
        let contract = contract(&all[name]["rendered"]);
        assert!(is_signed(&contract, &public), "{name}");
        let workload = opened(contract["workload"].as_str().unwrap());
        assert!(workload.contains(archive), "{name}");
        let env = opened(contract["env"].as_str().unwrap());
        assert!(
            env.contains("logs.example") && env.contains("signingKey"),
            "{name}"
        );
    }
    let auditor = contract(&all["contract"]["rendered"])["attestationPublicKey"].clone();
    assert_eq!(opened(auditor.as_str().unwrap()), public);
    assert!(
        all["contract"]["expires"]
            .as_str()
            .unwrap()
            .starts_with("2090-01-01T00:00:00")
    );

    desk.does(&["destroy", "-auto-approve", "-no-color"]);
    assert!(!desk.state().contains("hpcr_text"));
}

#[test]
fn digests_are_those_that_a_guest_would_attest() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    desk.configure(&everything());
    desk.apply();
    let made = desk.output("all")["contract"].clone();
    let sections = contract(&made["rendered"]);
    let digest = |text: &str| hex::encode(<sha2::Sha256 as sha2::Digest>::digest(text));
    let digests = &made["digests"];
    assert_eq!(
        digests["cidata/user-data"],
        digest(made["rendered"].as_str().unwrap())
    );
    assert_eq!(digests["cidata/user-data"], made["sha256"]);
    for (name, section) in [("contract:workload", "workload"), ("contract:env", "env")] {
        let clear = opened(sections[section].as_str().unwrap());
        assert_eq!(digests[name], digest(&clear), "{name}");
    }
    let auditor = digest(&keys::read("sign.pub"));
    assert_eq!(digests["contract:attestationPublicKey"], auditor);

    // That of the auditor's key needs no section in the clear.
    desk.configure(&format!(
        r#"
resource "hpcr_contract" "it" {{
  workload_yaml          = provider::hpcr::encrypt("x", file("{cert}"))
  env_yaml               = provider::hpcr::encrypt("y", file("{cert}"))
  attestation_public_key = file("{public}")
  cert                   = file("{cert}")
}}
output "digests" {{
  value = hpcr_contract.it.digests
}}
"#,
        cert = file("image.crt").display(),
        public = file("sign.pub").display(),
    ));
    desk.apply();
    let digests = desk.output("digests");
    assert_eq!(digests["contract:attestationPublicKey"], auditor);
}

#[test]
fn a_file_that_changed_is_seen_and_nothing_else_is_made_anew() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    desk.configure(&everything());
    desk.apply();
    let before = desk.output("all");
    desk.write("app/conf/settings", "one more file");
    assert!(desk.would_change());
    desk.apply();
    let after = desk.output("all");
    for name in ["tgz", "tgzToken", "signed", "contract"] {
        assert_ne!(before[name]["rendered"], after[name]["rendered"], "{name}");
        assert_eq!(before[name]["id"], after[name]["id"], "{name}");
    }
    for name in ["text", "token", "json", "jsonToken"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert!(!desk.would_change());
}

#[test]
fn a_mirror_in_the_file_system_serves_it_with_init() {
    let Some(desk) = Desk::with("") else { return };
    let mirror = desk.path("mirror");
    desk.write(
        "terraform.rc",
        format!(
            "provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n",
            mirror.display()
        ),
    );
    let version = env!("CARGO_PKG_VERSION");
    let folder = mirror.join(format!("local/hpcr/hpcr/{version}/linux_amd64"));
    fs::create_dir_all(&folder).unwrap();
    symlink(
        PROVIDER,
        folder.join(format!("terraform-provider-hpcr_v{version}")),
    )
    .unwrap();
    desk.app();
    desk.configure(&everything());
    // As configurations for the published provider ask for it.
    let of_before = fs::read_to_string(desk.path("main.tf")).unwrap();
    for asked in [">= 1.2.0", "~> 1.2"] {
        let version = format!("source = \"local/hpcr/hpcr\"\n      version = \"{asked}\"");
        let asking = of_before.replace("source = \"local/hpcr/hpcr\"", &version);
        assert_ne!(asking, of_before);
        desk.write("main.tf", asking);
        desk.does(&["init", "-no-color"]);
    }
    desk.apply();
    assert!(!desk.would_change());
    desk.does(&["destroy", "-auto-approve", "-no-color"]);
}

#[test]
fn a_contract_that_was_made_elsewhere_is_imported_and_stays() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    desk.configure(&everything());
    desk.apply();
    let rendered = desk.output("all")["contract"]["rendered"]
        .as_str()
        .unwrap()
        .to_owned();
    let Some(other) = Desk::new() else { return };
    other.write("contract.yaml", &rendered);
    other.configure(
        r#"
locals {
  contract = yamldecode(file("contract.yaml"))
}
resource "hpcr_contract" "it" {
  workload_yaml          = local.contract.workload
  env_yaml               = local.contract.env
  attestation_public_key = local.contract.attestationPublicKey
}
output "rendered" {
  value = hpcr_contract.it.rendered
}
"#,
    );
    for (name, text, told) in [
        ("main.tf", None, "main.tf"),
        (
            "hello.yaml",
            Some("hello: world\n"),
            "it has no sealed workload",
        ),
        (
            "clear.yaml",
            Some("workload: |\n  type: workload\nenv:\n  type: env\n"),
            "it has no sealed workload",
        ),
    ] {
        if let Some(text) = text {
            other.write(name, text);
        }
        let output = other.run(&["import", "-no-color", "hpcr_contract.it", name]);
        let said = text_of(&output.stderr).replace('\n', " ");
        assert!(!output.status.success() && said.contains(told), "{said}");
        assert!(said.contains("workload_yaml") || text.is_none(), "{said}");
    }
    other.does(&["import", "-no-color", "hpcr_contract.it", "contract.yaml"]);
    other.apply();
    assert_eq!(
        other.output("rendered"),
        Value::from(rendered.clone()),
        "the signature went"
    );
    assert!(!other.would_change());

    // A certificate seals nothing here.
    let text = fs::read_to_string(other.path("main.tf")).unwrap();
    let cert = format!(
        "cert = file(\"{}\")\n  env_yaml ",
        file("image.crt").display()
    );
    other.write("main.tf", text.replace("env_yaml ", &cert));
    other.apply();
    assert_eq!(other.output("rendered"), Value::from(rendered));
    assert!(!other.would_change());
}
