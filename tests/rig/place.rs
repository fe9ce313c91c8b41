//! Where things lie: cargo's target folder and the guest image in it.

use std::{
    env,
    path::{Path, PathBuf},
};

use hpcr_image::manifest;

/// Names another image folder than the one of this checkout.
const IMAGE: &str = "HPCR_IMAGE";

/// The folder that cargo builds into: this program's own, or `target` of the working folder.
pub fn target() -> PathBuf {
    // Cargo marks the folder (https://bford.info/cachedir/).
    let is_marked = |folder: &&Path| folder.join("CACHEDIR.TAG").is_file();
    let program = env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .find(is_marked)
        .map_or_else(|| "target".into(), Path::to_path_buf)
}

/// The folder of the guest image.
pub fn image() -> PathBuf {
    env::var_os(IMAGE).map_or_else(|| target().join("image"), PathBuf::from)
}

/// The certificate that contracts for the image are sealed to.
pub fn certificate() -> PathBuf {
    image().join(manifest::CERTIFICATE)
}

/// Whom the modern form of them is sealed to.
pub fn recipient() -> PathBuf {
    image().join(manifest::RECIPIENT)
}

/// The key that opens them, which lies beside a development image only.
pub fn development_key() -> PathBuf {
    image().join("development/contract-key.pem")
}

/// A program of this workspace.
pub fn program(name: &str) -> PathBuf {
    target().join("release").join(name)
}
