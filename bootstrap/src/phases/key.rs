//! Phase 5: the keys that open contracts, from the source that was fixed when the image was built.

use std::path::Path;
use std::sync::Arc;

use hpcr_contract::error::ContractError;
use hpcr_contract::image_config::KeySource;
use hpcr_contract::stages::Keys;
use hpcr_contract::token::age::Identity;
use hpcr_contract::token::openssl::{DecryptionKey, prove_implicit_rejection};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::guest::Guest;
use crate::phases::early::Early;
use crate::phases::platform::Platform;

/// What opens contracts. The phase that uses it drops it, which wipes it.
#[derive(Debug)]
pub(crate) struct ContractKey {
    /// Opens tokens.
    token: DecryptionKey,
    /// Opens age files, where the image has such a key.
    age: Option<Identity>,
}

impl ContractKey {
    /// The same, as `contract/` takes it.
    pub(crate) fn keys(&self) -> Keys<'_> {
        Keys {
            token: Some(&self.token),
            age: self.age.as_ref(),
            everything: false,
        }
    }
}

pub(crate) async fn run(
    guest: &Arc<Guest>,
    early: &Early,
    _platform: &Platform,
) -> Result<ContractKey, Error> {
    let pem = take(guest, &early.config.contract_key)?;
    let token = prove_implicit_rejection()
        .and_then(|()| DecryptionKey::from_pem(&pem))
        .map_err(|source| Error::Key {
            what: "contract key",
            source,
        })?;
    let source = early.config.contract_identity.as_ref();
    let age = source.map(|source| identity(guest, source)).transpose()?;
    Ok(ContractKey { token, age })
}

fn identity(guest: &Guest, source: &KeySource) -> Result<Identity, Error> {
    let text = take(guest, source)?;
    let parsed = match std::str::from_utf8(&text) {
        Ok(text) => Identity::from_text(text),
        Err(_) => Err(ContractError::AgeKey("it is not UTF-8")),
    };
    parsed.map_err(|source| Error::Key {
        what: "contract identity",
        source,
    })
}

/// Reads a key and takes it out of the image's memory: nothing that runs later finds it there.
pub(crate) fn take(guest: &Guest, source: &KeySource) -> Result<Zeroizing<Vec<u8>>, Error> {
    let KeySource::Embedded { path } = source;
    let path = guest.path(path);
    let pem = std::fs::read(&path)
        .map(Zeroizing::new)
        .map_err(Error::act("reading", &path))?;
    wipe(&path, pem.len()).map_err(Error::act("wiping", &path))?;
    Ok(pem)
}

fn wipe(path: &Path, length: usize) -> std::io::Result<()> {
    // Opened without truncation: the zeros have to go onto the very pages that held the key.
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    std::io::Write::write_all(&mut file, &vec![0; length])?;
    std::fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::acts::recorder::Recorder;
    use crate::console::Console;
    use crate::console::tests::Screen;

    #[test]
    fn a_key_is_read_once_and_its_pages_are_overwritten() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("key.pem");
        std::fs::write(&path, "secret").unwrap();
        let second_name = root.path().join("same-pages");
        std::fs::hard_link(&path, &second_name).unwrap();
        let (guest, _) = Guest::new(
            Console::new(Screen::default()),
            Recorder::default(),
            root.path(),
        );
        let source = KeySource::Embedded {
            path: "/key.pem".to_owned(),
        };
        assert_eq!(*take(&guest, &source).unwrap(), b"secret");
        assert_eq!(std::fs::read(second_name).unwrap(), [0; 6]);
        assert!(take(&guest, &source).is_err());
    }
}
