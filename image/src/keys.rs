//! Development keys: the key that opens contracts with the certificate that seals them, the age identity that does the
//! same with its recipient, and the key that signs attestation records.
//!
//! They lie in the open, beside the image and inside it: that is what makes an image a development image. They are an
//! input of the build like any other, so they are kept and used again; a set that is not whole, or whose halves do not
//! belong together, is refused and never replaced unasked. Production keys never come near this module.

use std::path::{Path, PathBuf};

use hpcr_contract::secret::ExposeSecret as _;
use hpcr_contract::token::age::{self, Identity};
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage};
use openssl::x509::{X509, X509NameBuilder};
use zeroize::Zeroizing;

use crate::{Error, Result, files, manifest};

/// The key pairs of a development image.
pub struct DevelopmentKeys {
    /// PKCS#8 PEM: opens contracts.
    pub contract_key: Zeroizing<Vec<u8>>,
    /// age key file: opens sections that are age files.
    pub contract_identity: Zeroizing<Vec<u8>>,
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
    identity: PathBuf,
    attestation_key: PathBuf,
    attestation_public: PathBuf,
    recipient: PathBuf,
    certificate: PathBuf,
}

impl Places {
    fn of(image: &Path) -> Self {
        let dir = image.join("development");
        Self {
            contract_key: dir.join("contract-key.pem"),
            identity: dir.join("contract-identity.age"),
            attestation_key: dir.join("attestation-key.pem"),
            attestation_public: image.join(manifest::ATTESTATION_KEY),
            recipient: image.join(manifest::RECIPIENT),
            certificate: image.join(manifest::CERTIFICATE),
            dir,
        }
    }

    fn all(&self) -> [&PathBuf; 6] {
        [
            &self.contract_key,
            &self.identity,
            &self.attestation_key,
            &self.attestation_public,
            &self.recipient,
            &self.certificate,
        ]
    }
}

/// Reads the keys of an image's folder; makes them where there are none at all.
pub fn read_or_make(image: &Path, progress: fn(&str)) -> Result<DevelopmentKeys> {
    let places = Places::of(image);
    let missing: Vec<_> = places
        .all()
        .into_iter()
        .filter(|path| !path.exists())
        .collect();
    match missing[..] {
        [] => {}
        _ if missing.len() == places.all().len() => {
            progress("making development keys");
            make(image)?;
        }
        [path, ..] => return Err(refused(path, "this part of the set is missing")),
    }
    read(&places)
}

/// Makes new keys in an image's folder, over those that are there. Interrupted, it leaves a set that `read` refuses.
pub fn make(image: &Path) -> Result<()> {
    let places = Places::of(image);
    files::create_dir(&places.dir)?;
    let contract = PKey::from_rsa(Rsa::generate(BITS)?)?;
    let attestation = PKey::from_rsa(Rsa::generate(BITS)?)?;
    let identity = Identity::generate();
    let secret = |path, content: &[u8]| files::write(path, content, 0o600);
    let public = |path, content: &[u8]| files::write(path, content, 0o644);
    secret(
        &places.contract_key,
        &Zeroizing::new(contract.private_key_to_pem_pkcs8()?),
    )?;
    secret(
        &places.attestation_key,
        &Zeroizing::new(attestation.private_key_to_pem_pkcs8()?),
    )?;
    secret(
        &places.identity,
        age::key_file(&identity).expose_secret().as_bytes(),
    )?;
    public(
        &places.attestation_public,
        &attestation.public_key_to_pem()?,
    )?;
    public(
        &places.recipient,
        format!("{}\n", identity.recipient()).as_bytes(),
    )?;
    public(&places.certificate, &certify(&contract)?.to_pem()?)
}

/// Reads a whole set, and sees that the public halves are those of the private ones.
fn read(places: &Places) -> Result<DevelopmentKeys> {
    let secret = |path| files::read(path).map(Zeroizing::new);
    let contract_key = secret(&places.contract_key)?;
    let attestation_key = secret(&places.attestation_key)?;
    let contract_identity = secret(&places.identity)?;
    let certificate = files::read(&places.certificate)?;
    let parsed = X509::from_pem(&certificate)?;

    let own = PKey::private_key_from_pem(&contract_key)?;
    if !parsed.public_key()?.public_eq(&own) {
        return Err(refused(
            &places.certificate,
            "it is not of the contract key",
        ));
    }
    let own = PKey::private_key_from_pem(&attestation_key)?;
    let public = PKey::public_key_from_pem(&files::read(&places.attestation_public)?)?;
    if !public.public_eq(&own) {
        return Err(refused(
            &places.attestation_public,
            "it is not of the attestation key",
        ));
    }
    let own = std::str::from_utf8(&contract_identity)
        .ok()
        .and_then(|text| Identity::from_text(text).ok())
        .ok_or_else(|| refused(&places.identity, "it is no age identity"))?;
    if files::read_to_string(&places.recipient)?.trim_ascii() != own.recipient().to_string() {
        return Err(refused(
            &places.recipient,
            "it is not of the contract identity",
        ));
    }

    let epoch = Asn1Time::from_unix(0)?;
    let seconds = |time| -> std::result::Result<i64, ErrorStack> {
        let since = epoch.diff(time)?;
        Ok(i64::from(since.days) * 86_400 + i64::from(since.secs))
    };
    Ok(DevelopmentKeys {
        contract_key,
        contract_identity,
        attestation_key,
        validity: (seconds(parsed.not_before())?, seconds(parsed.not_after())?),
        certificate,
    })
}

fn refused(path: &Path, cause: &'static str) -> Error {
    Error::KeySet {
        path: path.to_path_buf(),
        cause,
    }
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
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_private_match_their_public_halves_and_stay() {
        let dir = tempfile::tempdir().unwrap();
        let keys = read_or_make(dir.path(), |_| ()).unwrap();
        assert_eq!(
            keys.validity.1 - keys.validity.0,
            i64::from(VALID_DAYS) * 86_400
        );
        for name in [
            "contract-key.pem",
            "contract-identity.age",
            "attestation-key.pem",
        ] {
            let path = dir.path().join("development").join(name);
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let again = read_or_make(dir.path(), |_| ()).unwrap();
        assert_eq!(again.contract_key, keys.contract_key);
    }

    #[test]
    fn a_set_that_is_not_whole_or_does_not_belong_together_is_refused_at_its_file() {
        let (ours, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for dir in [&ours, &others] {
            make(dir.path()).unwrap();
        }
        for (name, cause) in [
            ("encryption.crt", "it is not of the contract key"),
            ("attestation.pub", "it is not of the attestation key"),
            ("encryption.age", "it is not of the contract identity"),
        ] {
            let path = ours.path().join(name);
            let own = fs::read(&path).unwrap();
            for (content, cause) in [
                (fs::read(others.path().join(name)).ok(), cause),
                (None, "this part of the set is missing"),
            ] {
                match content {
                    Some(content) => fs::write(&path, content).unwrap(),
                    None => fs::remove_file(&path).unwrap(),
                }
                let error = read_or_make(ours.path(), |_| ()).err().unwrap().to_string();
                assert!(error.contains(name) && error.contains(cause), "{error}");
            }
            fs::write(&path, own).unwrap();
        }
        assert!(read_or_make(ours.path(), |_| ()).is_ok());
    }
}
