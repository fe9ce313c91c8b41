//! Private keys from files.

use hpcr_contract::error::ContractError;
use hpcr_contract::token::openssl::DecryptionKey;

use crate::arguments::{OptionalKey, RequiredKey};
use crate::failure::Failure;
use crate::input;

/// The key that opens tokens, where one is given.
pub(crate) fn opening(arguments: &OptionalKey) -> Result<Option<DecryptionKey>, Failure> {
    arguments
        .key
        .as_deref()
        .map(|path| read(path, DecryptionKey::from_pem))
        .transpose()
}

/// The key that opens tokens.
pub(crate) fn opener(arguments: &RequiredKey) -> Result<DecryptionKey, Failure> {
    read(&arguments.key, DecryptionKey::from_pem)
}

fn read<T>(
    path: &std::path::Path,
    parse: impl FnOnce(&[u8]) -> Result<T, ContractError>,
) -> Result<T, Failure> {
    parse(&input::key(path)?).map_err(|source| Failure::Key {
        path: path.to_owned(),
        source,
    })
}
