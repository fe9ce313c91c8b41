//! Whether something changed that must not stand in a state: a keyed digest of it, under a salt of its own.
//!
//! Without the input it says nothing; with a guess of the input it says whether the guess is right, so what is guarded
//! has to be more than a short password.

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;

const SALT: usize = 16;
const DIGEST: usize = 32;

/// A new fingerprint: the salt, and HMAC-SHA-256 under it.
pub(crate) fn of(input: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let mut salt = [0; SALT];
    rand_bytes(&mut salt)?;
    let mut fingerprint = salt.to_vec();
    fingerprint.extend(digest(&salt, input)?);
    Ok(fingerprint)
}

/// Whether bytes can be a fingerprint.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    bytes.len() == SALT + DIGEST
}

/// Whether a fingerprint is of an input.
pub(crate) fn matches(fingerprint: &[u8], input: &[u8]) -> Result<bool, ErrorStack> {
    if !is_one(fingerprint) {
        return Ok(false);
    }
    let (salt, of) = fingerprint.split_at(SALT);
    Ok(memcmp::eq(of, &digest(salt, input)?))
}

fn digest(salt: &[u8], input: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let key = PKey::hmac(salt)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
    signer.update(input)?;
    signer.sign_to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_fingerprint_is_of_one_input_and_never_the_same_twice() {
        let first = of(b"secret").unwrap();
        assert!(matches(&first, b"secret").unwrap());
        assert!(!matches(&first, b"Secret").unwrap());
        assert_ne!(first, of(b"secret").unwrap());
        for broken in [
            &[][..],
            &first[..SALT],
            &first[..47],
            b"from another provider",
        ] {
            assert!(!matches(broken, b"secret").unwrap());
        }
    }
}
