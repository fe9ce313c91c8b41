//! The least that sealing or opening a contract of two sections can cost: its RSA and PBKDF2 work and nothing else, each
//! section on a thread of its own. Benchmarks tell times as a ratio to it, measured in the same run.
//!
//! A key is new to every measurement, as it is to every process: the first private operation also makes what blinds it.

use std::time::{Duration, Instant};

use hpcr_contract::parallel;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::Private;
use openssl::rsa::{Padding, Rsa};

/// The password of a token, as long as ours are.
const PASSWORD: [u8; 44] = [b'x'; 44];
const ITERATIONS: usize = 10_000;

/// The key of an image.
pub struct Floor(Vec<u8>);

impl Floor {
    /// Takes an RSA private key, PEM in the clear.
    pub fn new(pem: &[u8]) -> Result<Self, ErrorStack> {
        Ok(Self(Rsa::private_key_from_pem(pem)?.private_key_to_der()?))
    }

    /// Opening two tokens: for each a private operation and a derivation.
    pub fn open(&self) -> Result<Duration, ErrorStack> {
        let key = self.key()?;
        let mut wrapped = vec![0; size(&key)];
        key.public_encrypt(&PASSWORD, &mut wrapped, Padding::PKCS1)?;
        timed(|| {
            let mut password = vec![0; size(&key)];
            key.private_decrypt(&wrapped, &mut password, Padding::PKCS1)?;
            derive()
        })
    }

    /// Sealing two tokens and signing them: for each a public operation and a derivation, then one private operation.
    pub fn seal_and_sign(&self) -> Result<Duration, ErrorStack> {
        let key = self.key()?;
        let sealing = timed(|| {
            let mut wrapped = vec![0; size(&key)];
            key.public_encrypt(&PASSWORD, &mut wrapped, Padding::PKCS1)?;
            derive()
        })?;
        let begin = Instant::now();
        let mut signature = vec![0; size(&key)];
        key.private_encrypt(&PASSWORD, &mut signature, Padding::PKCS1)?;
        Ok(sealing + begin.elapsed())
    }

    /// Sealing and signing this many contracts, half of them on each of two threads.
    pub fn seal_and_sign_all(&self, contracts: usize) -> Result<Duration, ErrorStack> {
        let key = self.key()?;
        timed(|| {
            let mut block = vec![0; size(&key)];
            for _ in 0..contracts / 2 {
                for _ in ["workload", "env"] {
                    key.public_encrypt(&PASSWORD, &mut block, Padding::PKCS1)?;
                    derive()?;
                }
                key.private_encrypt(&PASSWORD, &mut block, Padding::PKCS1)?;
            }
            Ok(())
        })
    }

    fn key(&self) -> Result<Rsa<Private>, ErrorStack> {
        Rsa::private_key_from_der(&self.0)
    }
}

fn size(key: &Rsa<Private>) -> usize {
    usize::try_from(key.size()).unwrap_or_default()
}

/// How long two threads take to do the same work at once.
fn timed(work: impl Fn() -> Result<(), ErrorStack> + Sync) -> Result<Duration, ErrorStack> {
    let begin = Instant::now();
    let [ours, theirs] = parallel::map(&[(), ()], |()| true, |()| work());
    ours.and(theirs)?;
    Ok(begin.elapsed())
}

fn derive() -> Result<(), ErrorStack> {
    let mut derived = [0; 48];
    pbkdf2_hmac(
        &PASSWORD,
        b"saltsalt",
        ITERATIONS,
        MessageDigest::sha256(),
        &mut derived,
    )
}
