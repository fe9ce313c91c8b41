//! Why a command could not do its work, in the user's words: cause, then what to do.

use std::io;
use std::path::PathBuf;

use hpcr_contract::error::ContractError;
use thiserror::Error;

/// What ends a command before it has a result. Nothing here holds a value of a contract.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}; check the path and its permissions")]
    Read {
        /// As the user wrote it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is larger than any of its kind.
    #[error("{path} is larger than {limit} bytes; check that it is the right file")]
    TooLarge {
        /// As the user wrote it.
        path: PathBuf,
        /// The most that is read.
        limit: usize,
    },
    /// A contract is not text.
    #[error("{path} is not UTF-8 text; save it as UTF-8")]
    NotText {
        /// As the user wrote it.
        path: PathBuf,
    },
    /// A key, certificate or passphrase is none.
    #[error("{path}: {source}")]
    Key {
        /// As the user wrote it.
        path: PathBuf,
        /// Why.
        source: ContractError,
    },
    /// Something in a folder does not belong into an archive.
    #[error("{path} cannot be packed: {why}; move it out of the folder")]
    Member {
        /// The file.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// The result cannot be written.
    #[error(
        "{path} cannot be written: {source}; check the path, its permissions and the space left"
    )]
    Write {
        /// As the user wrote it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The cryptographic library failed.
    #[error("{0}")]
    Library(#[from] ContractError),
    /// What was asked for needs something that was not given.
    #[error("{0}")]
    Usage(&'static str),
}

impl Failure {
    /// The exit status: 1 where what was given is wrong, 2 where it was not seen.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Member { .. } | Self::NotText { .. } => 1,
            _ => 2,
        }
    }
}
