//! The `openssl` command line as contract authors use it: the recipe of the specification (2.3), one folder and one key
//! pair a bench.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hpcr_contract::token::openssl::DecryptionKey;
use tempfile::TempDir;

/// A folder with a key pair and a certificate, all made by the command line.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new(bits: u32) -> Self {
        let bench = Self {
            folder: TempDir::new().unwrap(),
        };
        bench.openssl(
            &[
                "genpkey",
                "-algorithm",
                "RSA",
                "-pkeyopt",
                &format!("rsa_keygen_bits:{bits}"),
                "-out",
                "key.pem",
            ],
            b"",
        );
        bench.openssl(
            &["rsa", "-in", "key.pem", "-pubout", "-out", "public.pem"],
            b"",
        );
        bench.openssl(
            &[
                "req", "-x509", "-new", "-key", "key.pem", "-subj", "/CN=test", "-days", "10",
                "-out", "cert.pem",
            ],
            b"",
        );
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Runs the command line; gives its output, or nothing where it failed.
    fn try_openssl(&self, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
        let mut child = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A command that reads no input may have gone before it is written.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        output.status.success().then_some(output.stdout)
    }

    pub(crate) fn openssl(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        self.try_openssl(arguments, input)
            .unwrap_or_else(|| panic!("openssl {arguments:?} failed"))
    }

    /// A token by the recipe, under these password bytes; nothing where openssl refuses the password.
    pub(crate) fn seal(&self, password: &[u8], plain: &[u8]) -> Option<String> {
        fs::write(self.path("plain"), plain).unwrap();
        fs::write(self.path("password"), password).unwrap();
        let wrap = [
            "pkeyutl",
            "-encrypt",
            "-certin",
            "-inkey",
            "cert.pem",
            "-pkeyopt",
            "rsa_padding_mode:pkcs1",
            "-in",
            "password",
        ];
        let wrapped = self.openssl(&wrap, b"");
        let data = self.try_openssl(
            &[
                "enc",
                "-aes-256-cbc",
                "-pbkdf2",
                "-pass",
                "stdin",
                "-in",
                "plain",
            ],
            password,
        )?;
        Some(format!(
            "hyper-protect-basic.{}.{}",
            STANDARD.encode(wrapped),
            STANDARD.encode(data)
        ))
    }

    /// Opens a token by the recipe.
    pub(crate) fn open(&self, token: &str) -> Vec<u8> {
        let parts: Vec<&str> = token.split('.').collect();
        fs::write(self.path("wrapped"), STANDARD.decode(parts[1]).unwrap()).unwrap();
        fs::write(self.path("data"), STANDARD.decode(parts[2]).unwrap()).unwrap();
        let unwrap = [
            "pkeyutl",
            "-decrypt",
            "-inkey",
            "key.pem",
            "-pkeyopt",
            "rsa_padding_mode:pkcs1",
            "-in",
            "wrapped",
        ];
        let password = self.openssl(&unwrap, b"");
        self.openssl(
            &[
                "aes-256-cbc",
                "-d",
                "-pbkdf2",
                "-pass",
                "stdin",
                "-in",
                "data",
            ],
            &password,
        )
    }

    pub(crate) fn key(&self) -> DecryptionKey {
        DecryptionKey::from_pem(&self.read("key.pem")).unwrap()
    }
}
