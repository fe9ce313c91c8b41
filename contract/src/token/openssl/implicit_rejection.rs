//! Whether the cryptographic library answers bad RSA padding with a random message instead of an error.
//!
//! OpenSSL has done so since 3.2. A library without it would turn every opening of a token into Bleichenbacher's
//! oracle. Tools that their owner runs trust its version; a guest, which strangers may ask, asks the library itself. It
//! is asked once in a process, under a key of its own: the answer depends on the library alone, and a real key's
//! exponentiation takes fifty times as long.

use std::sync::OnceLock;

use openssl::bn::{BigNum, BigNumContext};
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;

use super::unwrap;
use crate::error::ContractError;

/// The first version of OpenSSL that has it, as [`openssl::version::number`] tells versions; other libraries tell lower ones.
const FIRST: i64 = 0x3020_0000;

/// Fails where the library lacks implicit rejection by its version, and by its answer, too.
pub(super) fn is_there() -> Result<(), ContractError> {
    if openssl::version::number() >= FIRST {
        return Ok(());
    }
    prove()
}

/// Fails where the library's answer shows that it lacks implicit rejection.
pub fn prove() -> Result<(), ContractError> {
    static PROOF: OnceLock<Result<bool, ErrorStack>> = OnceLock::new();
    match PROOF.get_or_init(|| Ok(rejects_implicitly(&known_key()?))) {
        Ok(true) => Ok(()),
        Ok(false) => Err(ContractError::ExplicitRejection),
        Err(error) => Err(error.clone().into()),
    }
}

/// 1 decrypts to 1 under every key, which is no PKCS#1 message, and must not be answered with an error.
fn rejects_implicitly(key: &PKey<Private>) -> bool {
    let mut one = vec![0; key.size()];
    if let Some(last) = one.last_mut() {
        *last = 1;
    }
    let mut message = vec![0; key.size()];
    unwrap(key, &one, &mut message).is_ok()
}

/// A key of two Mersenne primes, 2^127 - 1 and 2^521 - 1: one that nobody can take for a secret.
#[expect(clippy::many_single_char_names, reason = "the names of RFC 8017")]
fn known_key() -> Result<PKey<Private>, ErrorStack> {
    let one = BigNum::from_u32(1)?;
    let mersenne = |exponent: i32| -> Result<BigNum, ErrorStack> {
        let (mut power, mut prime) = (BigNum::new()?, BigNum::new()?);
        power.lshift(&one, exponent)?;
        prime.checked_sub(&power, &one)?;
        Ok(prime)
    };
    let mut context = BigNumContext::new_secure()?;
    let (p, q) = (mersenne(521)?, mersenne(127)?);
    let e = BigNum::from_u32(65537)?;
    let (mut n, mut phi, mut d) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
    let (mut p1, mut q1) = (BigNum::new()?, BigNum::new()?);
    p1.checked_sub(&p, &one)?;
    q1.checked_sub(&q, &one)?;
    n.checked_mul(&p, &q, &mut context)?;
    phi.checked_mul(&p1, &q1, &mut context)?;
    d.mod_inverse(&e, &phi, &mut context)?;
    let (mut dp, mut dq, mut inverse) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
    dp.nnmod(&d, &p1, &mut context)?;
    dq.nnmod(&d, &q1, &mut context)?;
    inverse.mod_inverse(&q, &p, &mut context)?;
    PKey::from_rsa(Rsa::from_private_components(
        n, e, d, p, q, dp, dq, inverse,
    )?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use openssl::encrypt::{Decrypter, Encrypter};
    use openssl::rsa::Padding;

    use super::*;

    #[test]
    fn the_known_key_is_a_whole_key() {
        let key = known_key().unwrap();
        assert!(key.rsa().unwrap().check_key().unwrap());
        let mut encrypter = Encrypter::new(&key).unwrap();
        encrypter.set_rsa_padding(Padding::PKCS1).unwrap();
        let mut wrapped = vec![0; key.size()];
        encrypter.encrypt(b"hello", &mut wrapped).unwrap();
        let mut message = vec![0; key.size()];
        assert_eq!(unwrap(&key, &wrapped, &mut message).unwrap(), 5);
        assert_eq!(&message[..5], b"hello");
    }

    #[test]
    fn the_library_rejects_padding_implicitly_and_the_question_can_tell() {
        assert!(
            openssl::version::number() >= FIRST,
            "OpenSSL 3.2 is the first with implicit rejection"
        );
        prove().unwrap();
        // What the same question gets from a library that rejects aloud: OAEP has no implicit rejection.
        let key = known_key().unwrap();
        let mut decrypter = Decrypter::new(&key).unwrap();
        decrypter.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
        let mut message = vec![0; key.size()];
        let mut one = vec![0; key.size()];
        one[key.size() - 1] = 1;
        assert!(decrypter.decrypt(&one, &mut message).is_err());
    }

    #[test]
    fn the_random_message_is_a_function_of_key_and_token() {
        let key = known_key().unwrap();
        let ask = || {
            let mut message = vec![0; key.size()];
            let length = unwrap(&key, &vec![1; key.size()], &mut message).unwrap();
            (message, length)
        };
        assert_eq!(ask(), ask(), "asking twice tells nothing new");
    }
}
