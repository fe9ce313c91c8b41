//! What users bring along to an example, and how what comes out is looked at.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpcr_contract::yaml::Document;
use hpcr_image::manifest::{CERTIFICATE, FILE};
use rig::certificates::{Authority, Identity};
use rig::recipe;
use rig::terraform::{Project, is_here};
use serde_json::{Value, json};

pub(crate) const SEED: &str = "the-workload-providers-seed";
pub(crate) const ENV_SEED: &str = "the-deployers-seed";
pub(crate) const ROOT: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const PASSWORD: &str = "the-registrys-password";

/// What users bring along: an image, whose key the test has; a signing key, a collector.
pub(crate) struct Given {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) image: Identity,
    pub(crate) signing_key: String,
    pub(crate) collector: Value,
}

impl Given {
    /// `None` where there is no Terraform.
    pub(crate) fn new() -> Option<Self> {
        if !is_here() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let image = image(folder.path());
        let key = folder.path().join("signing.key");
        recipe::signing_key(&key).unwrap();
        let authority = Authority::new(folder.path(), "authority").unwrap();
        let client = authority.issue("guest.test", &[]).unwrap();
        let collector = json!({
            "hostname": "collector.test", "port": 6514, "server": text(authority.certificate()),
            "cert": text(&client.certificate), "key": text(&client.key),
        });
        Some(Self {
            signing_key: text(&key),
            folder,
            image,
            collector,
        })
    }

    pub(crate) fn project(&self, name: &str) -> Project {
        Project::of_example(self.folder.path(), name).unwrap()
    }

    pub(crate) fn image_folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn secrets(&self) -> Value {
        json!({
            "signing_key": self.signing_key, "workload_seed": SEED, "env_seed": ENV_SEED, "collector": self.collector,
            "auths": {"registry.test": {"username": "puller", "password": PASSWORD}},
        })
    }

    /// The two sections of a contract, opened with the image's key.
    pub(crate) fn sections(&self, user_data: &str) -> [String; 2] {
        ["workload", "env"].map(|name| {
            let opened = recipe::open(token(user_data, name), &self.image.key);
            String::from_utf8(opened.unwrap()).unwrap()
        })
    }
}

/// A sealed section of a contract.
pub(crate) fn token<'c>(user_data: &'c str, name: &str) -> &'c str {
    let line = user_data
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap().trim_matches(['"', '\''])
}

/// Makes a folder one of an image, as far as examples read it.
pub(crate) fn image(folder: &Path) -> Identity {
    let image = recipe::receiver(folder, "image").unwrap();
    fs::copy(&image.certificate, folder.join(CERTIFICATE)).unwrap();
    let description = json!({
        "version": "0", "kind": "development", "architecture": "x86_64", "built": 0, "suite": "trixie",
        "kernelRelease": "6", "baseImage": "00", "commandLine": "console=ttyS0 quiet", "parts": {}, "packages": [], "files": {},
    });
    fs::write(folder.join(FILE), description.to_string()).unwrap();
    image
}

pub(crate) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Applies twice: the second plan is empty. No state holds a secret.
pub(crate) fn apply(project: &Project) {
    project.validate().unwrap();
    project.apply().unwrap();
    assert!(
        project.is_settled().unwrap(),
        "the second plan is not empty"
    );
    let state = project.state().unwrap();
    for secret in [SEED, ENV_SEED, ROOT, PASSWORD, "PRIVATE KEY"] {
        assert!(!state.contains(secret), "{secret} stands in the state");
    }
}

pub(crate) fn output(project: &Project, name: &str) -> String {
    project.output(name).unwrap().as_str().unwrap().to_owned()
}

/// The documents of a YAML stream.
pub(crate) fn documents(stream: &str) -> Vec<Value> {
    let documents = stream.split("---\n").filter(|part| !part.is_empty());
    let code = hpcr_contract::messages::NETWORK_FAILED;
    documents
        .map(|part| Document::parse(part, "manifests", code).unwrap().to_json())
        .collect()
}

pub(crate) fn of_kind<'d>(documents: &'d [Value], kind: &str) -> &'d Value {
    documents.iter().find(|one| one["kind"] == kind).unwrap()
}

/// The user-data in a Secret.
pub(crate) fn contract_of(documents: &[Value]) -> String {
    let data = of_kind(documents, "Secret")["data"]["userdata"]
        .as_str()
        .unwrap();
    String::from_utf8(STANDARD.decode(data).unwrap()).unwrap()
}
