//! Sealed sections: text that only the holder of a private key can read, in two forms.
//!
//! One file a form. Nothing here says why a sealed text did not open more finely than its bytes alone, without the key,
//! would tell anyone.

use crate::certificate::PublicKey;
use crate::error::ContractError;

pub mod age;
pub mod openssl;

/// Whom a section is sealed to, which decides the form.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// An image's encryption certificate: the token that every image reads.
    Certificate(&'a PublicKey, openssl::Prefix),
    /// An image's age recipient: authenticated, read by this appliance alone.
    Recipient(&'a age::Recipient),
}

impl Audience<'_> {
    /// Seals data to it. A token is one line without its end; an age file has several.
    pub fn seal(&self, plain: &[u8]) -> Result<String, ContractError> {
        match self {
            Self::Certificate(key, prefix) => openssl::seal(plain, key, *prefix),
            Self::Recipient(recipient) => age::seal(plain, recipient),
        }
    }
}

/// Whether a text claims to be sealed, in either form.
pub fn is_sealed(text: &str) -> bool {
    openssl::is_token(text) || age::is_age(text)
}
