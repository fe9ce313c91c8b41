//! `inspect`, `plan` and `diff`: what is in a contract, without its secrets.

use serde_json::{Value, json};

use crate::desk::{DIGEST, Desk, run};

#[test]
fn the_plan_shows_what_will_run_and_no_secret() {
    let desk = Desk::new();
    desk.write("contract.yaml", desk.sealed_and_signed());
    let ran = desk.hpcr(&["plan", "contract.yaml", "--key", "image.key"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let plan = ran.json();
    let service = &plan["services"][0];
    assert_eq!(
        service["image"],
        format!("registry.example:5000/web@{DIGEST}")
    );
    assert_eq!(
        (&service["commandWords"], &service["environment"]),
        (&json!(3), &json!(["GREETING"]))
    );
    assert_eq!(plan["volumes"][0]["mount"], "/mnt/data");
    assert_eq!(
        (
            &plan["volumes"][0]["create"],
            &plan["volumes"][0]["headerRecord"]
        ),
        (&json!("ifBlank"), &json!("adopt"))
    );
    assert_eq!(service["limits"]["ulimits"], json!(["nofile 1024:-1"]));
    assert_eq!(plan["logging"]["port"], 6514);
    assert_eq!(plan["registries"][0], "registry.example:5000");
    let closed = desk.hpcr(&["plan", "contract.yaml"]);
    assert!(
        closed.status == 2 && closed.err.contains("--key"),
        "{closed:?}"
    );
}

#[test]
fn an_auditor_sees_digests_readers_and_keys_and_no_secret() {
    let desk = Desk::new();
    let contract = desk.sealed_and_signed();
    desk.write("contract.yaml", &contract);
    let digest = |bytes: &[u8]| {
        String::from_utf8(run("openssl", &["dgst", "-sha256", "-r"], bytes)).unwrap()[..64]
            .to_owned()
    };
    let open = desk
        .hpcr(&[
            "inspect",
            "contract.yaml",
            "--key",
            "image.key",
            "--format",
            "json",
        ])
        .json();
    assert_eq!(
        open["digests"]["cidata/user-data"],
        digest(contract.as_bytes())
    );
    assert_eq!(
        open["digests"]["contract:workload"],
        digest(desk.workload.as_bytes())
    );
    assert_eq!(open["digests"]["contract:env"], digest(desk.env.as_bytes()));
    assert!(
        open["signature"]
            .as_str()
            .unwrap()
            .starts_with("good, by the key with SHA-256 ")
    );
    let workload = &open["content"]["workload"];
    assert_eq!(workload["volumes"]["data"]["seed"], "<hidden>");
    let web = &workload["compose"]["archive"]["docker-compose.yaml"]["services"]["web"];
    assert_eq!(
        (&web["ports"], &web["command"]),
        (&json!(["8080:80"]), &json!("<hidden>"))
    );

    let closed = desk.hpcr(&["inspect", "contract.yaml"]);
    assert_eq!(closed.status, 0);
    for part in [
        "(hyper-protect-basic; closed here)",
        "(contract-basic; closed here)",
        "not checked: a section is sealed",
        "the image",
    ] {
        assert!(closed.out.contains(part), "{part}:\n{}", closed.out);
    }
    assert!(
        !closed.out.contains("contract:workload"),
        "a digest of what is sealed is not known"
    );
    desk.write("contract.yaml", desk.clear());
    let clear = desk.hpcr(&["inspect", "contract.yaml"]);
    assert!(
        clear.out.contains("everyone who handles the file")
            && clear.out.contains("(literal block)"),
        "{}",
        clear.out
    );
    // One section in the clear: what can be said of that is said.
    let workload = desk.seal(&desk.workload, "contract-basic");
    let env = desk.env.trim_end().replace('\n', "\n  ");
    let half = format!("workload: {workload}\nenv: |\n  {env}\n");
    desk.write("contract.yaml", half);
    let half = desk
        .hpcr(&["inspect", "contract.yaml", "--format", "json"])
        .json();
    assert_eq!(half["digests"]["contract:env"], digest(desk.env.as_bytes()));
    assert_eq!(
        (&half["digests"]["contract:workload"], &half["signature"]),
        (&Value::Null, &json!("none"))
    );
    desk.write("contract.yaml", "no contract");
    assert_eq!(desk.hpcr(&["inspect", "contract.yaml"]).status, 1);
}

#[test]
fn a_difference_is_one_of_meaning_and_ends_with_one() {
    let mut desk = Desk::new();
    desk.write("a.yaml", desk.clear());
    desk.write("b.yaml", desk.sealed_and_signed());
    let ran = desk.hpcr(&["diff", "a.yaml", "b.yaml", "--key", "image.key"]);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (
            1,
            "+ env.signingKey: <hidden>\n+ envWorkloadSignature: <hidden>\n"
        )
    );
    desk.workload = desk
        .workload
        .replace("workload-seed-0001", "workload-seed-0002")
        .replace("GREETING", "WELCOME");
    desk.write("b.yaml", desk.clear());
    let ran = desk.hpcr(&["diff", "a.yaml", "b.yaml"]);
    let expected = "- workload.env.GREETING: <hidden>\n+ workload.env.WELCOME: <hidden>\n~ workload.volumes.data.seed: another value\n";
    assert_eq!((ran.status, ran.out.as_str()), (1, expected));
    assert_eq!(desk.hpcr(&["diff", "a.yaml", "a.yaml"]).status, 0);
    let json = desk
        .hpcr(&["diff", "a.yaml", "b.yaml", "--format", "json"])
        .json();
    assert_eq!(
        json[0],
        json!({"path": "workload.env.GREETING", "before": "<hidden>", "after": null})
    );
}

#[test]
fn the_truth_about_the_signature_is_told_also_where_the_contract_breaks_the_schema() {
    let mut desk = Desk::new();
    desk.workload = desk
        .workload
        .replace("seed: workload-seed-0001", "seed: short");
    let signature = |contract: &str| {
        desk.write("contract.yaml", contract);
        let arguments = [
            "inspect",
            "contract.yaml",
            "--key",
            "image.key",
            "--format",
            "json",
        ];
        let told = desk.hpcr(&arguments).json()["signature"].clone();
        told.as_str().unwrap().to_owned()
    };
    let good = desk.sealed_and_signed();
    let told = signature(&good);
    assert!(
        told.starts_with("good, by the key with SHA-256 ")
            && told.ends_with("not valid for other reasons"),
        "{told}"
    );
    let tampered = good.replace("hyper-protect-basic", "contract-basic");
    assert!(signature(&tampered).starts_with("not good: the signature does not match"));
    assert_eq!(signature(&desk.clear()), "none");
    let bare = good.lines().filter(|line| !line.starts_with("envWorkload"));
    assert_eq!(signature(&bare.collect::<Vec<_>>().join("\n")), "none");
}

#[test]
fn what_somebody_wrote_into_a_key_is_shown_by_no_command() {
    let mut desk = Desk::new();
    let compose = format!(
        "services:\n  a:\n    image: bob:hunter2@reg.example/x@{DIGEST}\n    environment: {{DB_PASSWORD=hunter2: x}}\n  \
         b:\n    image: x@{DIGEST}\n    environment:\n      - OK=1\n    PASS=hunter2: y\n    volumes: [{{PASS=hunter2: x}}]\n"
    );
    desk.workload = desk.workload_section(&compose).replace(
        "env:\n",
        "env:\n  PASS=hunter2: x\n  https://bob:hunter2@reg/a=hunter2: y\n",
    );
    desk.workload = desk.workload.replace(
        "auths:\n",
        "auths:\n  https://bob:hunter2@reg:\n    username: a\n    password: b\n",
    );
    desk.write("contract.yaml", desk.clear());
    desk.write("bare.yaml", desk.clear().replace("hunter2", "hunter3"));
    for arguments in [
        &["contract.yaml"][..],
        &["contract.yaml", "--format", "json"],
        &["inspect", "contract.yaml"],
        &["inspect", "contract.yaml", "--format", "json"],
        &["diff", "contract.yaml", "bare.yaml"],
        &["plan", "contract.yaml"],
        &["migrate", "contract.yaml"],
    ] {
        // That no secret is shown is what the desk sees to.
        let ran = desk.hpcr(arguments);
        assert!(ran.status < 2 && !ran.all().contains("hunter3"), "{ran:?}");
    }
    let unknown = desk.clear() + "further: hunter2\n";
    desk.write("bare.yaml", &unknown);
    let ran = desk.hpcr(&["diff", "contract.yaml", "bare.yaml"]);
    assert_eq!(ran.out, "+ further: <hidden>\n");
    let ran = desk.hpcr(&["inspect", "contract.yaml"]);
    assert!(
        ran.out.contains("DB_PASSWORD=<hidden>") && ran.out.contains("\"registry.example:5000\":"),
        "{ran:?}"
    );
}
