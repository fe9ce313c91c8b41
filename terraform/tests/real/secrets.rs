//! What must not be read anywhere: secrets that are write-only, and the signs of those that are sensitive.

use crate::desk::Desk;
use crate::keys::{self, file, is_signed, opened};
use crate::lifecycle::contract;

const SEED: &str = "hunter2-hunter2-hunter2";

fn configuration(seed: &str, key: &str) -> String {
    format!(
        r#"
resource "hpcr_tgz" "app" {{
  folder = "app"
}}
resource "hpcr_contract" "it" {{
  workload = {{
    compose = {{ archive = hpcr_tgz.app.rendered }}
    volumes = {{ data = {{ seed = "workload-seed-0123456", mount = "/data" }} }}
  }}
  env_wo = yamlencode({{
    type    = "env"
    logging = {{ syslog = {{ hostname = "logs.example", server = file("{ca}") }} }}
    volumes = {{ data = {{ seed = "{seed}" }} }}
  }})
  cert           = file("{cert}")
  signing_key_wo = file("{key}")
}}
output "rendered" {{
  value = hpcr_contract.it.rendered
}}
"#,
        ca = file("authority.crt").display(),
        cert = file("image.crt").display(),
        key = file(key).display(),
    )
}

#[test]
fn a_write_only_secret_stands_in_no_state_and_a_change_of_it_is_seen() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    desk.configure(&configuration(SEED, "sign.pem"));
    desk.apply();
    let first = desk.output("rendered");
    let sections = contract(&first);
    assert!(opened(sections["env"].as_str().unwrap()).contains(SEED));
    assert!(is_signed(&sections, &keys::read("sign.pub")));
    let state = desk.state();
    let key = keys::read("sign.pem");
    let body = key.lines().nth(3).unwrap();
    assert!(
        !state.contains(SEED) && !state.contains(body),
        "a secret is in the state"
    );
    assert!(!desk.would_change() && !desk.would_change());

    desk.configure(&configuration("another-seed-of-the-deployer", "sign.pem"));
    assert!(desk.would_change(), "another seed is no change");
    desk.apply();
    assert!(!desk.would_change());
    desk.configure(&configuration(
        "another-seed-of-the-deployer",
        "authority.key",
    ));
    assert!(desk.would_change(), "another signing key is no change");
    desk.apply();
    assert_ne!(desk.output("rendered"), first);
}

#[test]
fn every_secret_of_what_is_sealed_has_a_write_only_twin() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    let configuration = |secret: &str| {
        format!(
            r#"
locals {{
  cert     = file("{cert}")
  contract = yamlencode({{
    workload = {{ type = "workload", compose = {{ archive = provider::hpcr::tgz("app") }}, env = {{ TOKEN = "{secret}" }} }}
    env      = {{ type = "env", logging = {{ syslog = {{ hostname = "logs.example", server = file("{ca}") }} }} }}
  }})
}}
resource "hpcr_text_encrypted" "it" {{
  text_wo = "{secret}"
  cert    = local.cert
}}
resource "hpcr_json_encrypted" "it" {{
  json_wo = jsonencode("{secret}")
  cert    = local.cert
}}
resource "hpcr_contract_encrypted" "it" {{
  contract_wo = local.contract
  privkey_wo  = file("{locked}")
  password_wo = "tr0ub4dor"
  cert        = local.cert
}}
resource "hpcr_contract_encrypted_contract_expiry" "it" {{
  contract_wo = local.contract
  privkey_wo  = file("{locked}")
  password_wo = "tr0ub4dor"
  cert        = local.cert
  expiry      = 30
  cacert      = file("{ca}")
  cakey_wo    = file("{ca_key}")
  csrparams   = {{ country = "DE" }}
}}
output "all" {{
  value = [hpcr_text_encrypted.it, hpcr_json_encrypted.it, hpcr_contract_encrypted.it, hpcr_contract_encrypted_contract_expiry.it]
  sensitive = true
}}
"#,
            cert = file("image.crt").display(),
            ca = file("authority.crt").display(),
            ca_key = file("authority.key").display(),
            locked = file("locked.pem").display(),
        )
    };
    desk.configure(&configuration(SEED));
    desk.apply();
    let (state, all) = (desk.state(), desk.output("all"));
    let body = |name| keys::read(name).lines().nth(3).unwrap().to_owned();
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(SEED));
    for secret in [SEED, "tr0ub4dor", &digest, &body("authority.key")] {
        assert!(!state.contains(secret), "a secret is in the state");
    }
    assert_eq!(opened(all[0]["rendered"].as_str().unwrap()), SEED);
    for index in [2, 3] {
        let contract = contract(&all[index]["rendered"]);
        assert!(opened(contract["workload"].as_str().unwrap()).contains(SEED));
        assert!(is_signed(&contract, &keys::read("sign.pub")));
    }
    assert!(!desk.would_change());
    desk.configure(&configuration("another-secret-of-that-kind"));
    desk.apply();
    let after = desk.output("all");
    for index in 0..4 {
        assert_ne!(all[index]["rendered"], after[index]["rendered"], "{index}");
    }
    assert!(!desk.would_change());
}

#[test]
fn a_secret_is_given_once() {
    let Some(desk) = Desk::new() else { return };
    for (given, words) in [
        ("", "Missing required argument: text"),
        ("text = \"x\"\n  text_wo = \"x\"", "A secret is given twice"),
    ] {
        desk.configure(&format!(
            "resource \"hpcr_text_encrypted\" \"it\" {{\n  {given}\n}}\n"
        ));
        let told = desk.validate();
        let is_told = told
            .iter()
            .any(|one| one.is_error && one.words().contains(words));
        assert!(is_told, "{told:?}");
    }
}

#[test]
fn a_plan_shows_no_secret() {
    let Some(desk) = Desk::new() else { return };
    desk.app();
    desk.configure(&format!(
        r#"
variable "secret" {{
  default   = "{SEED}"
  sensitive = true
}}
resource "hpcr_text" "it" {{
  text = var.secret
}}
resource "hpcr_contract" "it" {{
  workload = {{
    compose = {{ archive = provider::hpcr::tgz("app") }}
    env     = {{ TOKEN = var.secret }}
    volumes = {{ data = {{ seed = var.secret, mount = "/data" }} }}
    auths   = {{ "registry.example" = {{ username = "user", password = var.secret }} }}
  }}
  env = {{
    logging = {{ log_router = {{ hostname = "logs.example", iam_api_key = var.secret }} }}
    volumes = {{ data = {{ seed = var.secret }} }}
  }}
  cert = file("{}")
}}
"#,
        file("image.crt").display()
    ));
    let plan = desk.does(&["plan", "-no-color"]);
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, SEED);
    assert!(!plan.contains(SEED) && !plan.contains(&encoded), "{plan}");
    assert!(plan.contains("logs.example"), "what is harmless is shown");
}

#[test]
fn an_error_never_quotes_what_it_is_about() {
    let Some(desk) = Desk::new() else { return };
    desk.configure(&format!(
        r#"
resource "hpcr_contract" "it" {{
  workload_yaml = "type: workload\nplay: {{resources: [{{kind: Pod, spec: {{containers: [{{name: {SEED}, nonsense: {SEED}}}]}}}}]}}\nvolumes: {{data: {{seed: {SEED}, mount: nowhere}}}}\n"
  env_yaml      = "type: env\nlogging: {{syslog: {{hostname: x, key: {SEED}, server: {SEED}}}}}\n"
  signing_key   = "{SEED}"
  cert          = "{SEED}"
}}
"#
    ));
    let told = desk.validate();
    assert!(told.len() >= 4, "{told:?}");
    for one in &told {
        assert!(!one.words().contains(SEED), "{one:?}");
    }
}
