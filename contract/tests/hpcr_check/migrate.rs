//! `migrate`: from a contract of the published images to one that this appliance runs.

use crate::desk::Desk;

/// A contract as the published images have it: lines go to a service that this guest does not speak to.
fn old(desk: &Desk) -> String {
    let env = desk.unsigned_env();
    let (before, rest) = env.split_once("  syslog:\n").unwrap();
    let after = &rest[rest.find("volumes:").unwrap()..];
    let router = "  logRouter:\n    hostname: router.example\n    iamApiKey: hunter2hunter2\n";
    let env = format!("{before}{router}{after}");
    let block = |text: &str| -> String {
        let lines: Vec<_> = text.lines().map(|line| format!("  {line}\n")).collect();
        lines.concat()
    };
    format!(
        "workload: |\n{}env: |\n{}",
        block(&desk.workload),
        block(&env)
    )
}

#[test]
fn a_contract_is_moved_sealed_and_signed_in_one_go_and_runs() {
    let desk = Desk::new();
    desk.write("old.yaml", old(&desk));
    let ran = desk.hpcr(&[
        "migrate",
        "old.yaml",
        "--syslog",
        "logs.example:6514",
        "--server-ca",
        "signer.crt",
        "--client-cert",
        "signer.crt",
        "--client-key",
        "signer.key",
        "--cert",
        "image.crt",
        "--sign-key",
        "signer.key",
        "--out",
        "new.yaml",
    ]);
    assert_eq!(ran.status, 0, "{ran:?}");
    for line in [
        "stays    workload.compose.archive: ",
        "stays    workload.volumes.data.seed: the same passphrase",
        "changes  env.logging.logRouter: ",
        "old.yaml: it runs; new.yaml is written, sealed\n",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    let checked = desk.hpcr(&["new.yaml", "--key", "image.key"]);
    assert!(
        checked.status == 0 && checked.out.contains("valid, and signed"),
        "{checked:?}"
    );
    let token = String::from_utf8(desk.read("new.yaml")).unwrap();
    let token = token
        .lines()
        .find_map(|line| line.strip_prefix("workload: "))
        .unwrap();
    assert_eq!(
        desk.unseal(token.trim_matches('"')),
        desk.workload.as_bytes()
    );
}

#[test]
fn what_needs_a_human_ends_with_one_and_nothing_is_sealed() {
    let desk = Desk::new();
    desk.write("old.yaml", old(&desk));
    let told = desk.hpcr(&["migrate", "old.yaml", "--format", "json"]);
    let report = told.json();
    assert_eq!((told.status, &report["valid"]), (1, &false.into()));
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["path"]),
        (&"HPL05001E".into(), &"env.logging.logRouter".into())
    );
    assert!(
        report["keys"]
            .as_array()
            .unwrap()
            .iter()
            .any(|key| key["fate"] == "stays")
    );
    let kept = desk.hpcr(&[
        "migrate",
        "old.yaml",
        "--cert",
        "image.crt",
        "--out",
        "new.yaml",
    ]);
    assert!(
        kept.status == 1
            && kept.err.contains("in the clear")
            && kept.out.contains("it needs a human: 1 error"),
        "{kept:?}"
    );
    assert!(
        String::from_utf8(desk.read("new.yaml"))
            .unwrap()
            .contains("logRouter")
    );
    for wrong in [
        &["migrate", "old.yaml", "--syslog", "logs.example"][..],
        &["migrate", "old.yaml", "--cert", "image.crt"],
        &[
            "migrate",
            "old.yaml",
            "--syslog",
            "logs.example:x",
            "--server-ca",
            "signer.crt",
        ],
        &["migrate", "nowhere"],
    ] {
        assert_eq!(desk.hpcr(wrong).status, 2, "{wrong:?}");
    }
}

#[test]
fn a_sealed_contract_is_moved_with_the_key_that_opens_it_alone() {
    let desk = Desk::new();
    desk.write("old.yaml", desk.sealed_and_signed());
    let closed = desk.hpcr(&["migrate", "old.yaml", "--out", "new.yaml"]);
    assert!(
        closed.status == 1 && closed.out.contains("image that is left behind"),
        "{closed:?}"
    );
    assert!(!desk.path("new.yaml").exists());
    let open = desk.hpcr(&[
        "migrate",
        "old.yaml",
        "--key",
        "image.key",
        "--sign-key",
        "signer.key",
        "--out",
        "new.yaml",
    ]);
    assert_eq!(open.status, 0, "{open:?}");
    assert_eq!(desk.hpcr(&["verify", "new.yaml"]).status, 0);
}

#[test]
fn keys_of_both_parties_and_unknown_ones_are_told_and_what_lies_in_no_file_names_the_one_that_was_given()
 {
    let desk = Desk::new();
    let id = "  contractId: 0123456789abcdef0123456789abcdef\n";
    let contract = desk.clear();
    let (workload, env) = contract.split_once("env: |\n").unwrap();
    desk.write(
        "old.yaml",
        format!("{workload}{id}env: |\n{env}  further: x\n{id}"),
    );
    let ran = desk.hpcr(&["migrate", "old.yaml"]);
    for part in [
        "stays    workload.contractId: ",
        "stays    env.contractId: ",
        "= key: env.further\n",
    ] {
        assert!(ran.status == 0 && ran.out.contains(part), "{part}: {ran:?}");
    }
    desk.write(
        "old.yaml",
        format!("{workload}env: |\n{env}  further: x\n{id}"),
    );
    let ran = desk.hpcr(&["migrate", "old.yaml", "--format", "github"]);
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(ran.status == 1 && lines.len() == 2, "{ran:?}");
    for line in lines {
        assert!(
            line.contains(" file=old.yaml,title=") && line.contains("::the new contract:"),
            "{line}"
        );
    }
}
