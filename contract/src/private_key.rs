//! RSA private keys: the contract key, the attestation key, and the keys that authors sign with.
//!
//! A key never prints and is wiped by OpenSSL when dropped (`BN_clear_free`). Nothing here asks for a passphrase: it is
//! given, or the key is refused.

use std::fmt;

use openssl::pkey::{PKey, PKeyRef, Private};
use openssl::rsa::Rsa;
use openssl::symm::Cipher;
use zeroize::Zeroizing;

use crate::certificate::{PublicKey, check_bits, check_rsa};
use crate::error::ContractError;
use crate::pem;
use crate::secret::{ExposeSecret as _, SecretString};

/// The largest PEM file that is read as a key; one of 8192 bits takes 6.4 KiB.
const MAX_PEM: usize = 64 << 10;

/// An RSA private key of 2048 to 8192 bits.
pub struct PrivateKey(PKey<Private>);

impl PrivateKey {
    /// Reads an unencrypted key from PEM (PKCS#8 or PKCS#1).
    pub fn from_pem(pem: &[u8]) -> Result<Self, ContractError> {
        if is_encrypted(pem) {
            return Err(ContractError::PassphraseMissing);
        }
        // The callback form: OpenSSL's own would ask for a passphrase at the terminal.
        Self::read(pem, |_| Ok(0)).map_err(|wrong| wrong.unwrap_or(UNREADABLE))
    }

    /// Reads a key from PEM that may be encrypted: PKCS#8 (RFC 5958), or the traditional form with `DEK-Info`
    /// (RFC 1421). A key in the clear needs no passphrase and takes any.
    pub fn from_pem_with_passphrase(
        pem: &[u8],
        passphrase: &SecretString,
    ) -> Result<Self, ContractError> {
        if !is_encrypted(pem) {
            return Self::from_pem(pem);
        }
        let secret = passphrase.expose_secret().as_bytes();
        Self::read(pem, |buffer| {
            // A passphrase that does not fit opens nothing; none at all is an answer that OpenSSL refuses.
            let Some(room) = buffer.get_mut(..secret.len()) else {
                return Ok(0);
            };
            room.copy_from_slice(secret);
            Ok(secret.len())
        })
        .map_err(|wrong| wrong.unwrap_or(ContractError::PassphraseWrong))
    }

    /// An error of `None`: OpenSSL could not read it.
    fn read(
        pem: &[u8],
        passphrase: impl FnOnce(&mut [u8]) -> Result<usize, openssl::error::ErrorStack>,
    ) -> Result<Self, Option<ContractError>> {
        if pem.len() > MAX_PEM {
            return Err(Some(ContractError::PrivateKey("it is larger than 64 KiB")));
        }
        let key = match pem::only_rsa_private_key(pem) {
            Some(key) => key,
            None => PKey::private_key_from_pem_callback(pem, passphrase).map_err(|_| None)?,
        };
        check_rsa(&key).map_err(|cause| Some(ContractError::PrivateKey(cause)))?;
        Ok(Self(key))
    }

    /// Makes a key with a modulus of so many bits, 2048 to 8192.
    pub fn generate(bits: u32) -> Result<Self, ContractError> {
        // Before the work: that of a long key has no end.
        check_bits(bits).map_err(ContractError::PrivateKey)?;
        Ok(Self(PKey::from_rsa(Rsa::generate(bits)?)?))
    }

    /// The key in the clear as PEM (PKCS#8).
    pub fn to_pem(&self) -> Result<Zeroizing<Vec<u8>>, ContractError> {
        Ok(Zeroizing::new(self.0.private_key_to_pem_pkcs8()?))
    }

    /// The key as PEM under a passphrase (PKCS#8, PBES2 with AES-256-CBC).
    pub fn to_pem_with_passphrase(
        &self,
        passphrase: &SecretString,
    ) -> Result<Vec<u8>, ContractError> {
        let secret = passphrase.expose_secret().as_bytes();
        Ok(self
            .0
            .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), secret)?)
    }

    /// The public half.
    pub fn public_key(&self) -> Result<PublicKey, ContractError> {
        // By way of its RSA form: the library's general encoder takes far longer.
        PublicKey::parse(&self.0.rsa()?.public_key_to_pem()?)
    }

    pub(crate) fn key(&self) -> &PKeyRef<Private> {
        &self.0
    }
}

const UNREADABLE: ContractError = ContractError::PrivateKey("it cannot be parsed");

/// Whether a key in PEM form takes a passphrase.
pub fn is_encrypted(pem: &[u8]) -> bool {
    [
        &b"-----BEGIN ENCRYPTED PRIVATE KEY-----"[..],
        b"\nProc-Type: 4,ENCRYPTED",
    ]
    .iter()
    .any(|mark| pem.windows(mark.len()).any(|window| window == *mark))
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::KeyPair;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_private_key_does_not_print() {
        let pair = KeyPair::rsa(2048);
        assert_eq!(
            format!("{:?}", PrivateKey::from_pem(&pair.private_pem).unwrap()),
            "PrivateKey([REDACTED])"
        );
    }

    #[test]
    fn a_short_and_a_broken_key_are_refused() {
        for pem in [
            KeyPair::rsa(1024).private_pem,
            KeyPair::rsa(2048).public_pem,
            b"nothing".to_vec(),
            vec![b'-'; MAX_PEM + 1],
        ] {
            assert!(matches!(
                PrivateKey::from_pem(&pem),
                Err(ContractError::PrivateKey(_))
            ));
        }
        assert!(PrivateKey::generate(1024).is_err());
        assert!(PrivateKey::generate(1 << 30).is_err());
    }

    #[test]
    fn an_encrypted_key_opens_with_its_passphrase_alone_and_asks_no_question() {
        let key = PrivateKey::generate(2048).unwrap();
        let traditional = key
            .0
            .rsa()
            .unwrap()
            .private_key_to_pem_passphrase(Cipher::aes_128_cbc(), b"hunter2")
            .unwrap();
        let modern = key.to_pem_with_passphrase(&secret("hunter2")).unwrap();
        for pem in [traditional, modern] {
            assert!(is_encrypted(&pem));
            let opened = PrivateKey::from_pem_with_passphrase(&pem, &secret("hunter2")).unwrap();
            assert_eq!(opened.to_pem().unwrap(), key.to_pem().unwrap());
            assert!(matches!(
                PrivateKey::from_pem(&pem),
                Err(ContractError::PassphraseMissing)
            ));
            for wrong in ["hunter3", "", &"x".repeat(5000)] {
                assert!(matches!(
                    PrivateKey::from_pem_with_passphrase(&pem, &secret(wrong)),
                    Err(ContractError::PassphraseWrong)
                ));
            }
        }
        let clear = key.to_pem().unwrap();
        assert!(!is_encrypted(&clear));
        PrivateKey::from_pem_with_passphrase(&clear, &secret("any")).unwrap();
    }
}
