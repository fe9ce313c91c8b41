//! What comes from outside: the contract, the key and the time. Nothing else of the machine is looked at.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use hpcr_contract::error::ContractError;
use hpcr_contract::token::openssl::DecryptionKey;
use hpcr_contract::user_data::MAX_BYTES;
use thiserror::Error;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

/// Why the command could not do its work: nothing is said about the contract.
#[derive(Debug, Error)]
pub(crate) enum Unusable {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}; check the path and its permissions")]
    Read {
        /// As the user wrote it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key is no key.
    #[error("{path}: {source}")]
    Key {
        /// As the user wrote it.
        path: PathBuf,
        /// Why.
        source: ContractError,
    },
    /// A plan needs open sections.
    #[error(
        "the contract is sealed, and a plan needs its content; give the private key with --key"
    )]
    Closed,
    /// The result cannot be written.
    #[error("the result cannot be written: {0}; check where standard output goes")]
    Write(#[from] io::Error),
    /// The clock is before 1970.
    #[error("the clock of this machine is not set; give the time with --now")]
    Clock,
}

/// The largest key file that is read: RSA with 8192 bits takes less than 7 KiB.
const KEY_BYTES: usize = 64 << 10;

/// The bytes of the contract: at most one more than is accepted, so that a larger one is told by the same function that
/// tells the guest.
pub(crate) fn contract(path: &Path) -> Result<Zeroizing<Vec<u8>>, Unusable> {
    if path.as_os_str() == "-" {
        return bounded(io::stdin().lock(), MAX_BYTES).map_err(|source| unreadable(path, source));
    }
    File::open(path)
        .and_then(|file| bounded(file, MAX_BYTES))
        .map_err(|source| unreadable(path, source))
}

/// What findings call the contract.
pub(crate) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// The key that opens tokens.
pub(crate) fn key(path: &Path) -> Result<DecryptionKey, Unusable> {
    let pem = File::open(path)
        .and_then(|file| bounded(file, KEY_BYTES))
        .map_err(|source| unreadable(path, source))?;
    DecryptionKey::from_pem(&pem).map_err(|source| Unusable::Key {
        path: path.to_owned(),
        source,
    })
}

/// Reads a time as `--now` takes it: seconds since the Unix epoch.
pub(crate) fn time(text: &str) -> Result<i64, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(OffsetDateTime::unix_timestamp)
        .map_err(|_| "write a time such as 2026-11-21T12:00:00Z".to_owned())
}

/// The time of this machine, seconds since the Unix epoch.
pub(crate) fn now() -> Result<i64, Unusable> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| Unusable::Clock)?;
    i64::try_from(since.as_secs()).map_err(|_| Unusable::Clock)
}

/// Into one buffer of the final size: a buffer that grew would leave copies of secrets behind.
fn bounded(reader: impl io::Read, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
    reader.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, source: io::Error) -> Unusable {
    Unusable::Read {
        path: path.to_owned(),
        source,
    }
}
