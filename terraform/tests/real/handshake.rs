//! The first words between Terraform and a provider, without Terraform: who is let in, and when the process ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use openssl::ssl::{SslConnector, SslFiletype, SslMethod, SslVerifyMode};

use crate::desk::PROVIDER;
use crate::keys;

/// What Terraform puts into the environment.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// A provider that was started as Terraform does it, by a shell that stands in for Terraform.
struct Started {
    parent: Child,
    socket: PathBuf,
    certificate: Vec<u8>,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.parent.kill();
        let _ = self.parent.wait();
    }
}

fn start(folder: &Path) -> Started {
    // go-plugin's own is ECDSA on P-521, and calls itself an authority.
    for name in ["terraform", "stranger"] {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        keys::openssl(
            folder,
            &[
                "ecparam",
                "-name",
                "secp521r1",
                "-genkey",
                "-noout",
                "-out",
                "curve",
            ],
        );
        keys::openssl(
            folder,
            &["pkcs8", "-topk8", "-nocrypt", "-in", "curve", "-out", &key],
        );
        keys::openssl(
            folder,
            &[
                "req",
                "-x509",
                "-key",
                &key,
                "-out",
                &certificate,
                "-days",
                "9",
                "-subj",
                "/CN=localhost",
            ],
        );
    }
    let mut parent = Command::new("sh")
        .args(["-c", "\"$0\" & wait", PROVIDER])
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env(
            "PLUGIN_CLIENT_CERT",
            fs::read_to_string(folder.join("terraform.crt")).unwrap(),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let parts: Vec<_> = line.trim().split('|').collect();
    let ["1", "6", "unix", socket, "grpc", certificate] = parts[..] else {
        panic!("{line}")
    };
    Started {
        parent,
        socket: socket.into(),
        certificate: STANDARD_NO_PAD.decode(certificate).unwrap(),
    }
}

/// How many of the first bytes of HTTP/2 the provider sends to whoever comes with a certificate; none where it hangs up.
fn greet(started: &Started, folder: &Path, name: Option<&str>) -> usize {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
    // That it is its own certificate is looked at below.
    connector.set_verify(SslVerifyMode::NONE);
    connector.set_alpn_protos(b"\x02h2").unwrap();
    if let Some(name) = name {
        let file = |end| folder.join(format!("{name}.{end}"));
        connector
            .set_certificate_file(file("crt"), SslFiletype::PEM)
            .unwrap();
        connector
            .set_private_key_file(file("key"), SslFiletype::PEM)
            .unwrap();
    }
    let socket = UnixStream::connect(&started.socket).unwrap();
    let Ok(mut tls) = connector.build().connect("localhost", socket) else {
        return 0;
    };
    let certificate = tls.ssl().peer_certificate().unwrap().to_der().unwrap();
    assert_eq!(certificate, started.certificate);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    if tls.write_all(preface).is_err() {
        return 0;
    }
    tls.read(&mut [0; 9]).unwrap_or_default()
}

#[test]
fn terraform_alone_is_let_in_and_the_provider_does_not_outlive_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut started = start(folder);
    let home = started.socket.parent().unwrap().to_owned();
    assert_eq!(
        fs::metadata(&home).unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(greet(&started, folder, None), 0, "without a certificate");
    assert_eq!(
        greet(&started, folder, Some("stranger")),
        0,
        "with another certificate"
    );
    assert!(
        greet(&started, folder, Some("terraform")) > 0,
        "Terraform itself"
    );

    started.parent.kill().unwrap();
    started.parent.wait().unwrap();
    let begun = Instant::now();
    while home.exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it is there still"
        );
        thread::sleep(Duration::from_millis(100));
    }
}
