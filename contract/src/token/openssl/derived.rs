//! Tokens whose randomness is made of the text and the key, so that the same of both give the same token: for tools that
//! ask for a result that does not change, such as functions of Terraform.
//!
//! The price: whoever can guess the whole text can check the guess. A section with a seed in it cannot be guessed; a short
//! password on its own can. Nothing but a caller who needs it may use this.

use openssl::encrypt::Encrypter;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Padding;
use openssl::sign::Signer;
use zeroize::Zeroizing;

use super::{Line, Mode, Prefix, SALT, crypt, token};
use crate::certificate::PublicKey;
use crate::error::ContractError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Bytes of RSAES-PKCS1-v1_5 that are neither message nor random (RFC 8017, section 7.2.1).
const FRAME: usize = 3;

/// Seals data to a key, the same way each time.
pub fn seal_alike(plain: &[u8], key: &PublicKey, prefix: Prefix) -> Result<String, ContractError> {
    let source = Source::new(plain, key)?;
    let password = Zeroizing::new(STANDARD.encode(source.bytes("password", 32)?));
    let mut salt = [0; SALT];
    salt.copy_from_slice(&source.bytes("salt", SALT)?);
    let wrapped = wrap(key, password.as_bytes(), &source)?;
    let data = crypt(
        Mode::Encrypt,
        &Line::whole(password.as_bytes()),
        salt,
        plain,
    )?;
    Ok(token(prefix, &wrapped, salt, &data))
}

/// Bytes that look random to all who do not know the text.
struct Source(Zeroizing<Vec<u8>>);

impl Source {
    fn new(plain: &[u8], key: &PublicKey) -> Result<Self, ContractError> {
        // An empty key is none that the library takes.
        let secret = Zeroizing::new([plain, b"."].concat());
        hmac(&secret, &key.fingerprint()?).map(Self)
    }

    /// So many bytes for a use.
    fn bytes(&self, label: &str, count: usize) -> Result<Zeroizing<Vec<u8>>, ContractError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(count + 32));
        for block in 0_u32.. {
            if bytes.len() >= count {
                break;
            }
            let input = [label.as_bytes(), &block.to_be_bytes()].concat();
            bytes.extend_from_slice(&hmac(&self.0, &input)?);
        }
        bytes.truncate(count);
        Ok(bytes)
    }
}

fn hmac(key: &[u8], input: &[u8]) -> Result<Zeroizing<Vec<u8>>, ContractError> {
    let key = PKey::hmac(key)?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
    signer.update(input)?;
    Ok(Zeroizing::new(signer.sign_to_vec()?))
}

/// RSA PKCS#1 v1.5 encryption with padding of the source; the library would take its own.
fn wrap(key: &PublicKey, message: &[u8], source: &Source) -> Result<Vec<u8>, ContractError> {
    let size = key.key().size();
    let padding = size.saturating_sub(FRAME + message.len());
    // Every byte but zero, which ends the padding: one of 256 is left out, so twice the bytes are enough.
    let random = source.bytes("padding", 2 * padding)?;
    let random = random.iter().filter(|byte| **byte != 0).take(padding);
    let mut block = Zeroizing::new(vec![0, 2]);
    block.extend(random);
    block.push(0);
    block.extend_from_slice(message);
    let mut encrypter = Encrypter::new(key.key())?;
    encrypter.set_rsa_padding(Padding::NONE)?;
    let mut wrapped = vec![0; encrypter.encrypt_len(&block)?];
    let length = encrypter.encrypt(&block, &mut wrapped)?;
    wrapped.truncate(length);
    Ok(wrapped)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{DecryptionKey, Password, Token};
    use super::*;
    use crate::testing::KeyPair;

    #[test]
    fn the_same_text_for_the_same_key_gives_the_same_token_and_it_opens() {
        let (pair, other) = (KeyPair::rsa(2048), KeyPair::rsa(4096));
        let key = PublicKey::parse(&pair.public_pem).unwrap();
        let seal =
            |text: &str| seal_alike(text.as_bytes(), &key, Prefix::HyperProtectBasic).unwrap();
        for text in ["", "hello", "type: env\n"] {
            assert_eq!(seal(text), seal(text));
            let opened = Token::parse(&seal(text))
                .unwrap()
                .open(&DecryptionKey::from_pem(&pair.private_pem).unwrap())
                .unwrap();
            assert_eq!(opened.as_slice(), text.as_bytes());
            assert_eq!(opened.password(), Password::Whole);
        }
        assert_ne!(seal("hello"), seal("Hello"));
        let other = PublicKey::parse(&other.public_pem).unwrap();
        let elsewhere = seal_alike(b"hello", &other, Prefix::HyperProtectBasic).unwrap();
        let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert_ne!(parts(&seal("hello"))[2], parts(&elsewhere)[2]);
    }
}
