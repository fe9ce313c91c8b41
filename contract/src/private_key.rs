//! RSA private keys of the appliance: the contract key and the attestation key.
//!
//! A key never prints, is wiped by OpenSSL when dropped (`BN_clear_free`), and never asks for a passphrase.

use std::fmt;

use openssl::pkey::{PKey, PKeyRef, Private};

use crate::certificate::check_rsa;
use crate::error::ContractError;

/// An RSA private key of 2048 to 8192 bits.
pub struct PrivateKey(PKey<Private>);

impl PrivateKey {
    /// Reads an unencrypted key from PEM (PKCS#8 or PKCS#1).
    pub fn from_pem(pem: &[u8]) -> Result<Self, ContractError> {
        // The callback form: OpenSSL's own would ask for a passphrase at the terminal.
        let key = PKey::private_key_from_pem_callback(pem, |_| Ok(0))
            .map_err(|_| ContractError::PrivateKey("it cannot be parsed, or it is encrypted"))?;
        check_rsa(&key).map_err(ContractError::PrivateKey)?;
        Ok(Self(key))
    }

    pub(crate) fn key(&self) -> &PKeyRef<Private> {
        &self.0
    }
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
    use openssl::symm::Cipher;

    #[test]
    fn a_private_key_does_not_print() {
        let pair = KeyPair::rsa(2048);
        assert_eq!(
            format!("{:?}", PrivateKey::from_pem(&pair.private_pem).unwrap()),
            "PrivateKey([REDACTED])"
        );
    }

    #[test]
    fn an_encrypted_a_short_and_a_broken_key_are_refused_without_a_question() {
        let pair = KeyPair::rsa(2048);
        let key = PKey::private_key_from_pem(&pair.private_pem).unwrap();
        let encrypted = key
            .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"hunter2")
            .unwrap();
        for pem in [
            encrypted,
            KeyPair::rsa(1024).private_pem,
            pair.public_pem,
            b"nothing".to_vec(),
        ] {
            assert!(matches!(
                PrivateKey::from_pem(&pem),
                Err(ContractError::PrivateKey(_))
            ));
        }
    }
}
