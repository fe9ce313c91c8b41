//! Parties that never see each other's secrets, and contracts whose parts come from elsewhere.

use hpcr_contract::token::age::{Identity, open};

use crate::desk::Desk;
use crate::keys::{self, file, is_signed, opened};
use crate::lifecycle::contract;

/// The deployer's section.
fn env() -> String {
    format!(
        "{{\n    logging = {{ syslog = {{ hostname = \"logs.example\", server = file(\"{}\") }} }}\n  }}",
        file("authority.crt").display()
    )
}

#[test]
fn a_provider_and_a_deployer_make_one_contract_and_each_keeps_its_secrets() {
    let (Some(provider), Some(deployer)) = (Desk::new(), Desk::new()) else {
        return;
    };
    provider.stateless_app();
    let cert = format!("file(\"{}\")", file("image.crt").display());
    provider.configure(&format!(
        r#"
resource "hpcr_contract" "mine" {{
  workload = {{
    compose = {{ archive = provider::hpcr::tgz("app") }}
    env     = {{ TOKEN = "of-the-provider" }}
  }}
  cert = {cert}
}}
output "sealed" {{
  value = hpcr_contract.mine.workload_sealed
}}
output "mine" {{
  value     = hpcr_contract.mine
  sensitive = true
}}
"#
    ));
    provider.apply();
    assert!(!provider.would_change());
    assert!(provider.output("mine")["rendered"].is_null());
    let sealed = provider.output("sealed").as_str().unwrap().to_owned();

    deployer.write("workload.token", &sealed);
    deployer.configure(&format!(
        r#"
resource "hpcr_contract" "whole" {{
  workload_yaml = file("workload.token")
  env           = {}
  cert          = {cert}
  signing_key   = file("{}")
}}
output "rendered" {{
  value = hpcr_contract.whole.rendered
}}
"#,
        env(),
        file("sign.pem").display()
    ));
    deployer.apply();
    assert!(!deployer.would_change());
    let whole = contract(&deployer.output("rendered"));
    assert_eq!(
        whole["workload"], sealed,
        "the provider's section was sealed anew"
    );
    assert!(is_signed(&whole, &keys::read("sign.pub")));
    assert!(opened(whole["workload"].as_str().unwrap()).contains("of-the-provider"));
    assert!(!deployer.state().contains("of-the-provider"));
}

#[test]
fn sections_are_sealed_to_an_age_recipient() {
    let Some(desk) = Desk::new() else { return };
    desk.stateless_app();
    let identity = Identity::generate();
    desk.configure(&format!(
        r#"
resource "hpcr_contract" "it" {{
  workload  = {{ compose = {{ archive = provider::hpcr::tgz("app") }} }}
  env       = {}
  recipient = "{}"
}}
output "it" {{
  value = hpcr_contract.it.rendered
}}
"#,
        env(),
        identity.recipient()
    ));
    desk.apply();
    assert!(!desk.would_change());
    let contract = contract(&desk.output("it"));
    let clear = open(contract["env"].as_str().unwrap(), &identity).unwrap();
    assert!(String::from_utf8_lossy(&clear).contains("logs.example"));
}

#[test]
fn what_is_not_known_while_planning_is_checked_when_it_is() {
    let Some(desk) = Desk::new() else { return };
    desk.stateless_app();
    let configuration = |host: &str| {
        format!(
            r#"
resource "terraform_data" "host" {{
  input = "{host}"
}}
resource "hpcr_contract" "it" {{
  workload = {{ compose = {{ archive = provider::hpcr::tgz("app") }} }}
  env = {{
    logging = {{ syslog = {{ hostname = terraform_data.host.output, server = file("{}") }} }}
  }}
  cert = file("{}")
}}
output "it" {{
  value = hpcr_contract.it.rendered
}}
"#,
            file("authority.crt").display(),
            file("image.crt").display(),
        )
    };
    desk.configure(&configuration("logs.example"));
    desk.apply();
    let sealed = contract(&desk.output("it"));
    assert!(opened(sealed["env"].as_str().unwrap()).contains("logs.example"));
    assert!(!desk.would_change());

    desk.configure(&configuration("no host at all"));
    let output = desk.run(&["apply", "-auto-approve", "-no-color"]);
    let told = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
    assert!(
        !output.status.success() && told.contains("env.logging.syslog.hostname"),
        "{told}"
    );
}

#[test]
fn a_request_of_ones_own_and_a_key_for_one_contract_sign() {
    let Some(desk) = Desk::new() else { return };
    desk.stateless_app();
    desk.configure(&format!(
        r#"
locals {{
  contract = yamlencode({{
    workload = {{ type = "workload", compose = {{ archive = provider::hpcr::tgz("app") }} }}
    env      = {{ type = "env", logging = {{ syslog = {{ hostname = "logs.example", server = file("{ca}") }} }} }}
  }})
}}
resource "hpcr_contract_encrypted_contract_expiry" "own" {{
  contract = local.contract
  cert     = file("{cert}")
  privkey  = file("{key}")
  csr      = file("{request}")
  expiry   = 7
  cacert   = file("{ca}")
  cakey    = file("{ca_key}")
}}
resource "hpcr_contract_encrypted" "temporary" {{
  contract = local.contract
  cert     = file("{cert}")
}}
output "own" {{
  value = hpcr_contract_encrypted_contract_expiry.own.rendered
}}
output "temporary" {{
  value = hpcr_contract_encrypted.temporary.rendered
}}
"#,
        ca = file("authority.crt").display(),
        ca_key = file("authority.key").display(),
        cert = file("image.crt").display(),
        key = file("sign.pem").display(),
        request = file("request.pem").display(),
    ));
    desk.apply();
    assert!(is_signed(
        &contract(&desk.output("own")),
        &keys::read("sign.pub")
    ));
    let temporary = contract(&desk.output("temporary"));
    let env = opened(temporary["env"].as_str().unwrap());
    let key = env
        .lines()
        .find_map(|line| line.strip_prefix("signingKey: "))
        .unwrap();
    let decoded = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, key);
    let public = String::from_utf8(decoded.unwrap()).unwrap();
    assert!(is_signed(&temporary, &public));
    assert!(!desk.would_change());
}
