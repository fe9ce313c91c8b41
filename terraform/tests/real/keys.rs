//! Keys and certificates, made once by the openssl command line, and tokens opened by it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Below the build's own folder: what is static is never dropped.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terraform-keys");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    let at = folder.as_path();
    // Whom is sealed to, and who signs.
    certificate(at, "image", "rsa:2048", &["-days", "400"]);
    certificate(
        at,
        "ended",
        "rsa:2048",
        &[
            "-not_before",
            "20200101000000Z",
            "-not_after",
            "20210101000000Z",
        ],
    );
    certificate(at, "short", "rsa:1024", &["-days", "400"]);
    certificate(at, "authority", "rsa:2048", &["-days", "4000"]);
    openssl(at, &["genrsa", "-out", "sign.pem", "2048"]);
    openssl(
        at,
        &[
            "rsa",
            "-in",
            "sign.pem",
            "-aes256",
            "-passout",
            "pass:tr0ub4dor",
            "-out",
            "locked.pem",
        ],
    );
    openssl(
        at,
        &["rsa", "-in", "sign.pem", "-pubout", "-out", "sign.pub"],
    );
    openssl(
        at,
        &[
            "req",
            "-new",
            "-key",
            "sign.pem",
            "-subj",
            "/CN=request",
            "-out",
            "request.pem",
        ],
    );
    openssl(
        at,
        &[
            "ecparam",
            "-name",
            "prime256v1",
            "-genkey",
            "-noout",
            "-out",
            "curve.pem",
        ],
    );
    openssl(
        at,
        &["ec", "-in", "curve.pem", "-pubout", "-out", "curve.pub"],
    );
    folder
});

fn certificate(at: &Path, name: &str, key: &str, validity: &[&str]) {
    let (file, certificate) = (format!("{name}.key"), format!("{name}.crt"));
    if validity.first() == Some(&"-days") {
        let mut arguments = vec![
            "req",
            "-x509",
            "-newkey",
            key,
            "-nodes",
            "-keyout",
            &file,
            "-out",
            &certificate,
            "-subj",
            "/CN=test",
        ];
        arguments.extend(validity);
        openssl(at, &arguments);
        return;
    }
    // `req -x509` of OpenSSL 3.0 takes no dates; its `ca` does.
    openssl(
        at,
        &[
            "req", "-new", "-newkey", key, "-nodes", "-keyout", &file, "-out", "r.pem", "-subj",
            "/CN=test",
        ],
    );
    fs::write(at.join("index.txt"), "").unwrap();
    fs::write(at.join("serial"), "01\n").unwrap();
    fs::write(at.join("ca.cnf"), "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n").unwrap();
    openssl(
        at,
        &[
            "ca",
            "-batch",
            "-config",
            "ca.cnf",
            "-selfsign",
            "-keyfile",
            &file,
            "-in",
            "r.pem",
            "-out",
            &certificate,
            "-notext",
            "-startdate",
            validity[1],
            "-enddate",
            validity[3],
        ],
    );
}

/// Runs openssl, which has to do it.
pub(crate) fn openssl(at: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(at)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The file of a key or certificate.
pub(crate) fn file(name: &str) -> PathBuf {
    FOLDER.join(name)
}

/// A key or certificate.
pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap()
}

/// What a token holds, as the published recipe opens it.
pub(crate) fn opened(token: &str) -> String {
    let parts: Vec<_> = token.trim().split('.').collect();
    let [_, wrapped, data] = parts[..] else {
        panic!("no token: {token}")
    };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("wrapped"), STANDARD.decode(wrapped).unwrap()).unwrap();
    fs::write(at.join("data"), STANDARD.decode(data).unwrap()).unwrap();
    let key = file("image.key");
    let key = key.to_str().unwrap();
    openssl(
        at,
        &[
            "pkeyutl",
            "-decrypt",
            "-inkey",
            key,
            "-pkeyopt",
            "rsa_padding_mode:pkcs1",
            "-in",
            "wrapped",
            "-out",
            "password",
        ],
    );
    let plain = openssl(
        at,
        &[
            "enc",
            "-d",
            "-aes-256-cbc",
            "-pbkdf2",
            "-pass",
            "file:password",
            "-in",
            "data",
        ],
    );
    String::from_utf8(plain).unwrap()
}

/// Whether the signature of a contract is that of a public key (PEM): over the workload and then the env.
pub(crate) fn is_signed(contract: &serde_json::Value, public: &str) -> bool {
    let text = |name: &str| contract[name].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("key"), public).unwrap();
    fs::write(
        at.join("text"),
        format!("{}{}", text("workload"), text("env")),
    )
    .unwrap();
    fs::write(
        at.join("sig"),
        STANDARD.decode(text("envWorkloadSignature")).unwrap(),
    )
    .unwrap();
    let status = Command::new("openssl")
        .args([
            "dgst",
            "-sha256",
            "-verify",
            "key",
            "-signature",
            "sig",
            "text",
        ])
        .current_dir(at)
        .output();
    status.unwrap().status.success()
}
