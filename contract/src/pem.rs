//! PEM as contracts carry it (RFC 7468), bare or in base64, with any white space between the lines: YAML folds them.
//!
//! What comes out has been parsed as what it claims to be and is written anew, so that nothing else rides along.
//! Nothing here is checked against a chain or a clock. No error quotes what it read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::rsa::Rsa;
use openssl::x509::X509;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use pkcs8::{ObjectIdentifier, PrivateKeyInfo};
use zeroize::Zeroizing;

use crate::finding::Level;
use crate::secret::SecretString;

/// Why a value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// No PEM block, neither bare nor in base64.
    NoBlock,
    /// A block that is not what is asked for here.
    OtherKind,
    /// A block whose content cannot be parsed.
    Broken,
    /// A private key under a passphrase.
    Encrypted,
    /// A private key that is neither RSA, EC nor Ed25519.
    UnknownKey,
}

impl Problem {
    /// Text that is no PEM at all is taken by the published tools, which do not look into it: only our guest stops there.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::NoBlock => Level::Limit,
            _ => Level::Error,
        }
    }

    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::NoBlock => "there is no PEM block in it, neither bare nor in base64",
            Self::OtherKind => "a PEM block in it is of another kind",
            Self::Broken => "a PEM block in it cannot be parsed",
            Self::Encrypted => "the key is under a passphrase",
            Self::UnknownKey => "the key is neither RSA, EC nor Ed25519",
        }
    }
}

/// A certificate or more, parsed and written anew as PEM.
pub(crate) fn certificates(text: &str) -> Result<(Vec<X509>, Vec<u8>), Problem> {
    let mut certificates = Vec::new();
    let mut pem = Vec::new();
    for block in blocks(text)? {
        if !block.is_certificate() {
            return Err(Problem::OtherKind);
        }
        let certificate = X509::from_der(&block.content).map_err(|_| Problem::Broken)?;
        pem.extend(certificate.to_pem().map_err(|_| Problem::Broken)?);
        certificates.push(certificate);
    }
    Ok((certificates, pem))
}

/// The first certificate of a PEM text, whatever stands beside it.
pub(crate) fn first_certificate(pem: &[u8]) -> Option<X509> {
    let blocks = armoured(std::str::from_utf8(pem).ok()?).ok()?;
    let block = blocks.iter().find(|block| block.is_certificate())?;
    X509::from_der(&block.content).ok()
}

/// One private key, parsed and written anew as PKCS#8.
pub(crate) fn private_key(text: &str) -> Result<(PKey<Private>, SecretString), Problem> {
    let blocks = blocks(text)?;
    // `openssl ecparam -genkey` writes the curve in front of the key.
    let mut keys = blocks.iter().filter(|block| block.label != "EC PARAMETERS");
    let (Some(block), None) = (keys.next(), keys.next()) else {
        return Err(Problem::OtherKind);
    };
    match block.label.as_str() {
        "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {}
        "ENCRYPTED PRIVATE KEY" => return Err(Problem::Encrypted),
        _ => return Err(Problem::OtherKind),
    }
    let key = match rsa_private_key(block) {
        Some(key) => key,
        None => PKey::private_key_from_der(&block.content).map_err(|_| Problem::Broken)?,
    };
    if !matches!(key.id(), Id::RSA | Id::EC | Id::ED25519) {
        return Err(Problem::UnknownKey);
    }
    let pem = written(&key).map_err(|_| Problem::Broken)?;
    let pem = std::str::from_utf8(&pem).map_err(|_| Problem::Broken)?;
    let secret = SecretString::from(pem);
    Ok((key, secret))
}

fn written(key: &PKey<Private>) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    key.private_key_to_pem_pkcs8().map(Zeroizing::new)
}

/// The RSA private key in the clear that is all of a PEM text, where it is one.
pub(crate) fn only_rsa_private_key(pem: &[u8]) -> Option<PKey<Private>> {
    match &armoured(std::str::from_utf8(pem).ok()?).ok()?[..] {
        [block] => rsa_private_key(block),
        _ => None,
    }
}

/// The RSA public key that is all of a PEM text, where it is one.
pub(crate) fn only_rsa_public_key(pem: &[u8]) -> Option<PKey<Public>> {
    let blocks = armoured(std::str::from_utf8(pem).ok()?).ok()?;
    let [Block { label, content }] = &blocks[..] else {
        return None;
    };
    let info = SubjectPublicKeyInfoRef::try_from(content.as_slice()).ok()?;
    if label != "PUBLIC KEY" || info.algorithm.oid != RSA_ENCRYPTION {
        return None;
    }
    let key = Rsa::public_key_from_der_pkcs1(info.subject_public_key.as_bytes()?).ok()?;
    PKey::from_rsa(key).ok()
}

/// An RSA private key by its own structure (RFC 8017 appendix A.1.2), bare or in PKCS#8 (RFC 5958). OpenSSL's general
/// decoder takes every key, and loads all that it can decode for it: longer than the rest of a contract's check.
fn rsa_private_key(block: &Block) -> Option<PKey<Private>> {
    let content = match block.label.as_str() {
        "RSA PRIVATE KEY" => &block.content,
        "PRIVATE KEY" => {
            let info = PrivateKeyInfo::try_from(block.content.as_slice()).ok()?;
            (info.algorithm.oid == RSA_ENCRYPTION).then_some(info.private_key)?
        }
        _ => return None,
    };
    PKey::from_rsa(Rsa::private_key_from_der(content).ok()?).ok()
}

struct Block {
    label: String,
    content: Zeroizing<Vec<u8>>,
}

impl Block {
    fn is_certificate(&self) -> bool {
        matches!(self.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE")
    }
}

/// `rsaEncryption` (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The blocks of a value that is PEM, or base64 of PEM.
fn blocks(text: &str) -> Result<Vec<Block>, Problem> {
    if text.contains(BEGIN) {
        return armoured(text);
    }
    let decoded = decode(text).ok_or(Problem::NoBlock)?;
    armoured(std::str::from_utf8(&decoded).map_err(|_| Problem::NoBlock)?)
}

fn armoured(text: &str) -> Result<Vec<Block>, Problem> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (label, after) = after.split_once(DASHES).ok_or(Problem::Broken)?;
        let (body, after) = after.split_once(END).ok_or(Problem::Broken)?;
        rest = after
            .strip_prefix(label)
            .and_then(|after| after.strip_prefix(DASHES))
            .ok_or(Problem::Broken)?;
        if body.contains("Proc-Type:") {
            return Err(Problem::Encrypted);
        }
        let content = decode(body).ok_or(Problem::Broken)?;
        blocks.push(Block {
            label: label.to_owned(),
            content,
        });
    }
    if blocks.is_empty() {
        Err(Problem::NoBlock)
    } else {
        Ok(blocks)
    }
}

/// Base64 with white space anywhere.
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bare = Zeroizing::new(Vec::with_capacity(text.len()));
    bare.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()));
    STANDARD.decode(&*bare).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::secret::ExposeSecret as _;
    use crate::testing::{self, KeyPair};
    use openssl::symm::Cipher;
    use proptest::prelude::*;

    #[test]
    fn certificates_are_read_bare_folded_and_in_base64() {
        let pair = KeyPair::rsa(2048);
        let one = String::from_utf8(testing::certificate(&pair, 10, 20)).unwrap();
        let two = format!("{one}{one}");
        for text in [
            two.clone(),
            two.replace('\n', " "),
            STANDARD.encode(&two),
            format!("notes\n{two}"),
        ] {
            let (certificates, pem) = certificates(&text).unwrap();
            assert_eq!(certificates.len(), 2);
            assert_eq!(String::from_utf8(pem).unwrap(), two);
        }
    }

    #[test]
    fn a_private_key_is_read_and_written_as_pkcs8() {
        let pair = KeyPair::rsa(2048);
        let pkcs8 = String::from_utf8(pair.private_pem).unwrap();
        let key = PKey::private_key_from_pem(pkcs8.as_bytes()).unwrap();
        let pkcs1 = String::from_utf8(key.rsa().unwrap().private_key_to_pem().unwrap()).unwrap();
        for text in [
            pkcs8.clone(),
            pkcs1,
            STANDARD.encode(&pkcs8),
            pkcs8.replace('\n', " "),
        ] {
            assert_eq!(private_key(&text).unwrap().1.expose_secret(), pkcs8);
        }
    }

    /// The same key under the name `id-RSASSA-PSS`, which differs in its last number.
    fn for_pss(pem: &[u8]) -> Vec<u8> {
        const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        let block = armoured(std::str::from_utf8(pem).unwrap())
            .unwrap()
            .remove(0);
        let mut content = block.content.to_vec();
        let name = content.windows(RSA.len()).position(|bytes| bytes == RSA);
        content[name.unwrap() + RSA.len() - 1] = 10;
        let (label, content) = (block.label, STANDARD.encode(content));
        format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n").into_bytes()
    }

    #[test]
    fn an_rsa_key_is_read_by_its_own_structure_and_no_other_key_is() {
        let pair = KeyPair::rsa(2048);
        let key = PKey::private_key_from_pem(&pair.private_pem).unwrap();
        let pkcs1 = key.rsa().unwrap().private_key_to_pem().unwrap();
        for pem in [&pair.private_pem, &pkcs1] {
            assert!(only_rsa_private_key(pem).unwrap().public_eq(&key));
        }
        assert!(
            only_rsa_public_key(&pair.public_pem)
                .unwrap()
                .public_eq(&key)
        );
        // RSA keys for RSASSA-PSS alone: neither sealing nor our signatures may use them.
        let (private, public) = (for_pss(&pair.private_pem), for_pss(&pair.public_pem));
        let encrypted = key
            .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"hunter2")
            .unwrap();
        for pem in [
            &private,
            &encrypted,
            &pair.public_pem,
            &pair.private_pem.repeat(2),
        ] {
            assert!(only_rsa_private_key(pem).is_none());
        }
        for pem in [
            &public,
            &pair.private_pem,
            &testing::ec_public_pem(),
            &pair.public_pem.repeat(2),
        ] {
            assert!(only_rsa_public_key(pem).is_none());
        }
    }

    #[test]
    fn what_is_something_else_is_refused() {
        let pair = KeyPair::rsa(2048);
        let key = PKey::private_key_from_pem(&pair.private_pem).unwrap();
        let pem = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let public = pem(pair.public_pem.clone());
        let private = pem(pair.private_pem.clone());
        let pkcs8 = pem(key
            .private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"hunter2")
            .unwrap());
        let traditional = pem(key
            .rsa()
            .unwrap()
            .private_key_to_pem_passphrase(Cipher::aes_256_cbc(), b"hunter2")
            .unwrap());
        for (text, problem) in [
            ("", Problem::NoBlock),
            ("hunter2", Problem::NoBlock),
            (public.as_str(), Problem::OtherKind),
            (pkcs8.as_str(), Problem::Encrypted),
            (traditional.as_str(), Problem::Encrypted),
            (&private[..200], Problem::Broken),
            (
                "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n",
                Problem::Broken,
            ),
            (&private.repeat(2), Problem::OtherKind),
        ] {
            assert_eq!(private_key(text).err(), Some(problem));
        }
        assert_eq!(certificates(&private).err(), Some(Problem::OtherKind));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(-----BEGIN |-----END |-----|CERTIFICATE|EC PARAMETERS|[A-Za-z0-9+/= \n]){0,12}") {
            let _ = certificates(&text);
            let _ = private_key(&text);
        }
    }
}
