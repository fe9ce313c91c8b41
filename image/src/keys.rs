//! Development keys: the key that opens contracts, with the certificate that seals them, and the key that signs
//! attestation records.
//!
//! They lie in the open, beside the image and inside it: that is what makes an image a development image. They are an
//! input of the build like any other, so they are kept and used again. Production keys never come near this module.

use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509NameBuilder};
use zeroize::Zeroizing;

use crate::{Result, files};

/// The key pairs of a development image.
pub struct DevelopmentKeys {
    /// PKCS#8 PEM: opens contracts.
    pub contract_key: Zeroizing<Vec<u8>>,
    /// PKCS#8 PEM: signs attestation records.
    pub attestation_key: Zeroizing<Vec<u8>>,
    /// PEM certificate of the contract key, which contracts are encrypted to.
    pub certificate: Vec<u8>,
    /// The certificate's validity, seconds since the Unix epoch: from, to.
    pub validity: (i64, i64),
}

const BITS: u32 = 4096;
const VALID_DAYS: u32 = 730;

/// Where the keys lie, below an image's folder.
struct Places {
    dir: PathBuf,
    contract_key: PathBuf,
    attestation_key: PathBuf,
    attestation_public: PathBuf,
    certificate: PathBuf,
}

fn places(image: &Path) -> Places {
    let dir = image.join("development");
    Places {
        contract_key: dir.join("contract-key.pem"),
        attestation_key: dir.join("attestation-key.pem"),
        attestation_public: image.join("attestation.pub"),
        certificate: image.join("encryption.crt"),
        dir,
    }
}

/// Whether an image's folder holds a full set of development keys.
pub fn exist(image: &Path) -> bool {
    let places = places(image);
    [
        places.contract_key,
        places.attestation_key,
        places.attestation_public,
        places.certificate,
    ]
    .iter()
    .all(|path| path.is_file())
}

/// Makes new keys in an image's folder, over those that are there.
pub fn make(image: &Path) -> Result<()> {
    let places = places(image);
    files::create_dir(&places.dir)?;
    let contract = PKey::from_rsa(Rsa::generate(BITS)?)?;
    let attestation = PKey::from_rsa(Rsa::generate(BITS)?)?;
    files::write(
        &places.contract_key,
        &Zeroizing::new(contract.private_key_to_pem_pkcs8()?),
        0o600,
    )?;
    files::write(
        &places.attestation_key,
        &Zeroizing::new(attestation.private_key_to_pem_pkcs8()?),
        0o600,
    )?;
    files::write(
        &places.attestation_public,
        &attestation.public_key_to_pem()?,
        0o644,
    )?;
    files::write(&places.certificate, &certify(&contract)?.to_pem()?, 0o644)
}

/// Reads the keys of an image's folder.
pub fn read(image: &Path) -> Result<DevelopmentKeys> {
    let places = places(image);
    let certificate = files::read(&places.certificate)?;
    let parsed = X509::from_pem(&certificate)?;
    let epoch = Asn1Time::from_unix(0)?;
    let seconds = |time| -> std::result::Result<i64, ErrorStack> {
        let since = epoch.diff(time)?;
        Ok(i64::from(since.days) * 86_400 + i64::from(since.secs))
    };
    Ok(DevelopmentKeys {
        contract_key: Zeroizing::new(files::read(&places.contract_key)?),
        attestation_key: Zeroizing::new(files::read(&places.attestation_key)?),
        validity: (seconds(parsed.not_before())?, seconds(parsed.not_after())?),
        certificate,
    })
}

fn certify(key: &PKey<Private>) -> std::result::Result<X509, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("O", "DEVELOPMENT ONLY")?;
    name.append_entry_by_text("CN", "contract encryption, development image")?;
    let name = name.build();
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;

    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(VALID_DAYS)?)?;
    builder.append_extension(BasicConstraints::new().critical().build()?)?;
    builder.append_extension(KeyUsage::new().critical().key_encipherment().build()?)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_private_match_their_certificate_and_stay() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!exist(dir.path()));
        make(dir.path()).unwrap();
        assert!(exist(dir.path()));

        let keys = read(dir.path()).unwrap();
        let certificate = X509::from_pem(&keys.certificate).unwrap();
        let contract = PKey::private_key_from_pem(&keys.contract_key).unwrap();
        assert!(certificate.public_key().unwrap().public_eq(&contract));
        assert_eq!(
            keys.validity.1 - keys.validity.0,
            i64::from(VALID_DAYS) * 86_400
        );

        for name in ["contract-key.pem", "attestation-key.pem"] {
            let mode = dir
                .path()
                .join("development")
                .join(name)
                .metadata()
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(read(dir.path()).unwrap().contract_key, keys.contract_key);
    }
}
