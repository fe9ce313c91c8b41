//! Moving in from the published provider: the state that it left is read, and what did not change stays.

use serde_json::json;

use crate::desk::Desk;
use crate::keys::{self, file, opened};

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
    }}
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
    desk.apply();
    let contract = crate::lifecycle::contract(&desk.output("it"));
    assert!(keys::is_signed(&contract, &keys::read("sign.pub")));
}
