//! Certificate authorities and certificates, made with the openssl command line as users make theirs.
//!
//! P-256 keys in PKCS#8, valid for a year. They live in the scratch folder and end with it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result, command};

/// Everything that a certificate here says, whatever the host's own openssl.cnf adds.
const PROFILE: &str = "[req]\ndistinguished_name = subject\n[subject]\n\
    [authority]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\nsubjectKeyIdentifier = hash\n\
    [leaf]\nbasicConstraints = critical,CA:FALSE\nkeyUsage = critical,digitalSignature\n\
    extendedKeyUsage = serverAuth,clientAuth\nsubjectAltName = ${ENV::NAMES}\n";

/// A certificate with its key, as PEM files.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key, PKCS#8.
    pub key: PathBuf,
}

/// A private certificate authority.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    identity: Identity,
}

impl Authority {
    /// Makes an authority whose files go into a new folder `name` under `parent`.
    ///
    /// # Errors
    /// Where the folder exists or openssl fails.
    pub fn new(parent: &Path, name: &str) -> Result<Self> {
        let folder = parent.join(name);
        fs::create_dir(&folder).map_err(Error::io(format!("creating {}", folder.display())))?;
        fs::write(folder.join("profile.cnf"), PROFILE)
            .map_err(Error::io("writing the certificate profile"))?;
        let identity = files(&folder, "authority");
        command::run(
            request(&folder, name, "DNS:unused", &identity).args(["-extensions", "authority"]),
            b"",
        )?;
        Ok(Self { folder, identity })
    }

    /// Its own certificate, PEM.
    pub fn certificate(&self) -> &Path {
        &self.identity.certificate
    }

    /// Issues a certificate for TLS servers and clients to `name`, valid for the alternative names too (`DNS:a`, `IP:b`).
    ///
    /// # Errors
    /// Where openssl fails.
    pub fn issue(&self, name: &str, alternatives: &[&str]) -> Result<Identity> {
        let identity = files(&self.folder, name);
        let names = [&[format!("DNS:{name}").as_str()], alternatives]
            .concat()
            .join(",");
        let mut command = request(&self.folder, name, &names, &identity);
        command
            .args(["-extensions", "leaf", "-CA"])
            .arg(&self.identity.certificate);
        command::run(command.arg("-CAkey").arg(&self.identity.key), b"")?;
        Ok(identity)
    }
}

fn files(folder: &Path, name: &str) -> Identity {
    Identity {
        certificate: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}.key")),
    }
}

fn request(folder: &Path, name: &str, names: &str, identity: &Identity) -> Command {
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "365",
    ]);
    command
        .args(["-subj", &format!("/CN={name}"), "-config"])
        .arg(folder.join("profile.cnf"))
        .env("NAMES", names);
    command
        .arg("-out")
        .arg(&identity.certificate)
        .arg("-keyout")
        .arg(&identity.key);
    command
}
