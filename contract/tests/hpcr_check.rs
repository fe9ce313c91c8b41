//! `hpcr-check` as its users run it, on contracts that are sealed and signed with the openssl command line.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SECRETS: [&str; 6] = [
    "hunter2",
    "deployer-seed-0001",
    "workload-seed-0001",
    // printf '%s%s' deployer-seed-0001 workload-seed-0001 | openssl dgst -sha256
    "246fd6dd52d3eb76cf3899c5a575efe132211abfdcbcd9ccf970fadb85a4ac23",
    "PRIVATE KEY",
    "secret-greeting",
];

/// Runs a program with this input; its output, where it succeeds.
fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn base64(bytes: &[u8]) -> String {
    String::from_utf8(run("openssl", &["base64", "-A"], bytes)).unwrap()
}

/// A folder with an image's key pair, a signer's, and what both parties write.
struct Desk {
    folder: TempDir,
    workload: String,
    env: String,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let desk = Self {
            folder,
            workload: String::new(),
            env: String::new(),
        };
        for name in ["image", "signer", "client"] {
            let (key, certificate) = (
                desk.path(&format!("{name}.key")),
                desk.path(&format!("{name}.crt")),
            );
            let subject = format!("/CN={name}");
            let request = [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "60", "-subj", &subject,
            ];
            let files = [
                "-keyout",
                key.to_str().unwrap(),
                "-out",
                certificate.to_str().unwrap(),
            ];
            run("openssl", &[&request[..], &files].concat(), b"");
        }
        let compose = format!(
            "services:\n  web:\n    image: ${{REGISTRY}}/web@{DIGEST}\n    command: serve --password ${{PASSWORD}}\n    \
             environment:\n      GREETING:\n    ports: [\"8080:80\"]\n    volumes: [\"/mnt/data:/data\"]\n"
        );
        Self {
            env: desk.env_section("signer.crt"),
            workload: desk.workload_section(&compose),
            ..desk
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn workload_section(&self, compose: &str) -> String {
        fs::write(self.path("docker-compose.yaml"), compose).unwrap();
        let folder = self.folder.path().to_str().unwrap();
        let archive = base64(&run(
            "tar",
            &["-czf", "-", "-C", folder, "docker-compose.yaml"],
            b"",
        ));
        format!(
            "type: workload\ncompose:\n  archive: {archive}\nauths:\n  registry.example:5000:\n    username: puller\n    password: hunter2\n\
             volumes:\n  data:\n    seed: workload-seed-0001\nenv:\n  GREETING: secret-greeting\n"
        )
    }

    fn env_section(&self, signing_key: &str) -> String {
        let block = |name: &str| -> String {
            let text = fs::read_to_string(self.path(name)).unwrap();
            text.lines()
                .map(|line| ["      ", line, "\n"].concat())
                .collect()
        };
        let (server, key) = (block("client.crt"), block("client.key"));
        format!(
            "type: env\nlogging:\n  syslog:\n    hostname: logs.example\n    server: |\n{server}    cert: |\n{server}    key: |\n{key}\
             volumes:\n  data:\n    seed: deployer-seed-0001\nenv:\n  REGISTRY: registry.example:5000\n  PASSWORD: hunter2\n\
             signingKey: {}\n",
            base64(&fs::read(self.path(signing_key)).unwrap())
        )
    }

    /// The documented recipe: a random password, wrapped for the image, and the section under it.
    fn seal(&self, section: &str, prefix: &str) -> String {
        let password = run("openssl", &["rand", "-hex", "16"], b"");
        let password = password.trim_ascii_end();
        let certificate = self.path("image.crt");
        let wrap = [
            "pkeyutl",
            "-encrypt",
            "-certin",
            "-inkey",
            certificate.to_str().unwrap(),
        ];
        let wrapped = run(
            "openssl",
            &[&wrap[..], &["-pkeyopt", "rsa_padding_mode:pkcs1"]].concat(),
            password,
        );
        let plain = self.path("section.yaml");
        fs::write(&plain, section).unwrap();
        let encrypt = [
            "enc",
            "-aes-256-cbc",
            "-pbkdf2",
            "-pass",
            "stdin",
            "-in",
            plain.to_str().unwrap(),
        ];
        format!(
            "{prefix}.{}.{}",
            base64(&wrapped),
            base64(&run("openssl", &encrypt, password))
        )
    }

    /// A contract of two scalars, signed as they are written.
    fn signed(&self, workload: &str, env: &str) -> String {
        let key = self.path("signer.key");
        let text = [workload, env].concat();
        let signature = base64(&run(
            "openssl",
            &["dgst", "-sha256", "-sign", key.to_str().unwrap()],
            text.as_bytes(),
        ));
        format!("workload: {workload}\nenv: {env}\nenvWorkloadSignature: {signature}\n")
    }

    fn sealed_and_signed(&self) -> String {
        let workload = self.seal(&self.workload, "hyper-protect-basic");
        self.signed(&workload, &self.seal(&self.env, "contract-basic"))
    }

    /// Both sections as literal blocks, not signed.
    fn clear(&self) -> String {
        let block = |text: &str| -> String {
            text.lines()
                .map(|line| ["  ", line, "\n"].concat())
                .collect()
        };
        let env: Vec<&str> = self
            .env
            .lines()
            .filter(|line| !line.starts_with("signingKey"))
            .collect();
        format!(
            "workload: |\n{}env: |\n{}",
            block(&self.workload),
            block(&env.join("\n"))
        )
    }

    /// Runs `hpcr-check` on this contract; no output may hold a secret.
    fn check(&self, command: &str, contract: &str, arguments: &[&str]) -> (i32, String) {
        fs::write(self.path("contract.yaml"), contract).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_hpcr-check"))
            .current_dir(self.folder.path())
            .args([command, "contract.yaml"])
            .args(arguments)
            .output()
            .unwrap();
        told(&output)
    }
}

/// Status and text of a run.
fn told(output: &Output) -> (i32, String) {
    let text = [&output.stdout[..], &output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    for secret in SECRETS {
        assert!(!text.contains(secret), "the output holds {secret}:\n{text}");
    }
    (output.status.code().unwrap(), text)
}

const KEY: [&str; 2] = ["--key", "image.key"];

#[test]
fn a_contract_sealed_and_signed_with_openssl_is_valid() {
    let desk = Desk::new();
    let (status, text) = desk.check("validate", &desk.sealed_and_signed(), &KEY);
    assert_eq!(
        (status, text.as_str()),
        (0, "contract.yaml: valid, and signed\n")
    );
}

#[test]
fn a_contract_in_the_clear_is_valid_without_a_key() {
    let desk = Desk::new();
    let (status, text) = desk.check("validate", &desk.clear(), &[]);
    assert_eq!(
        (status, text.as_str()),
        (0, "contract.yaml: valid, and not signed\n")
    );
}

#[test]
fn the_plan_shows_what_will_run_and_no_secret() {
    let desk = Desk::new();
    let (status, text) = desk.check("plan", &desk.sealed_and_signed(), &KEY);
    assert_eq!(status, 0, "{text}");
    let plan: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        plan["services"][0]["image"],
        format!("registry.example:5000/web@{DIGEST}")
    );
    assert_eq!(plan["services"][0]["commandWords"], 3);
    assert_eq!(
        plan["services"][0]["environment"],
        serde_json::json!(["GREETING"])
    );
    assert_eq!(plan["volumes"][0]["mount"], "/mnt/data");
    assert_eq!(plan["logging"]["port"], 6514);
    assert_eq!(plan["registries"][0], "registry.example:5000");
}

#[test]
fn without_a_key_only_the_envelope_is_checked_and_that_is_told() {
    let desk = Desk::new();
    let contract = desk.sealed_and_signed();
    let (status, text) = desk.check("validate", &contract, &[]);
    assert_eq!(status, 0);
    assert!(
        text.contains("the sections are sealed and were not checked"),
        "{text}"
    );
    let (status, text) = desk.check("plan", &contract, &[]);
    assert!(status == 2 && text.contains("--key"), "{text}");
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
    for (contract, key, code) in [
        (good.clone(), "client.key", "HPL11001E"),
        (flipped, "image.key", "HPL11001E"),
        (desk.signed(&env, &workload), "image.key", "HPL05001E"),
        (unsigned, "image.key", "HPL12001E"),
        (
            desk.signed(&workload, &env)
                .replace(&workload, &desk.seal(&desk.workload, "contract-basic")),
            "image.key",
            "HPL12001E",
        ),
        (
            desk.signed(&desk.seal(&no_digest, "contract-basic"), &env),
            "image.key",
            "HPL06010E",
        ),
        ("env: x\n".to_owned(), "image.key", "HPL11001E"),
        (String::new(), "image.key", "HPL11001E"),
    ] {
        let (status, text) = desk.check("validate", &contract, &["--key", key]);
        assert!(
            status == 1 && text.contains(code),
            "{code}: {status} {text}"
        );
        assert_eq!(desk.check("plan", &contract, &["--key", key]).0, 1);
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
        (45, 0, Some("HPL12006E")),
        (61, 1, Some("HPL12007E")),
    ] {
        let (found, text) = desk.check(
            "validate",
            &contract,
            &[&KEY[..], &["--at", &at(days)]].concat(),
        );
        assert_eq!(found, status, "{text}");
        assert_eq!(
            code.map(|code| text.contains(code)),
            code.map(|_| true),
            "{text}"
        );
    }
}

#[test]
fn a_finding_names_place_code_cause_and_remedy() {
    let mut desk = Desk::new();
    desk.workload = desk.workload.replace(
        "seed: workload-seed-0001",
        "seed: workload-seed-0001\n    sede: hunter2",
    );
    let (status, text) = desk.check("validate", &desk.clear(), &[]);
    assert_eq!(status, 1);
    for part in [
        "volumes.data.sede",
        "error[HPL05001E]: the key `sede` is not known here",
        "= help: known keys: ",
        "     sede: <hidden>",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    let (status, text) = desk.check("validate", &desk.clear(), &["--format", "json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, &report["valid"], &report["checked"]),
        (1, &Value::Bool(false), &"contract".into())
    );
    let finding = &report["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["severity"]),
        (&"HPL05001E".into(), &"error".into())
    );
    assert_eq!(
        (&finding["file"], &finding["path"]),
        (
            &"contract.yaml".into(),
            &"workload.volumes.data.sede".into()
        )
    );
    assert!(
        finding["line"].as_u64().is_some_and(|line| line > 1),
        "{finding}"
    );
}

#[test]
fn a_key_name_cannot_move_the_cursor_of_the_terminal() {
    let desk = Desk::new();
    let contract = format!("{}\"a\\e[2Jb\": 1\n", desk.clear());
    let (status, text) = desk.check("validate", &contract, &[]);
    assert_eq!(status, 0);
    assert!(
        text.contains("warning[HPL05100W]: ") && !text.contains('\u{1b}'),
        "{text:?}"
    );
}

#[test]
fn standard_input_is_read_for_a_dash() {
    let desk = Desk::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_hpcr-check"))
        .args(["validate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(desk.clear().as_bytes())
        .unwrap();
    let (status, text) = told(&child.wait_with_output().unwrap());
    assert_eq!(
        (status, text.as_str()),
        (0, "standard input: valid, and not signed\n")
    );
}

#[test]
fn wrong_use_and_unreadable_files_end_with_two() {
    let desk = Desk::new();
    let contract = desk.clear();
    for arguments in [
        &["--unknown"][..],
        &["--at", "yesterday"],
        &["--key", "nowhere.pem"],
        &["--key", "image.crt"],
        &["another-file.yaml"],
    ] {
        assert_eq!(
            desk.check("validate", &contract, arguments).0,
            2,
            "{arguments:?}"
        );
    }
    assert_eq!(desk.check("undo", &contract, &[]).0, 2);
    fs::remove_file(desk.path("contract.yaml")).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hpcr-check"))
        .args(["validate", "contract.yaml"])
        .output()
        .unwrap();
    assert_eq!(told(&output).0, 2);
}

/// The published samples: all that is wrong with the valid ones is that their archive is none.
#[test]
fn the_published_samples_get_their_verdicts() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/testdata.tar.gz");
    if !samples.exists() {
        println!("skipped: the published samples are not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    run(
        "tar",
        &[
            "-xzf",
            samples.to_str().unwrap(),
            "-C",
            folder.path().to_str().unwrap(),
        ],
        b"",
    );
    let check = |file: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_hpcr-check"))
            .args(["validate", "--format", "json"])
            .arg(folder.path().join("testdata").join(file))
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let codes = report["findings"].as_array().unwrap().iter();
        let codes: Vec<String> = codes
            .map(|finding| finding["code"].as_str().unwrap().to_owned())
            .collect();
        (
            output.status.code().unwrap(),
            codes,
            report["checked"].clone(),
        )
    };
    // They follow the schema; that they ship to `logRouter` and that their archives are placeholders are limits.
    let unsupported = ["HPL05001E", "HPL06006E"].map(str::to_owned).to_vec();
    for file in ["simple_contract.yaml", "attest_pub_key_contract.yaml"] {
        assert_eq!(
            check(file),
            (0, unsupported.clone(), "contract".into()),
            "{file}"
        );
    }
    let (status, codes, _) = check("simple_contract_invalid.yaml");
    assert_eq!((status, codes), (1, vec!["HPL05001E".to_owned(); 2]));
    assert_eq!(
        check("sign/contract.enc.yaml"),
        (0, vec![], "envelope".into())
    );
    for file in ["workload.yaml", "env_only.yaml"] {
        assert_eq!(check(file).0, 1, "{file}: a section alone is no contract");
    }
}
