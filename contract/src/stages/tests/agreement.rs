//! Age files as sections, and consent as a stage.

use super::*;
use crate::disclosure;
use crate::image_config::ImageKind;
use crate::token::age::{self, Identity};

static IDENTITY: LazyLock<Identity> = LazyLock::new(Identity::generate);

fn aged(text: &str) -> String {
    age::seal(text.as_bytes(), &IDENTITY.recipient()).unwrap()
}

fn contract(workload: &str, env: &str) -> String {
    format!(
        "workload: |\n{}env: |\n{}",
        block(workload, 2),
        block(env, 2)
    )
}

fn keys() -> Keys<'static> {
    Keys {
        token: Some(&KEY),
        age: Some(&IDENTITY),
        everything: true,
    }
}

fn verified(contract: &str) -> Result<Verified, Rejection> {
    Sealed::parse(contract.as_bytes(), "contract.yaml")?
        .open(keys())?
        .verify(Product::Ccrt)
}

#[test]
fn an_age_file_is_a_section_beside_any_other_form() {
    for (workload, env) in [
        (aged(WORKLOAD), aged(ENV)),
        (aged(WORKLOAD), token(ENV)),
        (aged(WORKLOAD), ENV.to_owned()),
    ] {
        let contract = contract(&workload, &env);
        let sealed = Sealed::parse(contract.as_bytes(), "c").unwrap();
        assert!(sealed.needs_key());
        let verified = verified(&contract).unwrap();
        let expected: [u8; 32] = Sha256::digest(WORKLOAD).into();
        assert_eq!(verified.evidence().workload, expected);
    }
    let without = Sealed::parse(contract(&aged(WORKLOAD), ENV).as_bytes(), "c")
        .unwrap()
        .open(Some(&*KEY))
        .unwrap_err();
    assert!(without.sealed);
    assert!(first(&without).1.contains("needs a key of its kind"));
}

#[test]
fn age_files_are_signed_as_they_stand_and_never_without_their_line_ends() {
    let (workload, env) = (aged(WORKLOAD), aged(&with_signing_key(&SIGNER.public_pem)));
    let signed = |signature: &str| {
        format!(
            "{}envWorkloadSignature: {signature}\n",
            contract(&workload, &env)
        )
    };
    verified(&signed(&signature(&workload, &env))).unwrap();
    let stripped = signature(&workload.replace('\n', ""), &env.replace('\n', ""));
    assert!(verified(&signed(&stripped)).is_err());
}

#[test]
fn a_stolen_workload_beside_the_hosts_own_signed_env_stops_and_the_console_does_not_say_why() {
    let author = PublicKey::parse(&IMAGE.public_pem).unwrap();
    let pin = hex::encode(author.fingerprint().unwrap());
    let stolen = token(&format!("{WORKLOAD}envPolicy: {{signers: [{pin}]}}\n"));
    let env = token(&with_signing_key(&SIGNER.public_pem));
    let contract = format!(
        "workload: {stolen}\nenv: {env}\nenvWorkloadSignature: {}\n",
        signature(&stolen, &env)
    );
    let verified = verified(&contract).unwrap();
    let rejection = verified.agree().unwrap_err();
    assert_eq!(rejection.findings[0].code, messages::CONSENT_REFUSED);
    assert!(!rejection.authenticated, "the host's signature is nobody's");
    let told = disclosure::tell(&rejection, ImageKind::Production);
    assert_eq!(told[0].code, messages::INVALID_CONTRACT);
}

#[test]
fn sections_of_two_contracts_do_not_agree() {
    let with_id =
        |section: &str, id: &str| aged(&format!("{section}contractId: hunter2-hunter2-{id}\n"));
    let good = verified(&contract(&with_id(WORKLOAD, "1"), &with_id(ENV, "1"))).unwrap();
    assert!(good.agree().is_ok());
    let mixed = verified(&contract(&with_id(WORKLOAD, "1"), &with_id(ENV, "2"))).unwrap();
    assert_eq!(
        first(&mixed.agree().unwrap_err()).0,
        messages::CONSENT_REFUSED
    );
    assert!(!good.redacted().unwrap().contains("hunter2"));
}

#[test]
fn a_fault_in_one_section_hides_none_of_the_other_and_none_of_the_archive() {
    let archive = testing::targz(&[(
        "docker-compose.yml",
        b"services:\n  web: {image: a, prot: 1}\n",
    )]);
    let archive = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, archive);
    let workload = format!("type: workload\ncompose: {{archive: {archive}}}\n");
    let bad_workload = "type: workload\ncompose: {archive: ''}\n";
    let env = "type: env\nlogging: {syslog: {hostname: 'a:b', server: QUJD}}\n";
    let bad_env = "type: env\nlogging: {}\nenv: {A: b}\n";
    for (workload, env, expected) in [
        (
            workload.as_str(),
            bad_env,
            &["env.logging", "services.web.image", "services.web.prot"][..],
        ),
        (
            bad_workload,
            env,
            &[
                "workload.compose.archive",
                "env.logging.syslog.hostname",
                "env.logging.syslog.server",
            ],
        ),
        // The signature is wrong, and so is the rest.
        (
            workload.as_str(),
            env,
            &[
                "envWorkloadSignature",
                "env.logging.syslog.hostname",
                "services.web.prot",
            ],
        ),
    ] {
        let contract = format!("{}envWorkloadSignature: AAAA\n", contract(workload, env));
        let rejection = verified(&contract).unwrap_err();
        let paths: Vec<_> = rejection
            .findings
            .iter()
            .map(|finding| finding.place.path.as_str())
            .collect();
        for path in expected {
            assert!(paths.contains(path), "{path} is not in {paths:?}");
        }
    }
}

#[test]
fn whatever_stops_a_sealed_contract_a_guest_does_the_whole_work_once() {
    let policy = format!(
        "{WORKLOAD}contractId: one-of-16-letters-or-more\nenvPolicy:\n  collectors: [elsewhere.example]\n"
    );
    let garbled =
        sealed(WORKLOAD, ENV).replace("env: hyper-protect-basic.", "env: hyper-protect-basic.AAAA");
    let unsigned = sealed(WORKLOAD, &with_signing_key(&SIGNER.public_pem));
    let clear = format!("workload: |\n{}env: |\n  type: env\n", block(WORKLOAD, 2));
    for (contract, everything, taken, goes_on) in [
        (garbled.clone(), false, 1, false),
        (sealed("{", ENV), false, 1, false),
        (sealed(WORKLOAD, "type: env\n"), false, 1, false),
        (unsigned, false, 1, false),
        (sealed(&policy, ENV), false, 1, false),
        (garbled, true, 0, false),
        (clear, false, 0, false),
        (sealed(WORKLOAD, ENV), false, 0, true),
    ] {
        stand_in::TAKEN.with(|taken| taken.set(0));
        let keys = Keys {
            everything,
            ..keys()
        };
        let walked = Sealed::parse(contract.as_bytes(), "user-data")
            .unwrap()
            .open(keys)
            .and_then(|opened| opened.verify(Product::Ccrt))
            .and_then(|verified| verified.agree().map(drop));
        assert_eq!(walked.is_ok(), goes_on, "{contract}");
        assert_eq!(
            stand_in::TAKEN.with(std::cell::Cell::get),
            taken,
            "{contract}"
        );
    }
}
