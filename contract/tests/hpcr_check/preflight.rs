//! What `validate` tells authors beyond what the guest would stop at.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::desk::{DIGEST, Desk, base64, run};

/// Codes of the warnings; there is no error.
fn warnings(desk: &Desk, contract: &str, arguments: &[&str]) -> Vec<String> {
    let ran = desk.validate(contract, &[&["--format", "json"], arguments].concat());
    assert_eq!(ran.status, 0, "{ran:?}");
    let report = ran.json();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            format!(
                "{} {}",
                finding["code"].as_str().unwrap(),
                finding["path"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn a_seed_that_can_be_guessed_is_told_and_not_shown() {
    let mut desk = Desk::new();
    let plain = [
        "HPL05101W workload.volumes",
        "HPL05101W env.logging.syslog.key",
    ];
    assert_eq!(warnings(&desk, &desk.clear(), &[]), plain);
    desk.workload = desk
        .workload
        .replace("workload-seed-0001", "abababababababab");
    assert_eq!(
        warnings(&desk, &desk.clear(), &[]),
        [&["HPL07100W workload.volumes.data.seed"][..], &plain].concat()
    );
    desk.workload = desk
        .workload
        .replace("abababababababab", "deployer-seed-0001");
    assert_eq!(
        warnings(&desk, &desk.clear(), &[]),
        [&["HPL07100W env.volumes.data.seed"][..], &plain].concat()
    );
}

#[test]
fn a_section_in_the_clear_beside_a_sealed_one_is_told() {
    let desk = Desk::new();
    let env = desk.unsigned_env().trim_end().replace('\n', "\n  ");
    let contract = format!(
        "workload: {}\nenv: |\n  {env}\n",
        desk.seal(&desk.workload, "contract-basic")
    );
    assert_eq!(
        warnings(&desk, &contract, &["--key", "image.key"]),
        ["HPL05101W env.logging.syslog.key"]
    );
}

#[test]
fn a_section_beside_one_that_stays_closed_is_told_of_in_full() {
    let mut desk = Desk::new();
    desk.env = desk
        .env
        .replace("deployer-seed-0001", "abababababababab")
        .replace("hostname: logs.example", "hostname: FILL-IN");
    let [workload, env] = ["contract-basic", "hyper-protect-basic"].map(|prefix| {
        let section = if prefix == "contract-basic" {
            &desk.workload
        } else {
            &desk.env
        };
        (
            desk.seal(section, prefix),
            format!("|\n  {}", section.trim_end().replace('\n', "\n  ")),
        )
    });
    let signature = "envWorkloadSignature: AAAA\n";
    let contract = format!("workload: {}\nenv: {}\n{signature}", workload.0, env.1);
    assert_eq!(
        warnings(&desk, &contract, &["--expires-within", "61"]),
        [
            "HPL07100W env.volumes.data.seed",
            "HPL01100W env.logging.syslog.server",
            "HPL01100W env.logging.syslog.cert",
            "HPL05101W env.logging.syslog.key",
            "HPL05102W env.logging.syslog.hostname",
            "HPL11101I workload",
        ]
    );
    let ran = desk.validate(&contract, &["--format", "text"]);
    assert!(
        ran.out
            .contains("note[HPL11101I]: `workload` is sealed and no key was given")
            && ran
                .out
                .contains("contract.yaml: valid as far as it is open; "),
        "{ran:?}"
    );
    let contract = format!("workload: {}\nenv: {}\n{signature}", workload.1, env.0);
    assert_eq!(
        warnings(&desk, &contract, &[]),
        ["HPL05101W workload.volumes", "HPL11101I env"]
    );
}

#[test]
fn certificates_that_end_within_the_days_that_are_asked_for_are_told() {
    let desk = Desk::new();
    let contract = desk.sealed_and_signed();
    let told = |arguments: &[&str]| {
        warnings(
            &desk,
            &contract,
            &[&["--key", "image.key"], arguments].concat(),
        )
    };
    assert!(told(&[]).is_empty());
    let all = [
        "HPL12006E signingKey",
        "HPL01100W logging.syslog.server",
        "HPL01100W logging.syslog.cert",
    ];
    assert_eq!(told(&["--expires-within", "61"]), all);
    let later = (OffsetDateTime::now_utc() + Duration::days(50))
        .format(&Rfc3339)
        .unwrap();
    assert_eq!(told(&["--at", &later]), all);
    assert!(told(&["--at", &later, "--expires-within", "3"]).is_empty());
}

#[test]
fn a_token_whose_password_the_format_cuts_is_told() {
    let desk = Desk::new();
    let env = desk.unsigned_env();
    let path = |name: &str| desk.path(name).to_str().unwrap().to_owned();
    for (password, line) in [(&b"ab\ncdefgh"[..], "ab\n"), (b"\nabcdefgh", "\n")] {
        desk.write("env.yaml", &env);
        let wrap = [
            "pkeyutl",
            "-encrypt",
            "-certin",
            "-inkey",
            &path("image.crt"),
            "-pkeyopt",
            "rsa_padding_mode:pkcs1",
        ];
        let wrapped = base64(&run("openssl", &wrap, password));
        let encrypt = [
            "enc",
            "-aes-256-cbc",
            "-pbkdf2",
            "-pass",
            "stdin",
            "-in",
            &path("env.yaml"),
        ];
        let sealed = base64(&run("openssl", &encrypt, line.as_bytes()));
        let workload = desk.seal(&desk.workload, "contract-basic");
        let contract =
            format!("workload: {workload}\nenv: hyper-protect-basic.{wrapped}.{sealed}\n");
        assert_eq!(
            warnings(&desk, &contract, &["--key", "image.key"]),
            ["HPL11100W env"]
        );
    }
}

#[test]
fn placeholders_and_faults_inside_of_an_archive_are_told_beside_a_schema_error() {
    let mut desk = Desk::new();
    let compose = format!(
        "services:\n  web:\n    image: r.example/web@{DIGEST}\n    imaeg: x\n    ports: [\"80:80\", \"80:81\"]\n"
    );
    desk.workload = desk
        .workload_section(&compose)
        .replace("password: hunter2", "password: FILL-IN")
        .replace("workload-seed-0001", "short");
    for env in [desk.unsigned_env(), "type: env\n".to_owned()] {
        desk.env = env;
        let report = desk.validate(&desk.clear(), &["--format", "json"]);
        assert_eq!(report.status, 1);
        let report = report.json();
        let findings = report["findings"].as_array().unwrap().iter();
        let told: Vec<_> = findings
            .map(|finding| {
                format!(
                    "{} {}",
                    finding["code"].as_str().unwrap(),
                    finding["path"].as_str().unwrap()
                )
            })
            .filter(|told| !told.contains(" env"))
            .collect();
        assert_eq!(
            told,
            [
                "HPL05001E workload.volumes.data.seed",
                "HPL06009E services.web.imaeg",
                "HPL06009E services.web.ports[1]",
                "HPL05102W workload.auths.registry.example:5000.password",
                "HPL05101W workload.volumes",
            ]
        );
    }
}
