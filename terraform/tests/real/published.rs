//! Moving in from the published provider: the state that it left is read, and what did not change stays.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::desk::{Desk, PROVIDER, text};
use crate::keys::{self, file, opened};

/// Where the published provider comes from.
const PUBLISHED: &str = "registry.terraform.io/ibm-hyper-protect/hpcr";

/// An instance called `it` as the published provider leaves it: what is not given is null, and nothing is kept beside it.
fn left(kind: &str, arguments: &Value) -> Value {
    let mut attributes = json!({
        "id": "7b1d7c0e-6a37-4b3e-9f3a-0123456789ab", "rendered": "hyper-protect-basic.of.old", "sha256_in": "in",
        "sha256_out": "out",
    });
    let given = arguments.as_object().unwrap().clone();
    attributes.as_object_mut().unwrap().extend(given);
    json!({
        "mode": "managed", "type": kind, "name": "it", "provider": format!("provider[\"{PUBLISHED}\"]"),
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    })
}

/// A folder as another tool packs it.
fn packed(desk: &Desk, folder: &str) -> String {
    let mut tar = Command::new("tar");
    tar.arg("-C")
        .arg(desk.path(folder))
        .args(["-czf", "-", "."]);
    STANDARD.encode(tar.output().unwrap().stdout)
}

#[test]
fn a_deployment_of_the_published_provider_changes_its_source_and_nothing_else() {
    let Some(desk) = Desk::new() else { return };
    desk.stateless_app();
    let (ca, ca_key) = (keys::read("authority.crt"), keys::read("authority.key"));
    let contract = json!({
        "workload": {"type": "workload", "compose": {"archive": packed(&desk, "app")}},
        "env": {"type": "env", "logging": {"syslog": {"hostname": "logs.example", "server": ca}}},
    });
    let contract = contract.to_string();
    desk.write("contract.yaml", &contract);
    let (cert, key) = (keys::read("image.crt"), keys::read("sign.pem"));
    let sealed = |name: &str, value: &str| json!({name: value, "cert": cert, "platform": null, "version": null});
    let signed = json!({"contract": contract, "cert": cert, "platform": "hpvs", "privkey": key});
    let mut ending = signed.clone();
    ending.as_object_mut().unwrap().extend(
        json!({"version": null, "password": null, "expiry": 30, "cacert": ca, "cakey": ca_key, "csr": null,
            "csrparams": {"country": "DE"}})
        .as_object()
        .unwrap()
        .clone(),
    );
    let state = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [
            left("hpcr_text", &json!({"text": "hello", "rendered": "aGVsbG8="})),
            left("hpcr_text_encrypted", &sealed("text", "hello")),
            left("hpcr_json", &json!({"json": "{\"a\":1}", "rendered": "eyJhIjoxfQ=="})),
            left("hpcr_json_encrypted", &sealed("json", "{\"a\":1}")),
            left("hpcr_tgz", &json!({"folder": "app", "rendered": packed(&desk, "app")})),
            left("hpcr_tgz_encrypted", &sealed("folder", "app")),
            left("hpcr_contract_encrypted", &signed),
            left("hpcr_contract_encrypted_contract_expiry", &ending),
        ],
    });
    desk.write("terraform.tfstate", state.to_string());
    let pem = |name| format!("file(\"{}\")", file(name).display());
    let (cert, key) = (format!("cert = {}", pem("image.crt")), pem("sign.pem"));
    let contract = format!("contract = file(\"contract.yaml\")\n  {cert}\n  privkey = {key}");
    let ending = format!(
        "{contract}\n  expiry = 30\n  cacert = {}\n  cakey = {}\n  csrparams = {{ country = \"DE\" }}",
        pem("authority.crt"),
        pem("authority.key")
    );
    let blocks = [
        ("hpcr_text", "text = \"hello\"".to_owned()),
        ("hpcr_text_encrypted", format!("text = \"hello\"\n  {cert}")),
        ("hpcr_json", "json = jsonencode({ a = 1 })".to_owned()),
        (
            "hpcr_json_encrypted",
            format!("json = jsonencode({{ a = 1 }})\n  {cert}"),
        ),
        ("hpcr_tgz", "folder = \"app\"".to_owned()),
        ("hpcr_tgz_encrypted", format!("folder = \"app\"\n  {cert}")),
        ("hpcr_contract_encrypted", contract),
        ("hpcr_contract_encrypted_contract_expiry", ending),
    ];
    let blocks =
        blocks.map(|(kind, body)| format!("resource \"{kind}\" \"it\" {{\n  {body}\n}}\n"));
    desk.configure(&blocks.concat());
    let moved = [
        "state",
        "replace-provider",
        "-auto-approve",
        PUBLISHED,
        "local/hpcr/hpcr",
    ];
    desk.does(&moved);
    assert!(
        !desk.would_change(),
        "{}",
        desk.does(&["plan", "-no-color"])
    );
    desk.apply();
    assert!(desk.state().contains("hyper-protect-basic.of.old"));

    // From now on folders are looked into.
    desk.write("app/more", "a file");
    let plan = text(&desk.run(&["plan", "-no-color"]).stdout);
    let changed: Vec<_> = plan
        .lines()
        .filter(|line| line.contains("will be"))
        .collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(
        changed.iter().all(|line| line.contains("hpcr_tgz")),
        "{changed:?}"
    );
}

#[test]
fn an_archive_of_the_published_provider_that_is_out_of_date_is_made_anew() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    let archive = packed(&desk, "app");
    desk.write("app/more", "a file that it has not");
    let state = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [left("hpcr_tgz", &json!({"folder": "app", "rendered": archive}))],
    });
    let state = state.to_string().replace(PUBLISHED, "local/hpcr/hpcr");
    desk.write("terraform.tfstate", state);
    desk.configure("resource \"hpcr_tgz\" \"it\" {\n  folder = \"app\"\n}\n");
    assert!(desk.would_change());
}

#[test]
fn the_state_of_the_published_provider_is_read_and_kept() {
    let Some(desk) = Desk::new() else { return };
    let certificate = keys::read("image.crt");
    let attributes = json!({
        "id": "7b1d7c0e-6a37-4b3e-9f3a-0123456789ab", "text": "hello", "cert": certificate, "platform": "hpvs",
        "version": null, "rendered": "hyper-protect-basic.of.old", "sha256_in": "in", "sha256_out": "out",
        "something": "that we do not know",
    });
    let state = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [{
            "mode": "managed", "type": "hpcr_text_encrypted", "name": "it",
            "provider": "provider[\"local/hpcr/hpcr\"]",
            "instances": [{"schema_version": 0, "attributes": attributes, "private": "bnVsbA=="}],
        }],
    });
    desk.write("terraform.tfstate", state.to_string());
    let configuration = |text: &str| {
        format!(
            "resource \"hpcr_text_encrypted\" \"it\" {{\n  text = \"{text}\"\n  cert = file(\"{}\")\n}}\noutput \"it\" {{\n  value = hpcr_text_encrypted.it\n  sensitive = true\n}}\n",
            file("image.crt").display()
        )
    };
    desk.configure(&configuration("hello"));
    let plan = desk.does(&["plan", "-no-color"]);
    assert!(!plan.contains("will be"), "{plan}");
    desk.apply();
    assert_eq!(desk.output("it")["rendered"], "hyper-protect-basic.of.old");
    desk.configure(&configuration("goodbye"));
    desk.apply();
    let it = desk.output("it");
    assert_eq!(opened(it["rendered"].as_str().unwrap()), "goodbye");
    assert_eq!(it["id"], "7b1d7c0e-6a37-4b3e-9f3a-0123456789ab");
}

#[test]
fn a_moved_block_takes_over_what_the_published_provider_left() {
    let bin = Path::new(PROVIDER).parent().unwrap();
    // Terraform asks for the provider that the state names, too; none of its calls is needed.
    let overrides =
        [PUBLISHED, "local/hpcr/hpcr"].map(|source| format!("\"{source}\" = {bin:?}\n"));
    let rc = format!(
        "provider_installation {{\n  dev_overrides {{\n{}  }}\n}}\n",
        overrides.concat()
    );
    let Some(desk) = Desk::with(&rc) else { return };
    let cert = keys::read("image.crt");
    let arguments = json!({"text": "hello", "cert": cert, "platform": null, "version": null});
    let state = json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {},
        "resources": [left("hpcr_text_encrypted", &arguments)],
    });
    desk.write("terraform.tfstate", state.to_string());
    let configuration = |kind: &str| {
        format!(
            "moved {{\n  from = hpcr_text_encrypted.it\n  to = {kind}.now\n}}\nresource \"{kind}\" \"now\" {{\n  text = \"hello\"\n  {}\n}}\n",
            match kind {
                "hpcr_text" => String::new(),
                _ => format!("cert = file(\"{}\")", file("image.crt").display()),
            }
        )
    };
    desk.configure(&configuration("hpcr_text"));
    let refused = text(&desk.run(&["plan", "-no-color"]).stderr);
    assert!(
        refused.contains("There is no way to a hpcr_text"),
        "{refused}"
    );
    desk.configure(&configuration("hpcr_text_encrypted"));
    let applied = desk.apply();
    assert!(
        applied.contains("0 added, 0 changed, 0 destroyed"),
        "{applied}"
    );
    let state = desk.state();
    assert!(state.contains("hyper-protect-basic.of.old") && state.contains("local/hpcr/hpcr"));
    assert!(!desk.would_change());
}

#[test]
fn names_of_platforms_of_older_days_are_understood() {
    let Some(desk) = Desk::new() else { return };
    desk.configure(&format!(
        "resource \"hpcr_text_encrypted\" \"it\" {{\n  text = \"hello\"\n  cert = file(\"{}\")\n  platform = \"hpcr-rhvs\"\n}}\noutput \"it\" {{\n  value = hpcr_text_encrypted.it.rendered\n}}\n",
        file("image.crt").display()
    ));
    desk.apply();
    let token = desk.output("it");
    assert!(token.as_str().unwrap().starts_with("contract-basic."));
}

#[test]
fn a_contract_with_a_signing_key_of_its_own_gets_the_one_that_signs() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    desk.configure(&format!(
        r#"
resource "hpcr_contract_encrypted" "it" {{
  contract = yamlencode({{
    workload = {{ type = "workload", compose = {{ archive = provider::hpcr::tgz("app") }} }}
    env = {{
      type       = "env"
      logging    = {{ syslog = {{ hostname = "logs.example", server = file("{ca}") }} }}
      signingKey = file("{ca}")
      env        = {{ PASSWORD = "in the clear, until it is sealed" }}
    }}
    envWorkloadSignature = "of another day"
  }})
  cert    = file("{cert}")
  privkey = file("{key}")
}}
output "it" {{
  value = hpcr_contract_encrypted.it.rendered
}}
"#,
        ca = file("authority.crt").display(),
        cert = file("image.crt").display(),
        key = file("sign.pem").display(),
    ));
    let told = desk.plan();
    assert!(
        told.iter().all(|one| !one.words().contains("HPL05101W")),
        "{told:?}"
    );
    desk.apply();
    let contract = crate::lifecycle::contract(&desk.output("it"));
    assert!(keys::is_signed(&contract, &keys::read("sign.pub")));
}

#[test]
fn what_is_empty_is_as_good_as_not_given() {
    let Some(desk) = Desk::new() else { return };
    desk.stateless_app();
    desk.write("record.txt", format!("{} env\n", "ab".repeat(32)));
    desk.configure(&format!(
        r#"
provider "hpcr" {{
  cert = file("{cert}")
}}
locals {{
  contract = yamlencode({{
    workload = {{ type = "workload", compose = {{ archive = provider::hpcr::tgz("app") }} }}
    env      = {{ type = "env", logging = {{ syslog = {{ hostname = "logs.example", server = file("{ca}") }} }} }}
  }})
}}
resource "hpcr_text_encrypted" "it" {{
  text     = ""
  cert     = ""
  platform = ""
  version  = ""
}}
resource "hpcr_contract_encrypted" "it" {{
  contract    = local.contract
  contract_wo = ""
  privkey     = ""
  password    = ""
}}
resource "hpcr_contract_encrypted_contract_expiry" "it" {{
  contract  = local.contract
  privkey   = file("{key}")
  password  = ""
  expiry    = 9
  cacert    = file("{ca}")
  cakey     = file("{ca_key}")
  csr       = ""
  csrparams = {{ country = "" }}
}}
resource "hpcr_contract" "it" {{
  workload               = {{ compose = {{ archive = provider::hpcr::tgz("app") }} }}
  workload_yaml          = ""
  attestation_public_key = ""
  platform               = ""
  signing_key            = ""
  expiry_date            = ""
}}
data "hpcr_attestation" "it" {{
  attestation = file("record.txt")
  privkey     = ""
  cert        = ""
  signature   = ""
}}
output "token" {{
  value = hpcr_text_encrypted.it.rendered
}}
output "same" {{
  value = provider::hpcr::encrypt("x", file("{cert}"), "") == provider::hpcr::encrypt("x", file("{cert}"))
}}
"#,
        ca = file("authority.crt").display(),
        ca_key = file("authority.key").display(),
        cert = file("image.crt").display(),
        key = file("sign.pem").display(),
    ));
    let empty = ("HPCR_CERT", "");
    let applied = desk.run_with(empty, &["apply", "-auto-approve", "-no-color"]);
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    let token = desk.output("token");
    let token = token.as_str().unwrap();
    assert!(token.starts_with("hyper-protect-basic."), "{token}");
    assert_eq!(opened(token), "");
    assert_eq!(desk.output("same"), true);
    assert!(!desk.would_change());
}
