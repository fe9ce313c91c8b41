//! Public keys as contracts carry them: a PEM public key, a PEM certificate, or base64 of either, up to twice.
//!
//! A contract conveys no chain (specification 2.6); that of an image's certificates is checked in `chain`. Time is a
//! parameter.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::pkey::{HasPublic, Id, PKey, PKeyRef, Public};
use sha2::{Digest as _, Sha256};

use crate::error::ContractError;
use crate::pem;

pub mod chain;
pub mod issue;
mod x509;

pub use x509::{Certificate, RevocationList};

/// The shortest RSA modulus that is accepted, in bits.
const MIN_BITS: u32 = 2048;
/// The longest RSA modulus that is accepted, in bits: OpenSSL computes on hostile keys in time that grows with its cube.
const MAX_BITS: u32 = 8192;
/// How long before its end a contract or certificate is said to expire, in seconds.
const WARNING: i64 = 30 * 24 * 60 * 60;

/// An RSA public key, with the validity of the certificate that it came in.
#[derive(Clone)]
pub struct PublicKey {
    key: PKey<Public>,
    validity: Option<Validity>,
    pem: Vec<u8>,
}

/// When a certificate is valid, seconds since the Unix epoch, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// `notBefore`.
    pub not_before: i64,
    /// `notAfter`.
    pub not_after: i64,
}

/// Where a point in time lies against an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// More than 30 days are left.
    Valid,
    /// Whole days that are left: 30 at most.
    WillExpire(i64),
    /// The end has passed.
    Expired,
}

/// Compares an end with the time, both in seconds since the Unix epoch. The second of the end itself is still valid.
pub fn expiry(not_after: i64, now: i64) -> Expiry {
    match not_after.saturating_sub(now) {
        left if left < 0 => Expiry::Expired,
        left if left <= WARNING => Expiry::WillExpire(left / (24 * 60 * 60)),
        _ => Expiry::Valid,
    }
}

impl PublicKey {
    /// Reads a key from PEM, or from base64 of PEM, or from base64 of that (the form that `contract-go` writes).
    pub fn parse(text: &[u8]) -> Result<Self, ContractError> {
        let pem = peel(text)?;
        let (key, validity) = if contains(&pem, b"-----BEGIN CERTIFICATE-----") {
            let certificate = pem::first_certificate(&pem)
                .ok_or(ContractError::PublicKey("the certificate cannot be parsed"))?;
            let validity = Validity {
                not_before: unix_seconds(certificate.not_before())?,
                not_after: unix_seconds(certificate.not_after())?,
            };
            let key = certificate
                .public_key()
                .map_err(|_| ContractError::PublicKey("the certificate holds no usable key"))?;
            (key, Some(validity))
        } else {
            let key = match pem::only_rsa_public_key(&pem) {
                Some(key) => key,
                None => PKey::public_key_from_pem(&pem)
                    .map_err(|_| ContractError::PublicKey("the public key cannot be parsed"))?,
            };
            (key, None)
        };
        check_rsa(&key).map_err(ContractError::PublicKey)?;
        Ok(Self { key, validity, pem })
    }

    /// The validity, where the key came in a certificate.
    pub fn validity(&self) -> Option<Validity> {
        self.validity
    }

    /// The PEM text as it was given, without the layers of base64.
    pub fn pem(&self) -> &[u8] {
        &self.pem
    }

    /// SHA-256 of the key itself (SubjectPublicKeyInfo, DER), the same for a key and for every certificate of it: what
    /// `openssl pkey -pubin -outform DER | sha256sum` prints.
    pub fn fingerprint(&self) -> Result<[u8; 32], ContractError> {
        Ok(Sha256::digest(self.key.public_key_to_der()?).into())
    }

    /// Whether both are the same key, whatever certificates they came in.
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.key.public_eq(&other.key)
    }

    pub(crate) fn key(&self) -> &PKeyRef<Public> {
        &self.key
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("bits", &self.key.bits())
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// Accepts RSA within the bounds and nothing else; says why not.
pub(crate) fn check_rsa<T: HasPublic>(key: &PKeyRef<T>) -> Result<(), &'static str> {
    if key.id() != Id::RSA {
        return Err("it is no RSA key");
    }
    check_bits(key.bits())
}

/// Accepts the length of an RSA modulus, in bits; says why not.
pub(crate) fn check_bits(bits: u32) -> Result<(), &'static str> {
    match bits {
        bits if bits < MIN_BITS => Err("it is shorter than 2048 bits"),
        bits if bits > MAX_BITS => Err("it is longer than 8192 bits"),
        _ => Ok(()),
    }
}

/// Takes up to two layers of base64 off.
fn peel(text: &[u8]) -> Result<Vec<u8>, ContractError> {
    let mut data = text.to_vec();
    for _ in 0..2 {
        if contains(&data, b"-----BEGIN ") {
            return Ok(data);
        }
        data.retain(|byte| !byte.is_ascii_whitespace());
        data = STANDARD
            .decode(&data)
            .map_err(|_| ContractError::PublicKey("it is neither PEM nor base64 of PEM"))?;
    }
    if contains(&data, b"-----BEGIN ") {
        Ok(data)
    } else {
        Err(ContractError::PublicKey("there is no PEM block in it"))
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

fn unix_seconds(time: &Asn1TimeRef) -> Result<i64, ContractError> {
    let since_epoch = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(since_epoch.days) * 24 * 60 * 60 + i64::from(since_epoch.secs))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{self, KeyPair};

    #[test]
    fn a_key_is_read_through_no_one_or_two_layers_of_base64() {
        let pair = KeyPair::rsa(2048);
        let certificate = testing::certificate(&pair, 10, 20);
        for pem in [pair.public_pem.clone(), certificate] {
            let once = STANDARD.encode(&pem);
            let twice = STANDARD.encode(&once);
            for form in [
                pem.clone(),
                once.clone().into_bytes(),
                twice.clone().into_bytes(),
                format!("{once}\n").into_bytes(),
            ] {
                assert_eq!(PublicKey::parse(&form).unwrap().pem(), pem);
            }
            assert!(
                PublicKey::parse(STANDARD.encode(&twice).as_bytes()).is_err(),
                "three layers"
            );
        }
    }

    #[test]
    fn white_space_in_pem_means_nothing_and_the_text_stays_as_it_was_given() {
        let pair = KeyPair::rsa(2048);
        let certificate = testing::certificate(&pair, 10, 20);
        for pem in [pair.public_pem, certificate] {
            let pem = String::from_utf8(pem).unwrap();
            let expected = PublicKey::parse(pem.as_bytes()).unwrap();
            for form in [
                pem.replace('\n', " "),
                pem.replace('\n', "\r\n    "),
                format!("of us\n{pem}"),
            ] {
                let key = PublicKey::parse(form.as_bytes()).unwrap();
                assert!(key.is_same_key(&expected));
                assert_eq!(
                    (key.pem(), key.validity()),
                    (form.as_bytes(), expected.validity())
                );
            }
        }
    }

    #[test]
    fn a_certificate_brings_its_validity_and_a_bare_key_none() {
        let pair = KeyPair::rsa(2048);
        let certificate =
            PublicKey::parse(&testing::certificate(&pair, 1_000_000, 2_000_000)).unwrap();
        assert_eq!(
            certificate.validity(),
            Some(Validity {
                not_before: 1_000_000,
                not_after: 2_000_000
            })
        );
        assert_eq!(PublicKey::parse(&pair.public_pem).unwrap().validity(), None);
    }

    #[test]
    fn what_is_no_usable_rsa_key_is_refused() {
        let short = KeyPair::rsa(1024);
        let curve = testing::ec_public_pem();
        for (text, cause) in [
            (short.public_pem.as_slice(), "shorter"),
            (&curve, "no RSA"),
            (b"hunter2 hunter2", "neither PEM nor base64"),
            (b"aHVudGVyMmh1bnRlcjIK", "neither PEM nor base64"),
            (
                b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                "cannot be parsed",
            ),
            (
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "cannot be parsed",
            ),
            (b"", "no PEM"),
        ] {
            let error = PublicKey::parse(text).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn an_end_is_valid_to_its_last_second() {
        let day = 24 * 60 * 60;
        for (left, expected) in [
            (31 * day, Expiry::Valid),
            (30 * day + 1, Expiry::Valid),
            (30 * day, Expiry::WillExpire(30)),
            (day - 1, Expiry::WillExpire(0)),
            (0, Expiry::WillExpire(0)),
            (-1, Expiry::Expired),
        ] {
            assert_eq!(
                expiry(1_800_000_000, 1_800_000_000 - left),
                expected,
                "{left} s left"
            );
        }
        assert_eq!(expiry(i64::MIN, i64::MAX), Expiry::Expired);
        assert_eq!(expiry(i64::MAX, i64::MIN), Expiry::Valid);
    }
}
