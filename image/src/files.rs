//! Reading, writing and hashing files of the host, with errors that name the file. It never decides anything.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::{Error, Result};

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| Error::Io {
        action,
        path,
        source,
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(io_error("read", path))
}

pub(crate) fn read_to_string(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(io_error("read", path))
}

pub(crate) fn create_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(io_error("create the folder", path))
}

/// Puts the whole content in place at once, so that a reader, a crash or a second writer never meets half a file.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let write = || {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(content)?;
        file.as_file()
            .set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(io::Error::from)
    };
    write().map_err(io_error("write", path))
}

/// Lower-case hexadecimal SHA-256.
pub(crate) fn sha256(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Lower-case hexadecimal SHA-256 and size in bytes of a file, without holding it in memory.
pub(crate) fn sha256_of_file(path: &Path) -> Result<(String, u64)> {
    let hash = || {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        let mut size = 0;
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                return Ok((hex::encode(hasher.finalize()), size));
            }
            hasher.update(&buffer[..count]);
            size += count as u64;
        }
    };
    hash().map_err(io_error("read", path))
}

/// Runs a program of the host to its end and gives what it printed.
pub(crate) fn run(
    program: &'static str,
    package: &'static str,
    purpose: &str,
    command: &mut Command,
) -> Result<String> {
    let output = command
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|source| Error::Start {
            program,
            package,
            source,
        })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let message = lines[lines.len().saturating_sub(4)..].join(" / ");
    Err(Error::Program {
        program,
        purpose: purpose.to_owned(),
        message,
    })
}
