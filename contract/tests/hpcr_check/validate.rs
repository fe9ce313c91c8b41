//! `hpcr-check [validate]`: whole contracts, and sections on their own.

use std::path::Path;

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::desk::{Desk, run};

const KEY: [&str; 2] = ["--key", "image.key"];

#[test]
fn a_contract_sealed_and_signed_with_openssl_is_valid() {
    let desk = Desk::new();
    let ran = desk.validate(&desk.sealed_and_signed(), &KEY);
    assert_eq!(
        (ran.status, ran.out.as_str(), ran.err.as_str()),
        (0, "contract.yaml: valid, and signed\n", "")
    );
}

#[test]
fn a_contract_in_the_clear_is_valid_without_a_key_and_without_the_name_of_the_command() {
    let desk = Desk::new();
    let ran = desk.validate(&desk.clear(), &[]);
    let verdict = "\ncontract.yaml: valid, and not signed; 2 notes\n";
    assert!(ran.status == 0 && ran.out.ends_with(verdict), "{ran:?}");
    assert!(
        ran.out
            .starts_with("note[HPL05101W]: the section is not sealed"),
        "{ran:?}"
    );
    for arguments in [
        &["contract.yaml"][..],
        &["--strict", "contract.yaml"],
        &["--platform", "hpvs", "contract.yaml"],
    ] {
        assert_eq!(desk.hpcr(arguments), ran, "{arguments:?}");
    }
}

#[test]
fn without_a_key_only_the_envelope_is_checked_and_that_is_told() {
    let desk = Desk::new();
    let ran = desk.validate(&desk.sealed_and_signed(), &[]);
    assert_eq!(ran.status, 0);
    assert!(
        ran.out
            .contains("the sections are sealed and were not checked"),
        "{ran:?}"
    );
}

#[test]
fn what_a_guest_would_refuse_is_refused_with_its_code() {
    let desk = Desk::new();
    let good = desk.sealed_and_signed();
    let (workload, env) = (
        desk.seal(&desk.workload, "hyper-protect-basic"),
        desk.seal(&desk.env, "contract-basic"),
    );
    let no_digest = desk.workload_section("services:\n  web:\n    image: nginx:latest\n");
    let flipped = {
        // Within the wrapped password.
        let at = "workload: hyper-protect-basic.".len() + 10;
        let other = if &good[at..=at] == "A" { "B" } else { "A" };
        [&good[..at], other, &good[at + 1..]].concat()
    };
    let unsigned = format!("workload: {workload}\nenv: {env}\n");
    let peeled = desk
        .signed(&workload, &env)
        .replace(&workload, &desk.seal(&desk.workload, "contract-basic"));
    for (contract, key, code) in [
        (good.clone(), "signer.key", "HPL11001E"),
        (flipped, "image.key", "HPL11001E"),
        (desk.signed(&env, &workload), "image.key", "HPL05001E"),
        (unsigned, "image.key", "HPL12001E"),
        (peeled, "image.key", "HPL12001E"),
        (
            desk.signed(&desk.seal(&no_digest, "contract-basic"), &env),
            "image.key",
            "HPL06010E",
        ),
        ("env: x\n".to_owned(), "image.key", "HPL11001E"),
        (String::new(), "image.key", "HPL11001E"),
    ] {
        let ran = desk.validate(&contract, &["--key", key]);
        assert!(ran.status == 1 && ran.out.contains(code), "{code}: {ran:?}");
        let plan = desk.hpcr(&["plan", "contract.yaml", "--key", key]);
        assert!(
            plan.status == 1 && plan.out.is_empty() && plan.err.contains(code),
            "{code}: {plan:?}"
        );
    }
}

#[test]
fn a_signing_certificate_is_judged_by_the_time_that_is_given() {
    let desk = Desk::new();
    let contract = desk.sealed_and_signed();
    let at = |days: i64| {
        (OffsetDateTime::now_utc() + Duration::days(days))
            .format(&Rfc3339)
            .unwrap()
    };
    for (days, status, code) in [
        (1, 0, None),
        (45, 0, Some("warning[HPL12006E]")),
        (61, 1, Some("error[HPL12007E]")),
    ] {
        let ran = desk.validate(&contract, &[&KEY[..], &["--at", &at(days)]].concat());
        assert_eq!(ran.status, status, "{ran:?}");
        assert!(code.is_none_or(|code| ran.out.contains(code)), "{ran:?}");
    }
    let strict = desk.validate(
        &contract,
        &[&KEY[..], &["--at", &at(45), "--strict"]].concat(),
    );
    assert_eq!(
        strict.status, 1,
        "the strict take warnings for errors: {strict:?}"
    );
}

#[test]
fn a_finding_shows_its_line_without_values_and_says_why_and_what_to_do() {
    let mut desk = Desk::new();
    desk.workload = desk.workload.replace(
        "seed: workload-seed-0001",
        "seed: workload-seed-0001\n    sede: hunter2",
    );
    desk.env = desk.env.replace("port", "prot").replace(
        "hostname: logs.example",
        "hostname: logs.example\n    port: hunter2",
    );
    let ran = desk.validate(&desk.clear(), &[]);
    assert_eq!(ran.status, 1);
    let block = "error[HPL05001E]: the key `sede` is not known here\n  --> contract.yaml:12:";
    assert!(ran.out.contains(block), "{}", ran.out);
    for part in [
        "\n12 |       sede: <hidden>\n",
        "= key: workload.volumes.data.sede\n",
        "= why: the contract does not follow its schema\n",
        "= help: write `seed` if that is meant; known keys: ",
        "      port: <hidden>\n",
        "contract.yaml: not valid: 2 errors; 2 notes\n",
    ] {
        assert!(ran.out.contains(part), "{part}:\n{}", ran.out);
    }
}

#[test]
fn a_section_is_checked_before_the_other_is_there() {
    let mut desk = Desk::new();
    desk.env = desk.unsigned_env();
    desk.write("workload.yaml", &desk.workload);
    desk.write("env.yaml", &desk.env);
    let ran = desk.hpcr(&["--section", "workload", "workload.yaml"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(
        ran.out.starts_with("note[HPL05101W]: ")
            && ran
                .out
                .ends_with("workload.yaml: a valid workload section; 1 note\n"),
        "{ran:?}"
    );
    assert_eq!(
        desk.hpcr(&["validate", "--section", "env", "env.yaml"])
            .status,
        0
    );
    assert_eq!(desk.hpcr(&["--section", "env", "workload.yaml"]).status, 1);
    desk.write("token", desk.seal(&desk.workload, "contract-basic"));
    assert_eq!(
        desk.hpcr(&["--section", "workload", "token", "--key", "image.key"])
            .status,
        0
    );
    desk.write("contract.yaml", desk.clear());
    assert_eq!(desk.hpcr(&["--section", "env", "contract.yaml"]).status, 1);
}

#[test]
fn a_finding_inside_a_token_and_an_archive_shows_its_line() {
    let desk = Desk::new();
    let workload = desk.workload_section(
        "services:\n  web:\n    image: nginx:latest\n    environment: {A: hunter2}\n",
    );
    let contract = desk.signed(
        &desk.seal(&workload, "contract-basic"),
        &desk.seal(&desk.env, "contract-basic"),
    );
    let ran = desk.validate(&contract, &KEY);
    assert_eq!(ran.status, 1);
    assert!(
        ran.out.contains("→ docker-compose.yaml:3:12\n"),
        "{}",
        ran.out
    );
    assert!(
        ran.out
            .contains("3 |     image: nginx:latest\n  |            ^^^^^^^^^^^^\n"),
        "{}",
        ran.out
    );
    // Tools that mark lines know the file that the user named, and no other.
    let github = desk.validate(&contract, &[&KEY[..], &["--format", "github"]].concat());
    assert!(
        github
            .out
            .starts_with("::error file=contract.yaml,line=1,col="),
        "{github:?}"
    );
    assert!(
        github
            .out
            .contains("docker-compose.yaml:3:12 at services.web.image: "),
        "{github:?}"
    );
    let json = desk
        .validate(&contract, &[&KEY[..], &["--format", "json"]].concat())
        .json();
    assert_eq!(json["findings"][0]["file"], "docker-compose.yaml");
    assert_eq!(json["findings"][0]["inside"][0]["file"], "contract.yaml");
}

/// The published samples: what our guest does not do with the valid ones is a warning.
#[test]
fn the_published_samples_get_their_verdicts() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testdata.tar.gz");
    if !samples.exists() {
        println!("skipped: the published samples are not here");
        return;
    }
    let desk = Desk::new();
    let folder = desk.folder.path().to_str().unwrap();
    run(
        "tar",
        &["-xzf", samples.to_str().unwrap(), "-C", folder],
        b"",
    );
    let check = |file: &str, section: &[&str]| {
        let ran = desk.hpcr(
            &[
                &["validate", "--format", "json", &format!("testdata/{file}")],
                section,
            ]
            .concat(),
        );
        let report = ran.json();
        let codes = report["findings"].as_array().unwrap().iter();
        let codes: Vec<String> = codes
            .filter(|finding| finding["severity"] != "note")
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .collect();
        (ran.status, codes, report["checked"].clone())
    };
    // They follow the schema; that they ship to `logRouter` and that their archives are placeholders are limits.
    let limits = ["HPL05001E", "HPL06006E"].map(str::to_owned).to_vec();
    for file in ["simple_contract.yaml", "attest_pub_key_contract.yaml"] {
        assert_eq!(
            check(file, &[]),
            (0, limits.clone(), "contract".into()),
            "{file}"
        );
    }
    let (status, codes, _) = check("simple_contract_invalid.yaml", &[]);
    assert_eq!((status, codes), (1, vec!["HPL05001E".to_owned(); 2]));
    assert_eq!(
        check("sign/contract.enc.yaml", &[]),
        (0, vec![], "envelope".into())
    );
    for (file, section) in [("workload.yaml", "workload"), ("env_only.yaml", "env")] {
        assert_eq!(
            check(file, &[]).0,
            1,
            "{file}: a section alone is no contract"
        );
        assert_eq!(check(file, &["--section", section]).0, 0, "{file}");
    }
    assert_eq!(
        check("simple_contract.yaml", &["--platform", "ccrv"]).0,
        1,
        "there is no compose on ccrv"
    );
}
