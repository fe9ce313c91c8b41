//! Sealed secrets: a value that only the guest of a contract opens, signed by who made it.
//!
//! `sealed.` and a JWS in compact form (RFC 7515, RS512); its payload is the value under AES-256-GCM, and the AES key
//! under RSAES-PKCS1-v1_5. The signature is checked before anything is opened. The contract carries the private key that
//! opens and the public key that verifies.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::hash::MessageDigest;
use openssl::rand::rand_bytes;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::certificate::PublicKey;
use crate::error::ContractError;
use crate::private_key::PrivateKey;
use crate::signature::{sign_parts, verify_parts};
use crate::token::openssl::{DecryptionKey, unwrap_key, wrap};

const PREFIX: &str = "sealed.";
const IV: usize = 12;
const TAG: usize = 16;
/// The largest secret that is sealed or opened.
const MAX_SECRET: usize = 1 << 20;
/// The largest text that is read: the secret in base64 twice, and what is around it.
const MAX_TEXT: usize = 2 * MAX_SECRET + (64 << 10);

/// Whose keys are meant: those of the workload section or of the env section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// `workload.confidential-containers.secret`.
    Workload,
    /// `env.confidential-containers.secret`.
    Env,
}

impl Party {
    const fn verify_id(self) -> &'static str {
        match self {
            Self::Workload => "workload_verify",
            Self::Env => "env_verify",
        }
    }

    const fn decrypt_id(self) -> &'static str {
        match self {
            Self::Workload => "workload_decrypt",
            Self::Env => "env_decrypt",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
}

/// Fields in the order in which they are written: that of their names.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    encrypted_data: String,
    encrypted_key: String,
    iv: String,
    key_id: String,
    provider: String,
    #[serde(rename = "type")]
    kind: String,
    version: String,
    wrap_type: String,
}

impl Payload {
    /// What is the same in all of them.
    fn is_of(&self, party: Party) -> bool {
        let fixed = [
            &self.key_id,
            &self.provider,
            &self.kind,
            &self.version,
            &self.wrap_type,
        ];
        let expected = [
            party.decrypt_id(),
            "ibm-hpcr-contract",
            "kms",
            "0.1.0",
            "A256GCM",
        ];
        fixed.into_iter().eq(expected.iter())
    }
}

/// Seals a secret to a party's guest.
pub fn seal(
    secret: &[u8],
    party: Party,
    to: &PublicKey,
    signer: &PrivateKey,
) -> Result<String, ContractError> {
    if secret.len() > MAX_SECRET {
        return Err(ContractError::SealedSecret("it is larger than 1 MiB"));
    }
    let mut key = Zeroizing::new([0; 32]);
    let mut iv = [0; IV];
    rand_bytes(key.as_mut())?;
    rand_bytes(&mut iv)?;
    let mut tag = [0; TAG];
    let mut data = encrypt_aead(
        Cipher::aes_256_gcm(),
        key.as_ref(),
        Some(&iv),
        &[],
        secret,
        &mut tag,
    )?;
    data.extend_from_slice(&tag);
    let payload = Payload {
        encrypted_data: STANDARD.encode(data),
        encrypted_key: STANDARD.encode(wrap(to, key.as_ref())?),
        iv: STANDARD.encode(iv),
        key_id: party.decrypt_id().to_owned(),
        provider: "ibm-hpcr-contract".to_owned(),
        kind: "kms".to_owned(),
        version: "0.1.0".to_owned(),
        wrap_type: "A256GCM".to_owned(),
    };
    signed(&json(&payload)?, party, signer)
}

/// A payload with its header and signature.
pub(crate) fn signed(
    payload: &[u8],
    party: Party,
    signer: &PrivateKey,
) -> Result<String, ContractError> {
    let header = Header {
        alg: "RS512".to_owned(),
        kid: party.verify_id().to_owned(),
    };
    let [header, payload] = [&json(&header)?, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let content = format!("{header}.{payload}");
    let signature = sign_parts(MessageDigest::sha512(), signer.key(), &[content.as_bytes()])?;
    Ok(format!(
        "{PREFIX}{content}.{}",
        URL_SAFE_NO_PAD.encode(signature)
    ))
}

/// Checks who made a sealed secret, and opens it.
pub fn open(
    text: &str,
    party: Party,
    key: &DecryptionKey,
    signer: &PublicKey,
) -> Result<Zeroizing<Vec<u8>>, ContractError> {
    let payload = verify(text, party, signer)?;
    let bytes = |text: &str| {
        STANDARD
            .decode(text)
            .map_err(|_| ContractError::SealedSecret("a part of its payload is not base64"))
    };
    let (data, iv) = (bytes(&payload.encrypted_data)?, bytes(&payload.iv)?);
    let (Some((data, tag)), IV) = (data.split_last_chunk::<TAG>(), iv.len()) else {
        return Err(ContractError::SealedSecret(
            "a part of its payload is too short",
        ));
    };
    let secret = unwrap_key(key, &bytes(&payload.encrypted_key)?);
    decrypt_aead(
        Cipher::aes_256_gcm(),
        secret.as_ref(),
        Some(&iv),
        &[],
        data,
        tag,
    )
    .map(Zeroizing::new)
    .map_err(|_| ContractError::SealedSecret("it does not open with this key"))
}

/// The payload, once its signature and everything fixed about it are right.
fn verify(text: &str, party: Party, signer: &PublicKey) -> Result<Payload, ContractError> {
    let wrong = ContractError::SealedSecret;
    if text.len() > MAX_TEXT {
        return Err(wrong("it is larger than 1 MiB"));
    }
    let compact = text.trim_ascii().strip_prefix(PREFIX);
    let (content, signature) =
        compact
            .and_then(|compact| compact.rsplit_once('.'))
            .ok_or(wrong(
                "it does not begin with `sealed.` and three parts between dots",
            ))?;
    let (header, payload) = content.split_once('.').ok_or(wrong(
        "it does not begin with `sealed.` and three parts between dots",
    ))?;
    let header: Header = unpart(header)?;
    if header.alg != "RS512" || header.kid != party.verify_id() {
        return Err(wrong("its header names another algorithm or party"));
    }
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| wrong("its signature is not base64url"))?;
    if !verify_parts(
        MessageDigest::sha512(),
        signer,
        &[content.as_bytes()],
        &signature,
    )? {
        return Err(wrong("its signature does not match"));
    }
    let payload: Payload = unpart(payload)?;
    if payload.is_of(party) {
        Ok(payload)
    } else {
        Err(wrong("its payload is of another party, kind or version"))
    }
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, ContractError> {
    serde_json::to_vec(value).map_err(|_| ContractError::Unwritable)
}

fn unpart<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, ContractError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or(ContractError::SealedSecret(
            "its header or payload cannot be read",
        ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    static GUEST: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());
    static SIGNER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());
    static SEALED: LazyLock<String> = LazyLock::new(|| sealed(b"hunter2", Party::Env));

    fn sealed(secret: &[u8], party: Party) -> String {
        seal(secret, party, &GUEST.public_key().unwrap(), &SIGNER).unwrap()
    }

    fn opened(text: &str, party: Party) -> Result<Zeroizing<Vec<u8>>, ContractError> {
        let key = DecryptionKey::from_pem(&GUEST.to_pem().unwrap()).unwrap();
        open(text, party, &key, &SIGNER.public_key().unwrap())
    }

    #[test]
    fn a_secret_is_written_as_the_specification_has_it() {
        let parts: Vec<&str> = SEALED.split('.').collect();
        assert_eq!(parts[0], "sealed");
        assert_eq!(
            URL_SAFE_NO_PAD.decode(parts[1]).unwrap(),
            br#"{"alg":"RS512","kid":"env_verify"}"#
        );
        let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
        let names: Vec<&str> = payload.split('"').skip(1).step_by(4).collect();
        assert_eq!(
            names,
            [
                "encrypted_data",
                "encrypted_key",
                "iv",
                "key_id",
                "provider",
                "type",
                "version",
                "wrap_type"
            ]
        );
        assert!(payload.ends_with(r#""key_id":"env_decrypt","provider":"ibm-hpcr-contract","type":"kms","version":"0.1.0","wrap_type":"A256GCM"}"#));
    }

    #[test]
    fn what_is_changed_or_of_another_party_does_not_open() {
        for (secret, party) in [(&b""[..], Party::Workload), (&vec![7; 100_000], Party::Env)] {
            assert_eq!(
                opened(&sealed(secret, party), party).unwrap().as_slice(),
                secret
            );
        }
        let stranger = PrivateKey::generate(2048).unwrap();
        let by_stranger = seal(b"x", Party::Env, &GUEST.public_key().unwrap(), &stranger).unwrap();
        let to_stranger = seal(b"x", Party::Env, &stranger.public_key().unwrap(), &SIGNER).unwrap();
        let parts: Vec<&str> = SEALED.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"env_verify"}"#);
        for (text, party, cause) in [
            (by_stranger, Party::Env, "signature does not match"),
            (to_stranger, Party::Env, "does not open"),
            (
                SEALED.clone(),
                Party::Workload,
                "another algorithm or party",
            ),
            (
                format!("sealed.{none}.{}.", parts[2]),
                Party::Env,
                "another algorithm",
            ),
            (format!("sealed.{}", parts[1]), Party::Env, "three parts"),
            ("hunter2".to_owned(), Party::Env, "three parts"),
            ("x".repeat(MAX_TEXT + 1), Party::Env, "larger than"),
        ] {
            let error = opened(&text, party).unwrap_err().to_string();
            assert!(
                error.contains(cause) && !error.contains("hunter2"),
                "{cause}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_changed_letter_never_opens(at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_.-]") {
            let at = at.index(SEALED.len());
            let mut text = SEALED.clone();
            text.replace_range(at..=at, &letter);
            // The last letter of unpadded base64 has bits that mean nothing.
            prop_assume!(text != *SEALED && at + 1 < SEALED.len());
            prop_assert!(opened(&text, Party::Env).is_err());
        }
    }
}
