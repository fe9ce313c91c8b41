//! A contract, written as its users write one: two sections in YAML, sealed and signed with the openssl command line.
//!
//! A guest that opens these tokens opens its users' (the [`recipe`] is theirs). Tests change a [`Draft`] before it is
//! sealed, or a [`Sealed`] after.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hpcr_contract::{
    error::ContractError,
    token::age::{self, Recipient},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    Error, Result, certificates::Identity, collector, command, dns, recipe, registry, workload,
};

/// Where the data volume is mounted in the guest.
const MOUNT: &str = "/mnt/data";

/// What both parties decide, before it becomes YAML. It holds secrets, and so does not print.
#[derive(Clone)]
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
    /// A shell command that the container runs in place of the image's own.
    pub command: Option<&'static str>,
    /// Further lines of the service `web`, and further services; `IMAGE` stands for the image.
    pub further: &'static str,
    /// What stands under `play`, in place of a compose file; `IMAGE` stands for the image.
    pub play: Option<&'static str>,
    /// The key that signs, PEM file.
    pub signing_key: PathBuf,
}

/// A contract with both sections sealed.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The workload, sealed.
    pub workload: String,
    /// The deployer's section, sealed.
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
        let workload = recipe::seal(self.workload()?.as_bytes(), certificate)?;
        let env = recipe::seal(self.env()?.as_bytes(), certificate)?;
        let signature = recipe::sign(&self.signing_key, &workload, &env)?;
        Ok(Sealed {
            workload,
            env,
            signature,
        })
    }

    /// The same in the modern form: both sections as age files for the recipient in this file.
    ///
    /// # Errors
    /// Where a file cannot be read or openssl fails.
    pub fn seal_with_age(&self, recipient: &Path) -> Result<Sealed> {
        let broken = |error: ContractError| Error::Broken(error.to_string());
        let recipient = Recipient::from_text(&read(recipient)?).map_err(broken)?;
        let seal = |section: &str| age::seal(section.as_bytes(), &recipient).map_err(broken);
        let (workload, env) = (seal(&self.workload()?)?, seal(&self.env()?)?);
        let signature = recipe::sign(&self.signing_key, &workload, &env)?;
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
        let work = if let Some(play) = self.play {
            format!("play:\n{}", play.replace("IMAGE", &self.image))
        } else {
            let archive = BASE64_STANDARD.encode(self.compose_archive()?);
            format!("compose:\n  archive: {archive}\n")
        };
        let (host, user, password, seed) = (
            registry::Registry::host(),
            registry::USER,
            &self.registry_password,
            &self.workload_seed,
        );
        Ok(format!(
            "type: workload\n{work}\
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
        let command = self
            .command
            .map(|command| format!("    command: {}\n", json!(["sh", "-c", command])));
        let compose = format!(
            "services:\n  web:\n    image: {image}\n    environment:\n      GREETING: ${{GREETING}}\n\
             \x20   ports:\n      - \"{port}:{port}\"\n    volumes:\n      - {MOUNT}:{data}\n{}{}",
            command.unwrap_or_default(),
            self.further.replace("IMAGE", image)
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
        let [workload, env] = [&self.workload, &self.env].map(|section| {
            // A token is one line without an end, an age file is many.
            match section.strip_suffix('\n') {
                None => section.clone(),
                Some(lines) => format!("|\n{}", block(lines, 2).trim_end()),
            }
        });
        let signature = &self.signature;
        format!("workload: {workload}\nenv: {env}\nenvWorkloadSignature: {signature}\n")
    }
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

    #[test]
    fn no_secret_stands_in_a_sealed_contract_and_each_stands_in_its_sections() {
        let folder = tempfile::tempdir().unwrap();
        let (receiver, authority) = (
            recipe::receiver(folder.path(), "receiver").unwrap(),
            Authority::new(folder.path(), "ca").unwrap(),
        );
        let signing_key = folder.path().join("signing.key");
        recipe::signing_key(&signing_key).unwrap();
        let draft = Draft {
            image: "registry.test:5000/demo/web".into(),
            registry_password: "the-password".into(),
            registry_authority: authority.certificate().into(),
            collector_authority: authority.certificate().into(),
            client: authority.issue("guest.test", &[]).unwrap(),
            workload_seed: "the-workload-providers-seed".into(),
            env_seed: "the-deployers-own-seed".into(),
            greeting: "hello".into(),
            command: None,
            further: "",
            play: None,
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
