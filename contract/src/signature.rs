//! `envWorkloadSignature` (specification 2.5): RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2) over the workload
//! scalar immediately followed by the env scalar, exactly as they were read.
//!
//! Nothing here re-serialises a section: a section that is a mapping has no bytes to sign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKeyRef, Private};
use openssl::sign::{Signer, Verifier};

use crate::certificate::{Expiry, PublicKey, Validity, expiry};
use crate::error::ContractError;
use crate::finding::{Finding, Place};
use crate::messages;
use crate::private_key::PrivateKey;

/// The two scalars that a signature covers.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    /// The workload scalar as it was read.
    pub workload: &'a str,
    /// The env scalar as it was read.
    pub env: &'a str,
    /// Whether both are tokens. Only then line ends mean nothing, and the documentation's recipe, which strips them
    /// before signing, is a form of the same bytes.
    pub tokens: bool,
}

/// Signs the two sections; the result is base64 in one line.
pub fn sign(signed: Signed<'_>, key: &PrivateKey) -> Result<String, ContractError> {
    let parts = [signed.workload.as_bytes(), signed.env.as_bytes()];
    sign_parts(MessageDigest::sha256(), key.key(), &parts).map(|raw| STANDARD.encode(raw))
}

/// What is to be said of a signing certificate that has ended: the contract ends with it. `now` is seconds since the Unix
/// epoch.
pub fn ended(validity: Validity, now: i64, place: Place) -> Option<Finding> {
    (expiry(validity.not_after, now) == Expiry::Expired).then(|| {
        Finding::new(
            messages::CONTRACT_EXPIRED,
            place,
            "the certificate of the signing key has ended, and the contract with it: no guest runs it",
            "sign the contract with a certificate that is valid",
        )
    })
}

/// The key that `env.signingKey` names, for whoever takes the contract and whoever checks its signature alone.
pub(crate) fn signing_key(text: &str, place: &Place) -> Result<PublicKey, Vec<Finding>> {
    PublicKey::parse(text.as_bytes()).map_err(|error| {
        let mut found = error.at(place.clone());
        found.code = messages::SIGNATURE_INVALID;
        vec![found]
    })
}

/// Checks the signature of the two sections; `signature` is base64, white space in it is ignored.
pub fn verify(signed: Signed<'_>, signature: &str, key: &PublicKey) -> Result<(), ContractError> {
    let compact: String = signature
        .chars()
        .filter(|letter| !letter.is_ascii_whitespace())
        .collect();
    let raw = STANDARD
        .decode(compact)
        .map_err(|_| ContractError::SignatureForm)?;
    let digest = MessageDigest::sha256();
    let parts = [signed.workload, signed.env];
    if verify_parts(digest, key, &parts.map(str::as_bytes), &raw)? {
        return Ok(());
    }
    if signed.tokens {
        let stripped = parts.map(|part| part.replace(['\r', '\n'], ""));
        if verify_parts(
            digest,
            key,
            &stripped.each_ref().map(String::as_bytes),
            &raw,
        )? {
            return Ok(());
        }
    }
    Err(ContractError::SignatureMismatch)
}

/// Signs parts of a text, one behind the other: RSASSA-PKCS1-v1_5 with a digest. A part may be secret: none is copied.
pub(crate) fn sign_parts(
    digest: MessageDigest,
    key: &PKeyRef<Private>,
    parts: &[&[u8]],
) -> Result<Vec<u8>, ContractError> {
    let mut signer = Signer::new(digest, key)?;
    for part in parts {
        signer.update(part)?;
    }
    Ok(signer.sign_to_vec()?)
}

/// Checks a signature over parts. One of a wrong length or beyond the modulus is a wrong signature, no failure of the library.
pub(crate) fn verify_parts(
    digest: MessageDigest,
    key: &PublicKey,
    parts: &[&[u8]],
    signature: &[u8],
) -> Result<bool, ContractError> {
    let mut verifier = Verifier::new(digest, key.key())?;
    for part in parts {
        verifier.update(part)?;
    }
    Ok(verifier.verify(signature).unwrap_or(false))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::KeyPair;

    const TOKENS: Signed<'_> = Signed {
        workload: "contract-basic.a.b\n",
        env: "contract-basic.c.d\n",
        tokens: true,
    };

    #[test]
    fn a_signature_covers_the_scalars_as_read_in_their_order() {
        let pair = KeyPair::rsa(2048);
        let (private, public) = (
            PrivateKey::from_pem(&pair.private_pem).unwrap(),
            PublicKey::parse(&pair.public_pem).unwrap(),
        );
        let signature = sign(TOKENS, &private).unwrap();
        let spaced = format!(" {}\n{}\n", &signature[..4], &signature[4..]);
        verify(TOKENS, &signature, &public).unwrap();
        verify(TOKENS, &spaced, &public).unwrap();
        for (signed, form) in [
            (
                Signed {
                    workload: TOKENS.env,
                    env: TOKENS.workload,
                    ..TOKENS
                },
                signature.as_str(),
            ),
            (
                Signed {
                    workload: "contract-basic.a.b",
                    ..TOKENS
                },
                &signature,
            ),
            (
                Signed {
                    env: "contract-basic.c.e\n",
                    ..TOKENS
                },
                &signature,
            ),
            (TOKENS, ""),
            (TOKENS, "AAAA"),
            (TOKENS, &"/".repeat(340)),
        ] {
            assert!(matches!(
                verify(signed, form, &public),
                Err(ContractError::SignatureMismatch)
            ));
        }
        assert!(matches!(
            verify(TOKENS, "not base64!", &public),
            Err(ContractError::SignatureForm)
        ));
        let other = PublicKey::parse(&KeyPair::rsa(2048).public_pem).unwrap();
        assert!(verify(TOKENS, &signature, &other).is_err());
    }

    #[test]
    fn line_ends_may_be_stripped_before_signing_only_where_both_sections_are_tokens() {
        let pair = KeyPair::rsa(2048);
        let (private, public) = (
            PrivateKey::from_pem(&pair.private_pem).unwrap(),
            PublicKey::parse(&pair.public_pem).unwrap(),
        );
        let stripped = Signed {
            workload: "contract-basic.a.b",
            env: "contract-basic.c.d",
            tokens: true,
        };
        let signature = sign(stripped, &private).unwrap();
        verify(TOKENS, &signature, &public).unwrap();
        assert!(
            verify(
                Signed {
                    tokens: false,
                    ..TOKENS
                },
                &signature,
                &public
            )
            .is_err()
        );
    }
}
