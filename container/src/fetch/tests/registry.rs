//! A real registry (Debian's `docker-registry`) on loopback, with TLS and a password. Images are written into its storage
//! folder, where they can be tampered with as a hostile registry would.
#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::image::{self, Compression};
use crate::verify::Digest;

pub(super) const PASSWORD: &str = "correct horse";
pub(super) const OCI: &str = "application/vnd.oci.image";

/// A registry of its own for each test; ended when dropped.
pub(super) struct Registry {
    pub(super) folder: tempfile::TempDir,
    process: Child,
    pub(super) host: String,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn openssl(folder: &Path, arguments: &str) {
    let ran = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

impl Registry {
    /// None, with a word why, where the machine has no registry.
    pub(super) fn start() -> Option<Self> {
        Self::start_with(
            |folder| json!({ "htpasswd": { "realm": "test", "path": folder.join("htpasswd") } }),
        )
    }

    /// With this part of its configuration for who may do what; it may name files of the folder.
    pub(super) fn start_with(auth: impl Fn(&Path) -> Value) -> Option<Self> {
        let _installed_before = rustls_openssl::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        openssl(
            folder.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=registry \
             -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem",
        );
        let hash = bcrypt::hash(PASSWORD, 4).unwrap();
        std::fs::write(folder.path().join("htpasswd"), format!("robot:{hash}\n")).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let host = format!("127.0.0.1:{port}");
        let at = |name: &str| folder.path().join(name);
        let config = json!({
            "version": 0.1,
            "log": { "level": "error" },
            "storage": { "filesystem": { "rootdirectory": at("data") } },
            "http": { "addr": host, "tls": { "certificate": at("cert.pem"), "key": at("key.pem") } },
            "auth": auth(folder.path()),
        });
        std::fs::write(at("config.yml"), config.to_string()).unwrap();
        let started = Command::new("docker-registry")
            .args([Path::new("serve"), &at("config.yml")])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            println!("skipped: docker-registry is not installed");
            return None;
        };
        let registry = Self {
            folder,
            process,
            host,
        };
        let begun = Instant::now();
        while std::net::TcpStream::connect(&registry.host).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "the registry did not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    pub(super) fn blob_path(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        self.folder
            .path()
            .join("data/docker/registry/v2/blobs/sha256")
            .join(&hex[..2])
            .join(hex)
            .join("data")
    }

    /// Stores bytes as a blob that `links` of the repository lead to; gives its descriptor.
    pub(super) fn put(&self, bytes: &[u8], kind: &str, links: &str) -> Value {
        let digest = Digest::of(bytes);
        let link = self
            .folder
            .path()
            .join("data/docker/registry/v2/repositories/app");
        let link = link
            .join(links)
            .join("sha256")
            .join(digest.hex())
            .join("link");
        for (path, bytes) in [
            (self.blob_path(&digest.to_string()), bytes),
            (link, digest.to_string().as_bytes()),
        ] {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        json!({ "mediaType": kind, "digest": digest.to_string(), "size": bytes.len() })
    }

    pub(super) fn put_layer(&self, tar: &[u8], compression: Compression) -> Value {
        let (bytes, suffix) = match compression {
            Compression::None => (tar.to_vec(), ""),
            Compression::Gzip => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(tar).unwrap();
                (encoder.finish().unwrap(), "+gzip")
            }
            Compression::Zstd => (zstd::encode_all(tar, 3).unwrap(), "+zstd"),
        };
        self.put(&bytes, &format!("{OCI}.layer.v1.tar{suffix}"), "_layers")
    }

    pub(super) fn put_manifest(&self, layers: &[Value], diff_ids: &[Digest]) -> Value {
        let ids: Vec<_> = diff_ids.iter().map(Digest::to_string).collect();
        let config = json!({ "architecture": image::architecture(), "os": "linux",
            "config": { "Cmd": ["/server"], "Env": ["A=1"] }, "rootfs": { "type": "layers", "diff_ids": ids } });
        let config = self.put(
            config.to_string().as_bytes(),
            &format!("{OCI}.config.v1+json"),
            "_layers",
        );
        let kind = format!("{OCI}.manifest.v1+json");
        let manifest =
            json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers });
        self.put(
            manifest.to_string().as_bytes(),
            &kind,
            "_manifests/revisions",
        )
    }

    /// An image of three layers, one of each compression.
    pub(super) fn put_image(&self) -> (Value, Vec<Value>) {
        let tars = tars();
        let kinds = [Compression::Gzip, Compression::Zstd, Compression::None];
        let layers: Vec<_> = tars
            .iter()
            .zip(kinds)
            .map(|(tar, kind)| self.put_layer(tar, kind))
            .collect();
        let ids: Vec<_> = tars.iter().map(|tar| Digest::of(tar)).collect();
        (self.put_manifest(&layers, &ids), layers)
    }

    pub(super) fn tamper(&self, descriptor: &Value) {
        let path = self.blob_path(descriptor["digest"].as_str().unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }
}

pub(super) fn tar_of(entries: &[(&str, tar::EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, kind, link, data) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_size(data.len() as u64);
        header.set_mode(0o755);
        match kind {
            tar::EntryType::Link | tar::EntryType::Symlink => {
                builder.append_link(&mut header, name, link).unwrap();
            }
            _ => builder.append_data(&mut header, name, *data).unwrap(),
        }
    }
    builder.into_inner().unwrap()
}

pub(super) fn tars() -> [Vec<u8>; 3] {
    use tar::EntryType::{Directory, Link, Regular};
    let noise: Vec<u8> = (0u32..200_000)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    [
        tar_of(&[
            ("etc", Directory, "", b""),
            ("etc/old", Regular, "", b"old"),
            ("noise", Regular, "", &noise),
        ]),
        tar_of(&[
            ("server", Regular, "", b"#!"),
            ("alias", Link, "server", b""),
            ("etc/.wh.old", Regular, "", b""),
        ]),
        tar_of(&[("page", Regular, "", b"<p>")]),
    ]
}
