//! The workload of a rig: a web server with a page and a counter, as an OCI image of three layers.
//!
//! It is made of Debian packages: the folders and names that every program expects, `busybox` with its `httpd`, and
//! the site of `tests/workload/`, which also takes away (by whiteouts) what the first layer need not have brought. The
//! same packages make the same bytes. It never runs anything on the host.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::{ffi::OsStrExt as _, fs::PermissionsExt as _},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};

use crate::{Error, Result};

/// The port that the web server listens on, in the container.
pub const PORT: u16 = 8080;
/// Where the container expects its data volume.
pub const DATA: &str = "/data";
/// The packages of each of the lower layers.
pub const PACKAGES: [&[&str]; 2] = [&["base-files", "netbase"], &["busybox-static"]];

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of an image manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

const APPLETS: &[&str] = &["cat", "dd", "echo", "httpd", "kill", "mv", "sh", "sync"];
const SITE: &[(&str, u32, &[u8])] = &[
    (
        "srv/www/index.html",
        0o644,
        include_bytes!("../workload/index.html"),
    ),
    (
        "srv/www/cgi-bin/visit",
        0o755,
        include_bytes!("../workload/visit"),
    ),
    (
        "usr/local/bin/serve",
        0o755,
        include_bytes!("../workload/serve"),
    ),
];

/// Bytes under their digest.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub struct Image {
    /// Compressed layers, lowest first.
    pub layers: Vec<Blob>,
    /// The configuration.
    pub config: Blob,
    /// The manifest, whose digest is the image's.
    pub manifest: Blob,
}

impl Image {
    /// Makes the image from the two unpacked package trees of [`PACKAGES`].
    ///
    /// # Errors
    /// Where a tree cannot be read.
    pub fn web(trees: [&Path; 2]) -> Result<Self> {
        let layers = web_layers(trees).map_err(Error::io("making the workload image"))?;
        let diff_ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let config = Blob::new(document(&json!({
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
                "Cmd": ["/usr/local/bin/serve"],
                "WorkingDir": "/srv/www",
                "ExposedPorts": { format!("{PORT}/tcp"): {} },
            },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        })));
        let descriptor = |media: &str, blob: &Blob| json!({ "mediaType": media, "digest": blob.digest, "size": blob.bytes.len() });
        let layers: Vec<Blob> = layers.into_iter().map(|layer| layer.blob).collect();
        let manifest = Blob::new(document(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": layers.iter().map(|layer| descriptor(LAYER, layer)).collect::<Vec<_>>(),
        })));
        Ok(Self {
            layers,
            config,
            manifest,
        })
    }
}

struct Layer {
    diff_id: String,
    blob: Blob,
}

fn web_layers([base, busybox]: [&Path; 2]) -> io::Result<[Layer; 3]> {
    Ok([
        layer(|tar| add_tree(tar, base, Path::new("")))?,
        layer(|tar| {
            add_tree(tar, busybox, Path::new(""))?;
            APPLETS.iter().try_for_each(|applet| {
                add_link(tar, &format!("usr/bin/{applet}"), Path::new("busybox"))
            })
        })?,
        layer(|tar| {
            add_file(tar, "usr/share/.wh.doc", 0o600, b"")?;
            add_folder(tar, &format!("{}/", DATA.trim_start_matches('/')), 0o755)?;
            SITE.iter()
                .try_for_each(|(path, mode, content)| add_file(tar, path, *mode, content))
        })?,
    ])
}

type Tar = tar::Builder<Vec<u8>>;

fn layer(fill: impl FnOnce(&mut Tar) -> io::Result<()>) -> io::Result<Layer> {
    let mut tar = Tar::new(Vec::new());
    fill(&mut tar)?;
    let plain = tar.into_inner()?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&plain)?;
    Ok(Layer {
        diff_id: sha256(&plain),
        blob: Blob::new(gzip.finish()?),
    })
}

/// Adds a folder's content in the order of names, owned by root and without times, whoever unpacked it and when.
fn add_tree(tar: &mut Tar, root: &Path, below: &Path) -> io::Result<()> {
    let mut entries = fs::read_dir(root.join(below))?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = below.join(entry.file_name());
        let name = String::from_utf8_lossy(path.as_os_str().as_bytes()).into_owned();
        let kind = entry.file_type()?;
        let mode = entry.metadata()?.permissions().mode() & 0o7777;
        if kind.is_dir() {
            add_folder(tar, &format!("{name}/"), mode)?;
            add_tree(tar, root, &path)?;
        } else if kind.is_symlink() {
            add_link(tar, &name, &fs::read_link(entry.path())?)?;
        } else {
            add_file(tar, &name, mode, &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

fn add_folder(tar: &mut Tar, name: &str, mode: u32) -> io::Result<()> {
    tar.append_data(
        &mut header(EntryType::Directory, mode, 0),
        name,
        io::empty(),
    )
}

fn add_link(tar: &mut Tar, name: &str, target: &Path) -> io::Result<()> {
    tar.append_link(&mut header(EntryType::Symlink, 0o777, 0), name, target)
}

fn add_file(tar: &mut Tar, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
    tar.append_data(
        &mut header(EntryType::Regular, mode, content.len()),
        name,
        content,
    )
}

fn header(kind: EntryType, mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size as u64);
    header
}

fn document(value: &serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
