//! OCI images (image-spec 1.1) made of folders and files: layers in tar and gzip, the configuration, the manifest.
//!
//! The same content makes the same bytes: names in order, owned by root, without times, whoever unpacked it and when.
//! An image is kept on disk as its blobs under their digests. It never runs anything.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _, Write as _},
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use crate::{Error, Result};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of an image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Bytes under their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Blob {
    fn new(bytes: Vec<u8>) -> Self {
        Self {
            digest: sha256(&bytes),
            bytes,
        }
    }
}

/// An image, ready to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Compressed layers, lowest first.
    pub layers: Vec<Blob>,
    /// The configuration.
    pub config: Blob,
    /// The manifest, whose digest is the image's.
    pub manifest: Blob,
}

impl Image {
    /// Makes an image of `layers`, lowest first, for x86-64; `config` is the configuration's member of that name.
    pub fn new(layers: Vec<Layer>, config: &Value) -> Self {
        let diff_ids: Vec<_> = layers.iter().map(|layer| &layer.diff_id).collect();
        let rootfs = json!({ "type": "layers", "diff_ids": diff_ids });
        let config =
            json!({ "architecture": "amd64", "os": "linux", "config": config, "rootfs": rootfs });
        let config = Blob::new(config.to_string().into_bytes());
        let descriptor = |media: &str, blob: &Blob| json!({ "mediaType": media, "digest": blob.digest, "size": blob.bytes.len() });
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": layers.iter().map(|layer| descriptor(LAYER, &layer.blob)).collect::<Vec<_>>(),
        });
        let layers = layers.into_iter().map(|layer| layer.blob).collect();
        Self {
            layers,
            config,
            manifest: Blob::new(manifest.to_string().into_bytes()),
        }
    }

    /// Writes the blobs into one archive, which takes its place only when it is complete.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let save = || {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder)?;
            let mut archive = tar::Builder::new(tempfile::NamedTempFile::new_in(folder)?);
            for blob in [&self.manifest, &self.config]
                .into_iter()
                .chain(&self.layers)
            {
                let mut header = header(EntryType::Regular, 0o644, blob.bytes.len());
                archive.append_data(&mut header, &blob.digest, blob.bytes.as_slice())?;
            }
            archive
                .into_inner()?
                .persist(path)
                .map_err(|refused| refused.error)
        };
        save().map(drop).map_err(Error::io(format!(
            "keeping the image in {}",
            path.display()
        )))
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// Where there is no such archive.
    pub fn load(path: &Path) -> Result<Self> {
        let load = || {
            let mut blobs = Vec::new();
            for entry in tar::Archive::new(fs::File::open(path)?).entries()? {
                let mut bytes = Vec::new();
                entry?.read_to_end(&mut bytes)?;
                blobs.push(Blob::new(bytes));
            }
            let mut blobs = blobs.into_iter();
            let (manifest, config) = blobs
                .next()
                .zip(blobs.next())
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            Ok(Self {
                layers: blobs.collect(),
                config,
                manifest,
            })
        };
        load().map_err(Error::io(format!(
            "reading the image in {}",
            path.display()
        )))
    }

    /// The bytes of the file at `path` in the lowest layer that has it.
    ///
    /// # Errors
    /// Where none has.
    pub fn file(&self, path: &str) -> Result<Vec<u8>> {
        let read = || {
            for layer in &self.layers {
                let mut archive = tar::Archive::new(GzDecoder::new(layer.bytes.as_slice()));
                for entry in archive.entries()? {
                    let mut entry = entry?;
                    if entry.path()? == Path::new(path) {
                        let mut bytes = Vec::new();
                        entry.read_to_end(&mut bytes)?;
                        return Ok(bytes);
                    }
                }
            }
            Err(io::ErrorKind::NotFound.into())
        };
        read().map_err(Error::io(format!("reading {path} in the image")))
    }
}

/// A finished layer.
#[derive(Debug)]
pub struct Layer {
    diff_id: String,
    blob: Blob,
}

/// A layer in the making. A folder that several trees share stands in it once: engines refuse the same path twice.
pub struct LayerBuilder {
    archive: tar::Builder<Vec<u8>>,
    folders: BTreeSet<String>,
}

impl LayerBuilder {
    /// Makes a layer of what `fill` adds.
    ///
    /// # Errors
    /// What `fill` failed with.
    pub fn build(fill: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<Layer> {
        let mut layer = Self {
            archive: tar::Builder::new(Vec::new()),
            folders: BTreeSet::new(),
        };
        fill(&mut layer)?;
        let plain = layer.archive.into_inner()?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&plain)?;
        Ok(Layer {
            diff_id: sha256(&plain),
            blob: Blob::new(gzip.finish()?),
        })
    }

    /// Adds a folder's content.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn tree(&mut self, root: &Path) -> io::Result<()> {
        self.below(root, Path::new(""))
    }

    fn below(&mut self, root: &Path, below: &Path) -> io::Result<()> {
        let mut entries = fs::read_dir(root.join(below))?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = below.join(entry.file_name());
            let name = String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned();
            let kind = entry.file_type()?;
            let mode = entry.metadata()?.permissions().mode() & 0o7777;
            if kind.is_dir() {
                self.folder(&name, mode)?;
                self.below(root, &path)?;
            } else if kind.is_symlink() {
                self.link(&name, &fs::read_link(entry.path())?)?;
            } else {
                self.file(&name, mode, &fs::read(entry.path())?)?;
            }
        }
        Ok(())
    }

    /// Adds an empty folder.
    ///
    /// # Errors
    /// Where the name does not fit.
    pub fn folder(&mut self, name: &str, mode: u32) -> io::Result<()> {
        if !self.folders.insert(name.to_owned()) {
            return Ok(());
        }
        self.archive.append_data(
            &mut header(EntryType::Directory, mode, 0),
            format!("{name}/"),
            io::empty(),
        )
    }

    /// Adds a symbolic link.
    ///
    /// # Errors
    /// Where the name does not fit.
    pub fn link(&mut self, name: &str, target: &Path) -> io::Result<()> {
        self.archive
            .append_link(&mut header(EntryType::Symlink, 0o777, 0), name, target)
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Where the name does not fit.
    pub fn file(&mut self, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        self.archive.append_data(
            &mut header(EntryType::Regular, mode, content.len()),
            name,
            content,
        )
    }
}

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Two layers with a file each.
    pub(crate) fn image() -> Image {
        let layer =
            |name: &str| LayerBuilder::build(|layer| layer.file(name, 0o644, b"content")).unwrap();
        Image::new(
            vec![layer("one"), layer("two")],
            &json!({ "Cmd": ["/one"] }),
        )
    }

    #[test]
    fn the_same_tree_makes_the_same_layer() {
        let tree = |mode| {
            let tree = tempfile::tempdir().unwrap();
            fs::create_dir(tree.path().join("etc")).unwrap();
            fs::write(tree.path().join("etc/hello"), "hello").unwrap();
            fs::set_permissions(
                tree.path().join("etc/hello"),
                fs::Permissions::from_mode(mode),
            )
            .unwrap();
            LayerBuilder::build(|layer| layer.tree(tree.path()))
                .unwrap()
                .blob
                .digest
        };
        assert_eq!(tree(0o644), tree(0o644));
        assert_ne!(tree(0o644), tree(0o755));
    }

    #[test]
    fn a_folder_of_two_trees_stands_once() {
        let twice = LayerBuilder::build(|layer| {
            layer.folder("etc", 0o755)?;
            layer.folder("etc", 0o755)
        });
        let once = LayerBuilder::build(|layer| layer.folder("etc", 0o755));
        assert_eq!(twice.unwrap().diff_id, once.unwrap().diff_id);
    }

    #[test]
    fn a_kept_image_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("new/image.tar");
        for _ in 0..2 {
            image().save(&kept).unwrap();
        }
        assert_eq!(Image::load(&kept).unwrap(), image());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no partial folder is left"
        );
    }
}
