//! The workload of a rig: a web server with a page and a counter, as an OCI image of three layers.
//!
//! It is made of Debian packages: the folders and names that every program expects, `busybox` with its `httpd`, and
//! the site of `tests/workload/`, which also takes away (by a whiteout) what the first layer need not have brought. It
//! never runs anything on the host.

use std::path::{Path, PathBuf};

use hpcr_image::packages::PrivateRoot;
use serde_json::json;

use crate::{
    Error, Result,
    oci::{Image, Layer, LayerBuilder},
    place,
};

/// The port that the web server listens on, in the container.
pub const PORT: u16 = 8080;
/// Where the container expects its data volume.
pub const DATA: &str = "/data";

/// The suite that the rig takes packages from.
pub(crate) const SUITE: &str = "trixie";
const BASE: [&str; 2] = ["base-files", "netbase"];
const BUSYBOX: [&str; 1] = ["busybox-static"];
const APPLETS: [&str; 8] = ["cat", "dd", "echo", "httpd", "kill", "mv", "sh", "sync"];
const SITE: [(&str, u32, &[u8]); 3] = [
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

/// Makes the image, fetching its packages where they are not there yet, and keeps it for [`image`]. Runs outside of a
/// namespace, since it may need the network.
///
/// # Errors
/// Where a package cannot be had.
pub fn prepare() -> Result<()> {
    let packages = PrivateRoot::open(&place::target().join("packages"), SUITE)?;
    let trees = |names: &[&str]| -> Result<Vec<PathBuf>> {
        let fetched = packages.fetch(names)?;
        fetched
            .iter()
            .map(|package| Ok(packages.unpacked(package)?))
            .collect()
    };
    let (base, busybox) = (trees(&BASE)?, trees(&BUSYBOX)?);
    let layers = [base_layer(&base), busybox_layer(&busybox), site_layer()];
    let layers = layers
        .into_iter()
        .collect::<std::io::Result<_>>()
        .map_err(Error::io("making the workload image"))?;
    let image = Image::new(
        layers,
        &json!({
            "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
            "Cmd": ["/usr/local/bin/serve"],
            "WorkingDir": "/srv/www",
            "ExposedPorts": { format!("{PORT}/tcp"): {} },
        }),
    );
    image.save(&kept())
}

/// The image that [`prepare`] made.
///
/// # Errors
/// Where it did not.
pub fn image() -> Result<Image> {
    Image::load(&kept())
}

fn kept() -> PathBuf {
    place::target().join("rig/workload.tar")
}

fn base_layer(trees: &[PathBuf]) -> std::io::Result<Layer> {
    LayerBuilder::build(|layer| trees.iter().try_for_each(|tree| layer.tree(tree)))
}

fn busybox_layer(trees: &[PathBuf]) -> std::io::Result<Layer> {
    LayerBuilder::build(|layer| {
        trees.iter().try_for_each(|tree| layer.tree(tree))?;
        APPLETS
            .iter()
            .try_for_each(|applet| layer.link(&format!("usr/bin/{applet}"), Path::new("busybox")))
    })
}

fn site_layer() -> std::io::Result<Layer> {
    LayerBuilder::build(|layer| {
        layer.file("usr/share/.wh.doc", 0o600, b"")?;
        layer.folder(DATA.trim_start_matches('/'), 0o755)?;
        SITE.iter()
            .try_for_each(|(path, mode, content)| layer.file(path, *mode, content))
    })
}
