//! Doors to private parsers for the fuzz targets of `tests/fuzz`: never compiled otherwise.

use crate::{acts, image, unpack};

/// Unpacks a layer into a new folder and throws it away.
pub fn layer(bytes: &[u8]) {
    let folder = std::env::temp_dir().join(format!("hpcr-fuzz-{}", std::process::id()));
    if std::fs::create_dir(&folder).is_ok() {
        let _ = unpack::unpack(bytes, &folder, &acts::Kernel);
        let _ = std::fs::remove_dir_all(&folder);
    }
}

/// Reads a manifest or an index, and a configuration.
pub fn manifest(bytes: &[u8]) {
    let _ = image::document(bytes, &image::architecture());
    let _ = image::configuration(bytes, 1);
}
