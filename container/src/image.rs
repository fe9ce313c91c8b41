//! What a manifest, an index and a configuration say (OCI image specification 1.1, Docker schema 2). Pure: bytes whose
//! digest has been checked go in, decisions come out; nothing is fetched here.

use oci_spec::image::{
    Arch, Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType, Os,
};

use crate::limits;
use crate::verify::Digest;

/// The media types that are asked for.
pub(crate) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// A document that a manifest digest stands for.
#[derive(Debug)]
pub(crate) enum Document {
    /// One image.
    Image(Manifest),
    /// The digest of this machine's image; none where there is no such entry.
    Index(Option<Digest>),
}

/// An image's parts, with digests that are well-formed and sizes within bounds.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub config: Blob,
    pub layers: Vec<(Blob, Compression)>,
}

/// Something to fetch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blob {
    pub digest: Digest,
    pub size: u64,
}

/// How a layer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// A verified image: what to mount and how to start it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    /// Diff-ids, the lowest layer first.
    pub layers: Vec<Digest>,
    /// The defaults of its configuration.
    pub settings: Settings,
}

/// The part of an image configuration that a container starts with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub user: Option<String>,
    pub env: Vec<String>,
    pub entrypoint: Vec<String>,
    pub command: Vec<String>,
    pub working_dir: Option<String>,
    pub stop_signal: Option<String>,
}

/// The architecture of this machine in the image specification's words (GOARCH).
pub(crate) fn architecture() -> Arch {
    match std::env::consts::ARCH {
        "x86_64" => Arch::Amd64,
        "aarch64" => Arch::ARM64,
        "s390x" => Arch::s390x,
        "powerpc64" => Arch::PowerPC64le,
        other => Arch::Other(other.to_owned()),
    }
}

/// Reads a manifest or an index.
pub(crate) fn document(bytes: &[u8], architecture: &Arch) -> Result<Document, String> {
    #[derive(serde::Deserialize)]
    struct Shape {
        manifests: Option<serde::de::IgnoredAny>,
        layers: Option<serde::de::IgnoredAny>,
    }
    let shape: Shape = parse(bytes)?;
    match (shape.manifests.is_some(), shape.layers.is_some()) {
        (true, false) => index(&parse(bytes)?, architecture).map(Document::Index),
        (false, true) => manifest(&parse(bytes)?).map(Document::Image),
        // CVE-2021-41190: one digest must not mean two images.
        (true, true) => Err("it is an index and a manifest at once".into()),
        (false, false) => Err("it is no image manifest".into()),
    }
}

/// Reads a configuration and pairs it with the layers of its manifest.
pub(crate) fn configuration(
    bytes: &[u8],
    layers: usize,
) -> Result<(ImageConfiguration, Vec<Digest>), String> {
    let configuration: ImageConfiguration = parse(bytes)?;
    let ids = configuration.rootfs().diff_ids();
    if ids.len() != layers {
        return Err(format!(
            "it names {} layers, the manifest {layers}",
            ids.len()
        ));
    }
    let ids = ids
        .iter()
        .map(|id| Digest::parse(id).ok_or("a diff-id is no sha256 digest".to_owned()));
    let ids = ids.collect::<Result<_, _>>()?;
    Ok((configuration, ids))
}

/// Whether an image runs on this machine.
pub(crate) fn runs_here(configuration: &ImageConfiguration, architecture: &Arch) -> bool {
    *configuration.os() == Os::Linux && configuration.architecture() == architecture
}

/// What a container starts with.
pub(crate) fn settings(configuration: &ImageConfiguration) -> Settings {
    let set = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    configuration
        .config()
        .as_ref()
        .map_or_else(Settings::default, |config| Settings {
            user: set(config.user()),
            env: config.env().clone().unwrap_or_default(),
            entrypoint: config.entrypoint().clone().unwrap_or_default(),
            command: config.cmd().clone().unwrap_or_default(),
            working_dir: set(config.working_dir()),
            stop_signal: set(config.stop_signal()),
        })
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| {
        format!(
            "it is not valid: line {}, column {}",
            error.line(),
            error.column()
        )
    })
}

fn index(index: &ImageIndex, architecture: &Arch) -> Result<Option<Digest>, String> {
    let here = |entry: &&Descriptor| {
        entry
            .platform()
            .as_ref()
            .is_some_and(|p| *p.os() == Os::Linux && p.architecture() == architecture)
    };
    index.manifests().iter().find(here).map(digest).transpose()
}

fn manifest(manifest: &ImageManifest) -> Result<Manifest, String> {
    if manifest.layers().is_empty() || manifest.layers().len() > limits::LAYERS {
        return Err(format!(
            "it has {} layers; 1 to {} can be run",
            manifest.layers().len(),
            limits::LAYERS
        ));
    }
    let layers = manifest
        .layers()
        .iter()
        .map(|layer| Ok((blob(layer, limits::LAYER)?, compression(layer)?)));
    Ok(Manifest {
        config: blob(manifest.config(), limits::CONFIG)?,
        layers: layers.collect::<Result<_, String>>()?,
    })
}

fn blob(descriptor: &Descriptor, limit: u64) -> Result<Blob, String> {
    if descriptor.size() > limit {
        return Err(format!(
            "a part of {} bytes is larger than {limit}",
            descriptor.size()
        ));
    }
    Ok(Blob {
        digest: digest(descriptor)?,
        size: descriptor.size(),
    })
}

fn digest(descriptor: &Descriptor) -> Result<Digest, String> {
    Digest::parse(descriptor.digest().as_ref())
        .ok_or_else(|| "a part is not named by a sha256 digest".to_owned())
}

fn compression(layer: &Descriptor) -> Result<Compression, String> {
    match layer.media_type() {
        MediaType::ImageLayer => Ok(Compression::None),
        MediaType::ImageLayerGzip => Ok(Compression::Gzip),
        MediaType::ImageLayerZstd => Ok(Compression::Zstd),
        other => match other.to_string().as_str() {
            "application/vnd.docker.image.rootfs.diff.tar.gzip" => Ok(Compression::Gzip),
            "application/vnd.docker.image.rootfs.diff.tar.zstd" => Ok(Compression::Zstd),
            "application/vnd.docker.image.rootfs.diff.tar" => Ok(Compression::None),
            _ => Err(
                "a layer has a media type that cannot be unpacked (encrypted, foreign or no layer)"
                    .into(),
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    fn digest_of(byte: u8) -> String {
        Digest::of(&[byte]).to_string()
    }

    fn manifest_of(layers: &[(&str, u64)]) -> Value {
        let layers: Vec<_> = layers
            .iter()
            .map(|(kind, size)| json!({"mediaType": kind, "digest": digest_of(1), "size": size}))
            .collect();
        json!({"schemaVersion": 2, "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(0), "size": 2}, "layers": layers})
    }

    fn read(value: &Value) -> Result<Document, String> {
        document(value.to_string().as_bytes(), &Arch::Amd64)
    }

    const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

    #[test]
    fn layers_of_both_specifications_are_understood() {
        for (kind, compression) in [
            ("application/vnd.oci.image.layer.v1.tar", Compression::None),
            (GZIP, Compression::Gzip),
            (
                "application/vnd.oci.image.layer.v1.tar+zstd",
                Compression::Zstd,
            ),
            (
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
                Compression::Gzip,
            ),
        ] {
            let Document::Image(manifest) = read(&manifest_of(&[(kind, 3)])).unwrap() else {
                panic!("an image")
            };
            assert_eq!(
                (manifest.layers[0].0.size, manifest.layers[0].1),
                (3, compression),
                "{kind}"
            );
        }
    }

    #[test]
    fn manifests_that_could_mislead_or_exhaust_are_refused() {
        let mut both = manifest_of(&[(GZIP, 3)]);
        both["manifests"] = json!([]);
        let mut sha512 = manifest_of(&[(GZIP, 3)]);
        sha512["layers"][0]["digest"] = json!(format!("sha512:{}", "0".repeat(128)));
        let mut large_config = manifest_of(&[(GZIP, 3)]);
        large_config["config"]["size"] = json!(limits::CONFIG + 1);
        for value in [
            json!([]),
            json!({}),
            both,
            sha512,
            large_config,
            manifest_of(&[]),
            manifest_of(&[(GZIP, 3); 129]),
            manifest_of(&[(GZIP, limits::LAYER + 1)]),
            manifest_of(&[("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", 3)]),
        ] {
            assert!(read(&value).is_err(), "{value:.200}");
        }
    }

    #[test]
    fn an_index_leads_to_the_image_of_this_architecture() {
        let entry = |arch: &str, os: &str, byte| {
            json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest_of(byte), "size": 2,
                   "platform": {"architecture": arch, "os": os}})
        };
        let index = json!({"schemaVersion": 2, "manifests": [
            entry("s390x", "linux", 1), entry("amd64", "windows", 2), entry("amd64", "linux", 3)]});
        let find = |arch| match document(index.to_string().as_bytes(), &arch).unwrap() {
            Document::Index(found) => found,
            Document::Image(_) => panic!("an index"),
        };
        assert_eq!(find(Arch::Amd64), Some(Digest::of(&[3])));
        assert_eq!(find(Arch::s390x), Some(Digest::of(&[1])));
        assert_eq!(find(Arch::ARM64), None);
    }

    #[test]
    fn a_configuration_gives_the_defaults_and_one_diff_id_a_layer() {
        let value = json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest_of(1)]},
            "config": {"User": "", "Env": ["A=b"], "Cmd": ["sh"], "Entrypoint": null, "WorkingDir": "/w", "ExposedPorts": {"80/tcp": {}}}});
        let bytes = value.to_string();
        let (parsed, ids) = configuration(bytes.as_bytes(), 1).unwrap();
        assert_eq!(ids, [Digest::of(&[1])]);
        assert!(runs_here(&parsed, &Arch::Amd64) && !runs_here(&parsed, &Arch::s390x));
        let expected = Settings {
            env: vec!["A=b".into()],
            command: vec!["sh".into()],
            working_dir: Some("/w".into()),
            ..Settings::default()
        };
        assert_eq!(settings(&parsed), expected);
        assert!(
            configuration(bytes.as_bytes(), 2).is_err(),
            "a layer without a diff-id"
        );
    }
}
