//! The token of HPCR, `PREFIX.WRAPPED.DATA` (specification 2.1 to 2.3): a password wrapped with RSAES-PKCS1-v1_5
//! (RFC 8017 section 7.2), and data encrypted with it as `openssl enc -aes-256-cbc -pbkdf2` does. It carries no MAC.
//!
//! Opening is the same work whether the password unwraps or not: OpenSSL's implicit rejection answers bad padding
//! with a random message, so there is nothing to branch on, and later failures share one error.

use std::fmt;
use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::encrypt::{Decrypter, Encrypter};
use openssl::pkey::{PKeyRef, Private};
use openssl::rand::{rand_bytes, rand_priv_bytes};
use openssl::rsa::Padding;
use openssl::symm::{Cipher, Crypter, Mode};
use zeroize::Zeroizing;

use crate::certificate::PublicKey;
use crate::error::ContractError;
use crate::private_key::PrivateKey;

mod derived;
mod implicit_rejection;
mod password;
mod stretching;

pub use derived::seal_alike;
pub use implicit_rejection::prove as prove_implicit_rejection;
use password::Line;
pub use password::Password;

const MAGIC: &[u8; 8] = b"Salted__";
const SALT: usize = 8;
const BLOCK: usize = 16;
const KEY: usize = 32;

/// Which product a token says that it is for; both mean the same to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `hyper-protect-basic`.
    HyperProtectBasic,
    /// `contract-basic`.
    ContractBasic,
}

impl Prefix {
    const ALL: [Self; 2] = [Self::HyperProtectBasic, Self::ContractBasic];

    /// The text before the first dot.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HyperProtectBasic => "hyper-protect-basic",
            Self::ContractBasic => "contract-basic",
        }
    }

    fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|prefix| text == prefix.as_str())
    }
}

/// Whether a text claims to be a token: it may still be malformed.
pub fn is_token(text: &str) -> bool {
    text.trim_ascii_start()
        .split_once('.')
        .is_some_and(|(prefix, _)| Prefix::of(prefix).is_some())
}

/// A private key that opens tokens.
#[derive(Debug)]
pub struct DecryptionKey(PrivateKey);

impl DecryptionKey {
    /// Takes an unencrypted RSA private key in PEM form.
    pub fn from_pem(pem: &[u8]) -> Result<Self, ContractError> {
        Self::new(PrivateKey::from_pem(pem)?)
    }

    /// Takes a private key where the library rejects bad padding silently, by its version or by its answer.
    pub fn new(key: PrivateKey) -> Result<Self, ContractError> {
        implicit_rejection::is_there()?;
        first_use(key.key())?;
        Ok(Self(key))
    }
}

/// What a token held; it wipes itself and does not print.
pub struct Plain {
    bytes: Zeroizing<Vec<u8>>,
    password: Password,
}

impl Plain {
    /// How much of its password the token used: anything but [`Password::Whole`] is weaker than it was meant to be.
    pub fn password(&self) -> Password {
        self.password
    }
}

impl Deref for Plain {
    type Target = Zeroizing<Vec<u8>>;

    fn deref(&self) -> &Self::Target {
        &self.bytes
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plain")
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// A token, taken apart and not yet opened.
pub struct Token {
    wrapped: Vec<u8>,
    salt: [u8; SALT],
    data: Vec<u8>,
}

impl Token {
    /// Takes a token apart; white space around it is none of it.
    pub fn parse(text: &str) -> Result<Self, ContractError> {
        let parts: Vec<&str> = text.trim_ascii().split('.').collect();
        let [prefix, wrapped, data] = parts[..] else {
            return Err(ContractError::TokenForm(
                "it does not have three parts between dots",
            ));
        };
        if Prefix::of(prefix).is_none() {
            return Err(ContractError::TokenForm(
                "it begins with neither hyper-protect-basic nor contract-basic",
            ));
        }
        let wrapped = STANDARD
            .decode(wrapped)
            .map_err(|_| ContractError::TokenForm("its second part is not base64"))?;
        let data = STANDARD
            .decode(data)
            .map_err(|_| ContractError::TokenForm("its third part is not base64"))?;
        let Some((salt, data)) = data
            .strip_prefix(MAGIC)
            .and_then(|rest| rest.split_first_chunk::<SALT>())
        else {
            return Err(ContractError::TokenForm(
                "its third part does not begin with Salted__ and a salt",
            ));
        };
        if data.is_empty() || data.len() % BLOCK != 0 {
            return Err(ContractError::TokenForm(
                "its third part is not made of whole blocks",
            ));
        }
        Ok(Self {
            wrapped,
            salt: *salt,
            data: data.to_vec(),
        })
    }

    /// Opens the token.
    pub fn open(&self, key: &DecryptionKey) -> Result<Plain, ContractError> {
        let key = key.0.key();
        let mut message = Zeroizing::new(vec![0; key.size()]);
        // A block that is no number below the modulus is no secret: anyone can see it. What follows is done all the same.
        let (length, in_range) = match unwrap(key, &self.wrapped, &mut message) {
            Ok(length) => (length, true),
            Err(_) => (KEY, false),
        };
        let line = Line::of(&message, u32::try_from(length).unwrap_or_default());
        let mut bytes = crypt(Mode::Decrypt, &line, self.salt, &self.data)?;
        match unpadded_length(&bytes) {
            Some(length) if in_range && line.readable => {
                bytes.truncate(length);
                let password = line.password();
                Ok(Plain { bytes, password })
            }
            _ => Err(ContractError::TokenSealed),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("bytes", &self.data.len())
            .finish_non_exhaustive()
    }
}

/// Seals data to a key.
///
/// The password is printable, 256 bits of it, so that no reader is tripped by a NUL or a newline.
pub fn seal(plain: &[u8], key: &PublicKey, prefix: Prefix) -> Result<String, ContractError> {
    let mut random = Zeroizing::new([0; 32]);
    rand_bytes(random.as_mut())?;
    let password = Zeroizing::new(STANDARD.encode(*random));
    let mut salt = [0; SALT];
    rand_bytes(&mut salt)?;

    let wrapped = wrap(key, password.as_bytes())?;
    let line = Line::whole(password.as_bytes());
    let data = crypt(Mode::Encrypt, &line, salt, plain)?;
    Ok(token(prefix, &wrapped, salt, &data))
}

/// The token of its parts.
fn token(prefix: Prefix, wrapped: &[u8], salt: [u8; SALT], data: &[u8]) -> String {
    let data = [MAGIC.as_slice(), &salt, data].concat();
    format!(
        "{}.{}.{}",
        prefix.as_str(),
        STANDARD.encode(wrapped),
        STANDARD.encode(data)
    )
}

/// RSA PKCS#1 v1.5 encryption.
pub(crate) fn wrap(key: &PublicKey, message: &[u8]) -> Result<Vec<u8>, ContractError> {
    let mut encrypter = Encrypter::new(key.key())?;
    encrypter.set_rsa_padding(Padding::PKCS1)?;
    let mut wrapped = vec![0; encrypter.encrypt_len(message)?];
    let length = encrypter.encrypt(message, &mut wrapped)?;
    wrapped.truncate(length);
    Ok(wrapped)
}

/// Unwraps a key of 32 bytes for a cipher that authenticates. Whatever goes wrong gives some other key, and the cipher
/// says that it does not fit.
pub(crate) fn unwrap_key(key: &DecryptionKey, wrapped: &[u8]) -> Zeroizing<[u8; KEY]> {
    let key = key.0.key();
    let mut message = Zeroizing::new(vec![0; key.size()]);
    // A random message and a right one are told apart by the cipher's tag alone.
    let _ = unwrap(key, wrapped, &mut message);
    let mut first = Zeroizing::new([0; KEY]);
    first.copy_from_slice(&message[..KEY]);
    first
}

/// Has the library make what it makes at its first use: two threads that needed that at once would wait for each other
/// many times.
fn first_use(key: &PKeyRef<Private>) -> Result<(), openssl::error::ErrorStack> {
    rand_priv_bytes(&mut [0])?;
    Decrypter::new(key)?.set_rsa_padding(Padding::PKCS1)
}

/// RSA PKCS#1 v1.5 decryption; gives the message's length. With implicit rejection, an error depends on the ciphertext
/// and the public key alone.
fn unwrap(
    key: &PKeyRef<Private>,
    wrapped: &[u8],
    message: &mut [u8],
) -> Result<usize, openssl::error::ErrorStack> {
    let mut decrypter = Decrypter::new(key)?;
    decrypter.set_rsa_padding(Padding::PKCS1)?;
    decrypter.decrypt(wrapped, message)
}

/// AES-256-CBC with key and IV from the password. Decrypting leaves the padding on, so that good and bad padding come
/// back the same way.
fn crypt(
    mode: Mode,
    password: &Line,
    salt: [u8; SALT],
    input: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ContractError> {
    let derived = stretching::key_and_iv(&password.block, salt);
    let (key, iv) = derived.split_at(KEY);
    let mut crypter = Crypter::new(Cipher::aes_256_cbc(), mode, key, Some(iv))?;
    crypter.pad(matches!(mode, Mode::Encrypt));
    let mut output = Zeroizing::new(vec![0; input.len() + 2 * BLOCK]);
    let mut length = crypter.update(input, &mut output)?;
    length += crypter.finalize(&mut output[length..])?;
    output.truncate(length);
    Ok(output)
}

/// The length without PKCS#7 padding (RFC 5652 section 6.3), where the padding is right; it looks at a whole block always.
fn unpadded_length(plain: &[u8]) -> Option<usize> {
    let block = plain.last_chunk::<BLOCK>()?;
    let padding = block[BLOCK - 1];
    let mut wrong = u8::from(padding == 0) | u8::from(usize::from(padding) > BLOCK);
    for (index, byte) in (0_u8..).zip(block.iter().rev()) {
        wrong |= u8::from(index < padding) & u8::from(*byte != padding);
    }
    (wrong == 0).then(|| plain.len() - usize::from(padding))
}

#[cfg(test)]
mod tests;
