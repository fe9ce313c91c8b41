//! The first words between Terraform and a provider, without Terraform: who is let in, and when the process ends.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use crate::desk::PROVIDER;
use crate::keys::openssl;

/// What Terraform puts into the environment.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// A provider that was started as Terraform does it, by a shell that stands in for Terraform.
struct Started {
    parent: Child,
    socket: PathBuf,
    certificate: CertificateDer<'static>,
}

fn start(folder: &Path) -> Started {
    // go-plugin's own is ECDSA on P-521, and calls itself an authority.
    for name in ["terraform", "stranger"] {
        let (key, certificate) = (format!("{name}.key"), format!("{name}.crt"));
        openssl(
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
        openssl(
            folder,
            &["pkcs8", "-topk8", "-nodes", "-in", "curve", "-out", &key],
        );
        openssl(
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
        certificate: STANDARD_NO_PAD.decode(certificate).unwrap().into(),
    }
}

/// The first bytes of HTTP/2 that the provider sends to whoever comes with a certificate; none where it hangs up.
fn greet(started: &Started, folder: &Path, name: Option<&str>) -> usize {
    let mut roots = RootCertStore::empty();
    roots.add(started.certificate.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls_openssl::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match name {
        None => config.with_no_client_auth(),
        Some(name) => config
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_file(folder.join(format!("{name}.crt"))).unwrap()],
                PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap(),
            )
            .unwrap(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let mut session =
        ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut socket = UnixStream::connect(&started.socket).unwrap();
    let mut tls = Stream::new(&mut session, &mut socket);
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    if tls.write_all(preface).and_then(|()| tls.flush()).is_err() {
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
