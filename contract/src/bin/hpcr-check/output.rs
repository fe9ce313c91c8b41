//! Where results and messages go. A result is written whole or not at all; a reader that has gone away is no failure.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anstream::{AutoStream, ColorChoice};
use clap::Args;
use serde_json::Value;

use crate::failure::Failure;
use crate::input::is_standard;

/// Where the result goes: the same for every command.
#[derive(Debug, Default, Args)]
pub(crate) struct Output {
    /// Write the result to this file, replaced whole, instead of standard output
    #[arg(long, global = true, value_name = "FILE", alias = "output")]
    out: Option<PathBuf>,
}

/// Who may read a result that becomes a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Whoever the umask lets.
    Anyone,
    /// The owner alone: it holds a secret.
    Owner,
}

impl Output {
    /// Writes a result.
    pub(crate) fn write(&self, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
        match self.path() {
            Some(path) => file(path, bytes, readers),
            None => standard(bytes),
        }
    }

    /// Writes a text that is no secret, with colours where a terminal shows it.
    pub(crate) fn coloured(&self, text: &str) -> Result<(), Failure> {
        // In one piece: stripping while writing makes a system call of every line.
        let choice = AutoStream::choice(&io::stdout());
        if self.path().is_some() || choice == ColorChoice::Never {
            let plain = anstream::adapter::strip_str(text).to_string();
            return self.write(plain.as_bytes(), Readers::Anyone);
        }
        let mut out = anstream::stdout().lock();
        told(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }

    /// Writes a JSON value that is no secret, and a line end.
    pub(crate) fn json(&self, value: &Value) -> Result<(), Failure> {
        self.write(
            plain_lines(&format!("{value:#}")).as_bytes(),
            Readers::Anyone,
        )
    }

    /// Whether standard output was named for the result.
    pub(crate) fn is_standard(&self) -> bool {
        self.out.as_deref().is_some_and(is_standard)
    }

    /// The file that was named for the result.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.out.as_deref().filter(|path| !is_standard(path))
    }
}

/// Puts a file in the place of the one of that name.
pub(crate) fn file(path: &Path, bytes: &[u8], readers: Readers) -> Result<(), Failure> {
    replace(path, bytes, readers).map_err(|source| Failure::Write {
        path: path.to_owned(),
        source,
    })
}

/// A text without characters that control a terminal or turn the direction of what follows.
pub(crate) fn plain(text: &str) -> String {
    let controls = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|letter| if controls(letter) { '\u{fffd}' } else { letter })
        .collect()
}

/// The same for a text of several lines.
pub(crate) fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}

/// Writes a line of its own to standard error; nobody has to listen.
pub(crate) fn message(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

fn standard(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    told(out.write_all(bytes).and_then(|()| out.flush()))
}

fn told(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Write {
            path: "standard output".into(),
            source,
        }),
        _ => Ok(()),
    }
}

/// Puts a file in the place of the old one at once. That is done to a regular file, or where nothing is: a pipe, a device
/// and a link that leads nowhere yet are written through.
fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    match fs::metadata(path) {
        // Links of /proc lead to files that may have no name any more.
        Ok(there) if there.is_file() => match fs::canonicalize(path) {
            Ok(target) => rename(&target, bytes, readers),
            Err(_) => write_through(path, bytes, readers),
        },
        Err(_) if fs::symlink_metadata(path).is_err() => rename(path, bytes, readers),
        _ => write_through(path, bytes, readers),
    }
}

fn rename(target: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let folder = folder_of(target);
    // Asked first, as its error names the cause and no file of ours.
    fs::metadata(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    if readers == Readers::Anyone {
        use std::os::unix::fs::PermissionsExt as _;
        // A temporary file is its owner's alone unless told otherwise.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let unnamed = |error: io::Error| io::Error::from(error.kind());
    let mut file = builder.tempfile_in(folder).map_err(unnamed)?;
    file.write_all(bytes).map_err(unnamed)?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error).map(drop)
}

fn write_through(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    match options.open(path)?.write_all(bytes) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Whether two paths name the same file, be it there yet or not.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| {
        let there = fs::canonicalize(path).ok();
        there.or_else(|| {
            Some(
                fs::canonicalize(folder_of(path))
                    .ok()?
                    .join(path.file_name()?),
            )
        })
    };
    one == other
        || whole(one)
            .zip(whole(other))
            .is_some_and(|(one, other)| one == other)
}

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}
