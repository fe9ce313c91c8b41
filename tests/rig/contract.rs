//! A contract, written as its users write one: two sections in YAML, sealed and signed with the openssl command line.
//!
//! The recipe is the one that users have followed since the format exists (`openssl rand`, `pkeyutl`, `enc`, `dgst`), so
//! a guest that opens these tokens opens theirs. Nothing of the project's own cryptography is used here. Tests change
//! a [`Draft`] before it is sealed, or a [`Sealed`] after.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result, certificates::Identity, collector, command, dns, registry, workload};

/// The token's first word.
const PREFIX: &str = "hyper-protect-basic";
/// Where the data volume is mounted in the guest.
const MOUNT: &str = "/mnt/data";

/// What both parties decide, before it becomes YAML.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The image as the compose file names it.
    pub image: String,
    /// Password of [`registry::USER`].
    pub registry_password: String,
    /// The authority of the registry, PEM file.
    pub registry_authority: PathBuf,
    /// The authority that may vouch for the collector, PEM file.
    pub collector_authority: PathBuf,
    /// What the guest shows the collector.
    pub client: Identity,
    /// The workload provider's part of the volume's passphrase.
    pub workload_seed: String,
    /// The deployer's part.
    pub env_seed: String,
    /// What the page says.
    pub greeting: String,
    /// The key that signs, PEM file.
    pub signing_key: PathBuf,
}

/// A contract with both sections sealed.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The workload's token.
    pub workload: String,
    /// The deployer's token.
    pub env: String,
    /// The signature over both.
    pub signature: String,
}

impl Draft {
    /// Seals both sections for the holder of `certificate`'s key, and signs them.
    ///
    /// # Errors
    /// Where a file cannot be read or openssl fails.
    pub fn seal(&self, certificate: &Path) -> Result<Sealed> {
        let workload = seal(self.workload()?.as_bytes(), certificate)?;
        let env = seal(self.env()?.as_bytes(), certificate)?;
        let signature = sign(&self.signing_key, &workload, &env)?;
        Ok(Sealed {
            workload,
            env,
            signature,
        })
    }

    /// The workload provider's section.
    ///
    /// # Errors
    /// Where tar fails.
    pub fn workload(&self) -> Result<String> {
        let archive = BASE64_STANDARD.encode(self.compose_archive()?);
        let (host, user, password, seed) = (
            registry::Registry::host(),
            registry::USER,
            &self.registry_password,
            &self.workload_seed,
        );
        Ok(format!(
            "type: workload\ncompose:\n  archive: {archive}\n\
             auths:\n  \"{host}\":\n    username: {user}\n    password: \"{password}\"\n\
             volumes:\n  data:\n    seed: \"{seed}\"\n    mount: {MOUNT}\n    filesystem: ext4\n"
        ))
    }

    /// The deployer's section.
    ///
    /// # Errors
    /// Where a PEM file cannot be read.
    pub fn env(&self) -> Result<String> {
        let public = command::run(
            Command::new("openssl")
                .args(["pkey", "-pubout", "-in"])
                .arg(&self.signing_key),
            b"",
        )?;
        Ok(format!(
            "type: env\nlogging:\n  syslog:\n    hostname: {host}\n    port: {port}\n\
             \x20   server: |\n{server}    cert: |\n{certificate}    key: |\n{key}\
             volumes:\n  data:\n    seed: \"{seed}\"\n\
             cacerts:\n  - registry: {authority}\n\
             env:\n  GREETING: \"{greeting}\"\n\
             signingKey: |\n{public}",
            host = dns::COLLECTOR,
            port = collector::PORT,
            server = block(&read(&self.collector_authority)?, 6),
            certificate = block(&read(&self.client.certificate)?, 6),
            key = block(&read(&self.client.key)?, 6),
            seed = self.env_seed,
            authority = BASE64_STANDARD.encode(read(&self.registry_authority)?),
            greeting = self.greeting,
            public = block(&String::from_utf8_lossy(&public), 2),
        ))
    }

    fn compose_archive(&self) -> Result<Vec<u8>> {
        let folder =
            tempfile::tempdir().map_err(Error::io("making a folder for the compose file"))?;
        let (image, port, data) = (&self.image, workload::PORT, workload::DATA);
        let compose = format!(
            "services:\n  web:\n    image: {image}\n    environment:\n      GREETING: ${{GREETING}}\n\
             \x20   ports:\n      - \"{port}:{port}\"\n    volumes:\n      - {MOUNT}:{data}\n"
        );
        fs::write(folder.path().join("docker-compose.yaml"), compose)
            .map_err(Error::io("writing the compose file"))?;
        command::run(
            Command::new("tar")
                .args(["-czf", "-", "-C"])
                .arg(folder.path())
                .arg("docker-compose.yaml"),
            b"",
        )
    }

    /// Every text that may appear in no output of the appliance: seeds, passphrase, password, lines of private keys.
    ///
    /// # Errors
    /// Where a key cannot be read.
    pub fn secrets(&self) -> Result<Vec<String>> {
        let passphrase = hex::encode(Sha256::digest(format!(
            "{}{}",
            self.env_seed, self.workload_seed
        )));
        let mut secrets = vec![
            self.workload_seed.clone(),
            self.env_seed.clone(),
            self.registry_password.clone(),
            BASE64_STANDARD.encode(format!("{}:{}", registry::USER, self.registry_password)),
            passphrase,
        ];
        for key in [&self.client.key, &self.signing_key] {
            // The armour says what it is, not what it holds.
            secrets.extend(
                read(key)?
                    .lines()
                    .filter(|line| !line.starts_with("-----"))
                    .map(str::to_owned),
            );
        }
        Ok(secrets)
    }
}

impl Sealed {
    /// The contract's text: what goes into the seed disk as `user-data`.
    pub fn user_data(&self) -> String {
        format!(
            "workload: {}\nenv: {}\nenvWorkloadSignature: {}\n",
            self.workload, self.env, self.signature
        )
    }
}

/// Makes an RSA key for signing, PEM.
///
/// # Errors
/// Where openssl fails.
pub fn signing_key(path: &Path) -> Result<()> {
    command::run(
        Command::new("openssl")
            .args(["genrsa", "-out"])
            .arg(path)
            .arg("2048"),
        b"",
    )
    .map(drop)
}

/// Seals a section: a random password under the RSA key, the text under the password.
///
/// # Errors
/// Where openssl fails.
pub fn seal(text: &[u8], certificate: &Path) -> Result<String> {
    let password = password()?;
    let mut wrap = Command::new("openssl");
    wrap.args([
        "pkeyutl",
        "-encrypt",
        "-certin",
        "-pkeyopt",
        "rsa_padding_mode:pkcs1",
        "-inkey",
    ])
    .arg(certificate);
    let wrapped = command::run(&mut wrap, &password)?;
    let folder = tempfile::tempdir().map_err(Error::io("making a folder for a section"))?;
    let plain = folder.path().join("section.yaml");
    fs::write(&plain, text).map_err(Error::io("writing a section"))?;
    let mut encrypt = Command::new("openssl");
    encrypt
        .args(["enc", "-aes-256-cbc", "-pbkdf2", "-pass", "stdin", "-in"])
        .arg(plain);
    let sealed = command::run(&mut encrypt, &password)?;
    Ok(format!(
        "{PREFIX}.{}.{}",
        BASE64_STANDARD.encode(wrapped),
        BASE64_STANDARD.encode(sealed)
    ))
}

/// 32 random bytes. openssl refuses a password that starts with NUL; its users try again, and so does this.
fn password() -> Result<Vec<u8>> {
    loop {
        let password = command::run(Command::new("openssl").args(["rand", "32"]), b"")?;
        if password.first() != Some(&0) {
            return Ok(password);
        }
    }
}

/// Signs both sections as they stand in the contract, the workload first.
///
/// # Errors
/// Where openssl fails.
pub fn sign(key: &Path, workload: &str, env: &str) -> Result<String> {
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-sign"]).arg(key);
    let signature = command::run(&mut command, format!("{workload}{env}").as_bytes())?;
    Ok(BASE64_STANDARD.encode(signature))
}

/// The token with one byte of its ciphertext changed.
///
/// # Errors
/// Where it is not a token.
pub fn flip(token: &str) -> Result<String> {
    let broken = || Error::Broken("that is no token".into());
    let (head, data) = token.rsplit_once('.').ok_or_else(broken)?;
    let mut bytes = BASE64_STANDARD.decode(data).map_err(|_| broken())?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Ok(format!("{head}.{}", BASE64_STANDARD.encode(bytes)))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))
}

/// A literal YAML block's lines.
fn block(text: &str, indent: usize) -> String {
    let mut block = String::new();
    for line in text.lines() {
        block.extend([&" ".repeat(indent), line, "\n"]);
    }
    block
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::certificates::Authority;

    /// A key with its certificate as an image has them: RSA, the name does not matter.
    fn receiver(folder: &Path) -> Identity {
        let receiver = Identity {
            certificate: folder.join("receiver.pem"),
            key: folder.join("receiver.key"),
        };
        let mut command = Command::new("openssl");
        command.args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=receiver",
            "-keyout",
        ]);
        command::run(
            command
                .arg(&receiver.key)
                .arg("-out")
                .arg(&receiver.certificate),
            b"",
        )
        .unwrap();
        receiver
    }

    /// The documented way back.
    fn open(token: &str, key: &Path) -> Result<Vec<u8>> {
        let parts: Vec<_> = token.split('.').collect();
        assert_eq!((parts.len(), parts[0]), (3, PREFIX));
        let mut unwrap = Command::new("openssl");
        unwrap
            .args([
                "pkeyutl",
                "-decrypt",
                "-pkeyopt",
                "rsa_padding_mode:pkcs1",
                "-inkey",
            ])
            .arg(key);
        let password = command::run(&mut unwrap, &BASE64_STANDARD.decode(parts[1]).unwrap())?;
        let sealed = tempfile::NamedTempFile::new().unwrap();
        fs::write(&sealed, BASE64_STANDARD.decode(parts[2]).unwrap()).unwrap();
        let mut decrypt = Command::new("openssl");
        decrypt
            .args([
                "enc",
                "-d",
                "-aes-256-cbc",
                "-pbkdf2",
                "-pass",
                "stdin",
                "-in",
            ])
            .arg(sealed.path());
        command::run(&mut decrypt, &password)
    }

    #[test]
    fn a_sealed_section_opens_with_the_documented_recipe() {
        let folder = tempfile::tempdir().unwrap();
        let receiver = receiver(folder.path());
        let token = seal(b"type: env\n", &receiver.certificate).unwrap();
        assert_eq!(open(&token, &receiver.key).unwrap(), b"type: env\n");
        let flipped = flip(&token).unwrap();
        assert_eq!(flipped.len(), token.len());
        assert_ne!(
            open(&flipped, &receiver.key).unwrap_or_default(),
            b"type: env\n"
        );
    }

    #[test]
    fn no_secret_stands_in_a_sealed_contract_and_each_stands_in_its_sections() {
        let folder = tempfile::tempdir().unwrap();
        let (receiver, authority) = (
            receiver(folder.path()),
            Authority::new(folder.path(), "ca").unwrap(),
        );
        let signing_key = folder.path().join("signing.key");
        super::signing_key(&signing_key).unwrap();
        let draft = Draft {
            image: "registry.test:5000/demo/web".into(),
            registry_password: "the-password".into(),
            registry_authority: authority.certificate().into(),
            collector_authority: authority.certificate().into(),
            client: authority.issue("guest.test", &[]).unwrap(),
            workload_seed: "the-workload-providers-seed".into(),
            env_seed: "the-deployers-own-seed".into(),
            greeting: "hello".into(),
            signing_key,
        };
        let sealed = draft.seal(&receiver.certificate).unwrap().user_data();
        let secrets = draft.secrets().unwrap();
        assert!(secrets.iter().all(|secret| !sealed.contains(secret)));
        let sections = draft.workload().unwrap() + &draft.env().unwrap();
        for said in [
            "the-password",
            "the-workload-providers-seed",
            "the-deployers-own-seed",
        ] {
            assert!(
                sections.contains(said) && secrets.iter().any(|secret| secret == said),
                "{said}"
            );
        }
    }
}
