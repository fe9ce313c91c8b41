//! A folder with an image's key pair, a signer's, and what both parties write; and the command, run in it.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const DIGEST: &str =
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// What no command but `decrypt` may show.
const SECRETS: [&str; 6] = [
    "hunter2",
    "deployer-seed-0001",
    "workload-seed-0001",
    // printf '%s%s' deployer-seed-0001 workload-seed-0001 | openssl dgst -sha256
    "246fd6dd52d3eb76cf3899c5a575efe132211abfdcbcd9ccf970fadb85a4ac23",
    "PRIVATE KEY",
    "secret-greeting",
];

/// Key and certificate of the image and of the signer: made once, since making them takes longest.
static KEYS: LazyLock<[(String, Vec<u8>); 4]> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let made = ["image", "signer"].map(|name| {
        let (key, certificate) = (folder.path().join("key"), folder.path().join("crt"));
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
        [
            (format!("{name}.key"), fs::read(key).unwrap()),
            (format!("{name}.crt"), fs::read(certificate).unwrap()),
        ]
    });
    let [[a, b], [c, d]] = made;
    [a, b, c, d]
});

/// Runs a program with this input; its output, where it succeeds.
pub(crate) fn run(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {complaint}"
    );
    output.stdout
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    String::from_utf8(run("openssl", &["base64", "-A"], bytes)).unwrap()
}

/// What a run of `hpcr-check` came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// Both outputs.
    pub(crate) fn all(&self) -> String {
        [self.out.as_str(), &self.err].concat()
    }
}

pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) workload: String,
    pub(crate) env: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            workload: String::new(),
            env: String::new(),
        };
        for (name, bytes) in &*KEYS {
            desk.write(name, bytes);
        }
        let compose = format!(
            "services:\n  web:\n    image: ${{REGISTRY}}/web@{DIGEST}\n    command: serve --password ${{PASSWORD}}\n    \
             environment:\n      GREETING:\n    ports: [\"8080:80\"]\n    ulimits: {{nofile: {{soft: 1024, hard: -1}}}}\n    volumes: [\"/mnt/data:/data\"]\n"
        );
        Self {
            env: desk.env_section("signer.crt"),
            workload: desk.workload_section(&compose),
            ..desk
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs `hpcr-check` in the folder; none of its output may hold a secret.
    pub(crate) fn hpcr(&self, arguments: &[&str]) -> Ran {
        self.hpcr_with(arguments, b"")
    }

    pub(crate) fn hpcr_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let ran = self.hpcr_secretly(arguments, input);
        for secret in SECRETS {
            assert!(
                !ran.all().contains(secret),
                "the output holds {secret}:\n{}",
                ran.all()
            );
        }
        ran
    }

    /// The same for commands whose work it is to print a secret.
    pub(crate) fn hpcr_secretly(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hpcr-check"))
            .current_dir(self.folder.path())
            .args(arguments)
            .env_remove("CLICOLOR_FORCE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Ran {
            status: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks this contract.
    pub(crate) fn validate(&self, contract: &str, arguments: &[&str]) -> Ran {
        self.write("contract.yaml", contract);
        self.hpcr(&[&["validate", "contract.yaml"], arguments].concat())
    }

    pub(crate) fn workload_section(&self, compose: &str) -> String {
        self.write("docker-compose.yaml", compose);
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

    pub(crate) fn env_section(&self, signing_key: &str) -> String {
        let block = |name: &str| -> String {
            let text = String::from_utf8(self.read(name)).unwrap();
            text.lines()
                .map(|line| ["      ", line, "\n"].concat())
                .collect()
        };
        let (server, key) = (block("signer.crt"), block("signer.key"));
        format!(
            "type: env\nlogging:\n  syslog:\n    hostname: logs.example\n    server: |\n{server}    cert: |\n{server}    key: |\n{key}\
             volumes:\n  data:\n    seed: deployer-seed-0001\nenv:\n  REGISTRY: registry.example:5000\n  PASSWORD: hunter2\n\
             signingKey: {}\n",
            base64(&self.read(signing_key))
        )
    }

    /// The documented recipe: a random password, wrapped for the image, and the section under it.
    pub(crate) fn seal(&self, section: &str, prefix: &str) -> String {
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
        self.write("section.yaml", section);
        let plain = self.path("section.yaml");
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

    /// The same backwards.
    pub(crate) fn unseal(&self, token: &str) -> Vec<u8> {
        let parts: Vec<&str> = token.trim().split('.').collect();
        let decode = |text: &str| run("openssl", &["base64", "-d", "-A"], text.as_bytes());
        let key = self.path("image.key");
        let unwrap = [
            "pkeyutl",
            "-decrypt",
            "-inkey",
            key.to_str().unwrap(),
            "-pkeyopt",
            "rsa_padding_mode:pkcs1",
        ];
        let password = run("openssl", &unwrap, &decode(parts[1]));
        self.write("sealed.bin", decode(parts[2]));
        let sealed = self.path("sealed.bin");
        let decrypt = [
            "enc",
            "-d",
            "-aes-256-cbc",
            "-pbkdf2",
            "-pass",
            "stdin",
            "-in",
            sealed.to_str().unwrap(),
        ];
        run("openssl", &decrypt, &password)
    }

    /// A signature of the signer's, base64.
    pub(crate) fn signature(&self, text: &str) -> String {
        let key = self.path("signer.key");
        base64(&run(
            "openssl",
            &["dgst", "-sha256", "-sign", key.to_str().unwrap()],
            text.as_bytes(),
        ))
    }

    /// A contract of two scalars, signed as they are written.
    pub(crate) fn signed(&self, workload: &str, env: &str) -> String {
        let signature = self.signature(&[workload, env].concat());
        format!("workload: {workload}\nenv: {env}\nenvWorkloadSignature: {signature}\n")
    }

    pub(crate) fn sealed_and_signed(&self) -> String {
        let workload = self.seal(&self.workload, "hyper-protect-basic");
        self.signed(&workload, &self.seal(&self.env, "contract-basic"))
    }

    /// The env section as one that nobody signs.
    pub(crate) fn unsigned_env(&self) -> String {
        let lines = self
            .env
            .lines()
            .filter(|line| !line.starts_with("signingKey"));
        lines.fold(String::new(), |text, line| text + line + "\n")
    }

    /// Both sections as literal blocks, not signed.
    pub(crate) fn clear(&self) -> String {
        let block = |text: &str| -> String {
            text.lines()
                .map(|line| ["  ", line, "\n"].concat())
                .collect()
        };
        format!(
            "workload: |\n{}env: |\n{}",
            block(&self.workload),
            block(&self.unsigned_env())
        )
    }
}
