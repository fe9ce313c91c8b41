//! What benchmarks about contracts share: sections of a size, the recipe, the floor, and a clock.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use openssl::error::ErrorStack;
use rig::{Error, Result, certificates::Identity, command, floor::Floor};

/// What one section holds where tokens are measured.
pub(super) const SECTION: usize = 4 << 10;
const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// A workload section of about this many bytes: a compose archive with bytes that do not compress.
pub(super) fn workload(size: usize) -> Result<String> {
    let compose = format!("services:\n  web:\n    image: registry.example/web@{DIGEST}\n");
    // What base64 makes of the archive and the lines around it are a third more, and some 400 bytes.
    let filling = size.saturating_sub(400) / 4 * 3;
    let mut random = vec![0; filling];
    openssl::rand::rand_bytes(&mut random).map_err(|error| library(&error))?;
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::default(),
    ));
    for (name, content) in [
        ("docker-compose.yaml", compose.as_bytes()),
        ("filling", &random),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, content)
            .map_err(Error::io("making an archive"))?;
    }
    let archive = tar
        .into_inner()
        .and_then(flate2::write::GzEncoder::finish)
        .map_err(Error::io("making an archive"))?;
    Ok(format!(
        "type: workload\ncompose:\n  archive: {}\n",
        BASE64_STANDARD.encode(archive)
    ))
}

/// An env section of this many bytes or as many as it needs, filled with a variable; `signing_key` is that line, or nothing.
pub(super) fn env_section(size: usize, authority: &str, signing_key: &str) -> String {
    let authority = BASE64_STANDARD.encode(authority);
    let mut section = format!(
        "type: env\nlogging:\n  syslog:\n    hostname: logs.example\n    server: {authority}\n{signing_key}env:\n  FILLING: "
    );
    let missing = size.saturating_sub(section.len() + 1);
    section.extend(std::iter::repeat_n('x', missing));
    section.push('\n');
    section
}

/// The public key of who signs, PEM.
pub(super) fn public_key(signer: &Identity) -> Result<Vec<u8>> {
    let mut command = Command::new("openssl");
    command.args(["x509", "-pubkey", "-noout", "-in"]);
    command::run(command.arg(&signer.certificate), b"")
}

/// The line of an env section that names it.
pub(super) fn signing_key(public: &[u8]) -> String {
    format!("signingKey: {}\n", BASE64_STANDARD.encode(public))
}

/// How long a command takes from its start to its end, in milliseconds. Nothing reads along: what it prints is dropped.
pub(super) fn timed(command: &mut Command) -> Result<f64> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().map_err(Error::io("starting it"))?;
    let took = milliseconds(begun.elapsed());
    if !status.success() {
        return Err(Error::Broken(format!("{command:?}: {status}")));
    }
    Ok(took)
}

pub(super) fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

/// The least that the work can cost with the key of an image.
pub(super) fn floor(image: &Identity) -> Result<Floor> {
    let pem = fs::read(&image.key).map_err(Error::io("reading a key"))?;
    Floor::new(&pem).map_err(|error| library(&error))
}

pub(super) fn library(error: &ErrorStack) -> Error {
    Error::Broken(format!("openssl: {error}"))
}

/// One half of the recipe.
pub(super) fn script(name: &str) -> Command {
    Command::new(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("recipe")
            .join(name),
    )
}

pub(super) fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(Error::io(format!("writing {name}")))?;
    Ok(path)
}

pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io(format!("reading {}", path.display())))
}
