//! What comes from outside: files, standard input and the time. Nothing else of the machine is looked at.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use hpcr_contract::certificate::{Expiry, Validity, expiry};
use hpcr_contract::tgz;
use hpcr_contract::user_data::MAX_BYTES;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The largest key, certificate or chain that is read.
const KEY_BYTES: usize = 256 << 10;

/// The largest record of a guest of a fleet.
const RECORD_BYTES: usize = 64 << 10;

/// The bytes of a contract or of anything that may become part of one: at most one more than is accepted, so that a
/// larger one is told by the same function that tells the guest.
pub(crate) fn contract(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    bounded(path, MAX_BYTES)
}

/// The bytes of a file that is not a contract, such as a text to be sealed.
pub(crate) fn text(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    within(path, MAX_BYTES)
}

/// The bytes of a file that goes into an archive: at most one more than an archive holds, as that is told by what packs it.
pub(crate) fn member(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    bounded(path, usize::try_from(tgz::MOST_BYTES).unwrap_or(usize::MAX))
}

/// A contract as text, for what writes it anew.
pub(crate) fn utf8(path: &Path) -> Result<Zeroizing<String>, Failure> {
    text_of(path, &text(path)?)
}

fn text_of(path: &Path, bytes: &[u8]) -> Result<Zeroizing<String>, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| Failure::NotText {
        path: path.to_owned(),
    })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// A record of one guest of many: those of real guests take a few KiB.
pub(crate) fn record(path: &Path) -> Result<Zeroizing<String>, Failure> {
    text_of(path, &within(path, RECORD_BYTES)?)
}

/// The bytes of a key, a certificate or a passphrase.
pub(crate) fn key(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    within(path, KEY_BYTES)
}

/// What findings call standard input, which is no file.
pub(crate) const STANDARD: &str = "standard input";

/// What findings call a file.
pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) {
        STANDARD.to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads a time as `--at` takes it: seconds since the Unix epoch.
pub(crate) fn time(text: &str) -> Result<i64, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(OffsetDateTime::unix_timestamp)
        .map_err(|_| "write a time such as 2026-11-21T12:00:00Z".to_owned())
}

/// Seconds since the Unix epoch as `--at` takes them.
pub(crate) fn written(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_else(|| "a time out of range".to_owned())
}

/// The time that was given, or that of this machine; seconds since the Unix epoch.
pub(crate) fn now(given: Option<i64>) -> Result<i64, Failure> {
    let clock = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        i64::try_from(since.as_secs()).ok()
    };
    given.or_else(clock).ok_or(Failure::Usage(
        "the clock of this machine is not set; give the time with --at",
    ))
}

/// Whether a certificate has ended by the time that was given, or by now.
pub(crate) fn has_ended(validity: Validity, at: Option<i64>) -> Result<bool, Failure> {
    Ok(expiry(validity.not_after, now(at)?) == Expiry::Expired)
}

/// `-` is standard input or output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn within(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = bounded(path, limit)?;
    if bytes.len() > limit {
        let path = path.to_owned();
        return Err(Failure::TooLarge { path, limit });
    }
    Ok(bytes)
}

/// Reads one byte more than the limit at most.
fn bounded(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = if is_standard(path) {
        drain(io::stdin().lock(), 0, limit)
    } else {
        File::open(path).and_then(|file| {
            let expected = file.metadata()?.len();
            drain(file, usize::try_from(expected).unwrap_or(limit), limit)
        })
    };
    read.map_err(|source| Failure::Read {
        path: path.to_owned(),
        source,
    })
}

/// Into buffers that wipe themselves: one that grew by itself would leave copies of secrets behind.
fn drain(reader: impl io::Read, expected: usize, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut reader = reader.take(limit as u64 + 1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(expected.min(limit) + (8 << 10)));
    loop {
        if bytes.len() == bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(bytes.capacity() * 2));
            larger.extend_from_slice(&bytes);
            bytes = larger;
        }
        let room = (bytes.capacity() - bytes.len()) as u64;
        if reader.by_ref().take(room).read_to_end(&mut bytes)? == 0 {
            return Ok(bytes);
        }
    }
}
