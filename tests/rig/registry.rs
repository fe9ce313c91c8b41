//! The registry of a rig: Debian's `docker-registry` over TLS, with a user name and a password.
//!
//! Images are pushed through its front door by the client that the field uses. [`Registry::tamper`] goes round the
//! back: it changes the bytes that the registry keeps under a digest, which is what a hostile registry does.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use oci_client::{
    Reference,
    client::{Certificate, CertificateEncoding, Client, ClientConfig},
    secrets::RegistryAuth,
};

use crate::{
    Error, Result,
    certificates::{Authority, Identity},
    daemon::Daemon,
    dns,
    oci::{self, Image},
};

/// Where it listens.
pub const PORT: u16 = 5000;
/// The only user.
pub const USER: &str = "puller";

/// A running registry. It holds its password, and so does not print.
pub struct Registry {
    authority: Authority,
    store: PathBuf,
    password: String,
    _daemon: Daemon,
}

impl Registry {
    /// Starts an empty registry with an authority and a password of its own, in a new folder of `scratch`.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn start(scratch: &Path) -> Result<Self> {
        let authority = Authority::new(scratch, "registry")?;
        let folder = scratch.join("registry");
        let server = authority.issue(dns::REGISTRY, &["IP:127.0.0.1"])?;
        let mut random = [0; 12];
        openssl::rand::rand_bytes(&mut random).map_err(|e| Error::Broken(e.to_string()))?;
        let password = hex::encode(random);
        let store = folder.join("store");
        // Cost 5 is the least that htpasswd itself offers; the registry hashes once for every request.
        let hash = bcrypt::hash(&password, 5).map_err(|e| Error::Broken(e.to_string()))?;
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text)
                .map(|()| path)
                .map_err(Error::io(format!("writing the registry's {name}")))
        };
        let users = write("htpasswd", format!("{USER}:{hash}\n"))?;
        let configuration = write("config.yml", configure(&store, &users, &server))?;
        let mut command = Command::new("docker-registry");
        command
            .arg("serve")
            .arg(configuration)
            .env("OTEL_TRACES_EXPORTER", "none");
        let daemon = Daemon::start(&mut command, &folder.join("registry.log"), PORT)?;
        Ok(Self {
            authority,
            store,
            password,
            _daemon: daemon,
        })
    }

    /// The certificate of its authority, PEM.
    pub fn authority(&self) -> &Path {
        self.authority.certificate()
    }

    /// The password of [`USER`].
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The host with port, as contracts name it.
    pub fn host() -> String {
        format!("{}:{PORT}", dns::REGISTRY)
    }

    /// Pushes an image and gives the digest of its manifest.
    ///
    /// # Errors
    /// What the registry refused.
    pub fn push(&self, image: &Image, repository: &str) -> Result<String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let push = self.push_all(image, repository);
        runtime
            .map_err(Error::io("starting the registry client"))?
            .block_on(push)?;
        Ok(image.manifest.digest.clone())
    }

    async fn push_all(&self, image: &Image, repository: &str) -> Result<()> {
        let data =
            fs::read(self.authority()).map_err(Error::io("reading the registry's authority"))?;
        // Installed already where this is not the first push of the program.
        let _ = rustls_openssl::default_provider().install_default();
        let client = Client::new(ClientConfig {
            extra_root_certificates: vec![Certificate {
                encoding: CertificateEncoding::Pem,
                data,
            }],
            ..ClientConfig::default()
        });
        let host = format!("127.0.0.1:{PORT}");
        let reference = Reference::with_digest(
            host.clone(),
            repository.into(),
            image.manifest.digest.clone(),
        );
        client
            .store_auth_if_needed(
                &host,
                &RegistryAuth::Basic(USER.into(), self.password.clone()),
            )
            .await;
        for blob in image.layers.iter().chain([&image.config]) {
            client
                .push_blob(&reference, blob.bytes.clone(), &blob.digest)
                .await?;
        }
        let media = oci::MANIFEST
            .parse()
            .map_err(|_| Error::Broken("the media type".into()))?;
        client
            .push_manifest_raw(&reference, image.manifest.bytes.clone(), media)
            .await?;
        Ok(())
    }

    /// Changes one byte of what is kept under `digest` (`sha256:…`), which the registry goes on to serve under that name.
    ///
    /// # Errors
    /// Where nothing is kept under it.
    pub fn tamper(&self, digest: &str) -> Result<()> {
        let hex = digest.trim_start_matches("sha256:");
        let shard = hex
            .get(..2)
            .ok_or_else(|| Error::Broken(format!("`{digest}` is no digest")))?;
        let path = self
            .store
            .join("docker/registry/v2/blobs/sha256")
            .join(shard)
            .join(hex)
            .join("data");
        let mut bytes =
            fs::read(&path).map_err(Error::io(format!("reading the registry's {digest}")))?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).map_err(Error::io(format!("changing the registry's {digest}")))
    }
}

fn configure(store: &Path, users: &Path, server: &Identity) -> String {
    format!(
        "version: 0.1\nlog: {{level: warn, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: {}}}}}\n\
         http: {{addr: '127.0.0.1:{PORT}', tls: {{certificate: {}, key: {}}}}}\n\
         auth: {{htpasswd: {{realm: rig, path: {}}}}}\n",
        store.display(),
        server.certificate.display(),
        server.key.display(),
        users.display()
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::*;
    use crate::{command, namespace, oci::tests::image};

    /// Asks over TLS with the openssl command line, another program than the one that pushed.
    fn get(registry: &Registry, password: &str, digest: &str) -> Result<Vec<u8>> {
        let user = BASE64_STANDARD.encode(format!("{USER}:{password}"));
        let request = format!(
            "GET /v2/demo/web/blobs/{digest} HTTP/1.0\r\nAuthorization: Basic {user}\r\n\r\n"
        );
        let mut command = Command::new("openssl");
        command.args([
            "s_client",
            "-quiet",
            "-verify_return_error",
            "-connect",
            "127.0.0.1:5000",
            "-CAfile",
        ]);
        let answer = command::run(command.arg(registry.authority()), request.as_bytes())?;
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap()
            + 4;
        let status = String::from_utf8_lossy(&answer[9..12]).into_owned();
        if status == "200" {
            Ok(answer[end..].to_vec())
        } else {
            Err(Error::Broken(status))
        }
    }

    #[test]
    fn the_registry_gives_what_was_pushed_to_who_knows_the_password() {
        namespace::isolated(|| {
            let (registry, image) = (Registry::start(Path::new(namespace::SCRATCH))?, image());
            assert_eq!(registry.push(&image, "demo/web")?, image.manifest.digest);
            for blob in image.layers.iter().chain([&image.config]) {
                assert_eq!(
                    get(&registry, registry.password(), &blob.digest)?,
                    blob.bytes
                );
            }
            let refused = get(&registry, "guessed", &image.config.digest).unwrap_err();
            assert!(refused.to_string().contains("401"), "{refused}");
            Ok(())
        });
    }

    #[test]
    fn a_tampered_blob_is_served_under_the_old_digest() {
        namespace::isolated(|| {
            let (registry, image) = (Registry::start(Path::new(namespace::SCRATCH))?, image());
            registry.push(&image, "demo/web")?;
            let blob = &image.layers[0];
            registry.tamper(&blob.digest)?;
            let served = get(&registry, registry.password(), &blob.digest)?;
            assert_eq!(served.len(), blob.bytes.len());
            assert_ne!(served, blob.bytes);
            Ok(())
        });
    }
}
