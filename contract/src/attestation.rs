//! The attestation record (`se-checksums.txt`, specification 4): what booted, as text that an auditor compares.
//!
//! The lines and their order are those of HPCR 26.7.1. Ours differ in three ways that its readers, who look for a hash at
//! the start of a line, pass over: what a platform does not have is left out, an image for development says so, and
//! containers with all privileges are named. Nothing here measures anything; hashes and times are given.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::certificate::PublicKey;
use crate::error::ContractError;
use crate::plan::Auditor;
use crate::private_key::PrivateKey;
use crate::signature::{sign_bytes, verify_bytes};
use crate::token::openssl::{self, Prefix};

/// The line of an image for development, of which nothing is confidential.
pub const DEVELOPMENT: &str = "Development image: not confidential, its keys are public.";

/// The largest record that is read.
const MAX_BYTES: usize = 1 << 20;

/// `Jul 06 06:44:41 2027 UTC`.
const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[month repr:short] [day] [hour]:[minute]:[second] [year] UTC");

/// What a line of the record holds the hash of, in the order of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// `certificate_expiry_date.json`.
    CertificateExpiry,
    /// The root archive.
    RootArchive,
    /// The image that was booted.
    BaseImage,
    /// The list of what is in the image.
    Sbom,
    /// All of the device that the contract came on.
    CidataDevice,
    /// `meta-data` as it was read.
    MetaData,
    /// `user-data`, the contract, as it was read.
    UserData,
    /// `vendor-data` as it was read.
    VendorData,
    /// The workload section in the clear.
    Workload,
    /// The env section in the clear.
    Env,
    /// The auditor's public key in the clear.
    AuditorKey,
}

impl Subject {
    /// The name at the end of its line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CertificateExpiry => "certificate_expiry_date.json",
            Self::RootArchive => "root.tar.gz",
            Self::BaseImage => "baseimage",
            Self::Sbom => "sbom",
            Self::CidataDevice => "/dev/disk/by-label/cidata",
            Self::MetaData => "cidata/meta-data",
            Self::UserData => "cidata/user-data",
            Self::VendorData => "cidata/vendor-data",
            Self::Workload => "contract:workload",
            Self::Env => "contract:env",
            Self::AuditorKey => "contract:attestationPublicKey",
        }
    }
}

/// Everything that the record says.
#[derive(Debug, Clone)]
pub struct Record {
    /// Version of the appliance.
    pub version: String,
    /// Machine type, plant and serial (`8562/02/4C598`), where the platform has them.
    pub machine: Option<String>,
    /// Whole days since the image was built.
    pub image_age_days: u64,
    /// `notAfter` of the encryption certificate, seconds since the Unix epoch.
    pub encryption_certificate_expires: i64,
    /// `notAfter` of the attestation certificate, where there is one.
    pub attestation_certificate_expires: Option<i64>,
    /// Whether the image is for development.
    pub development: bool,
    /// Names of the containers with all privileges.
    pub privileged: Vec<String>,
    /// SHA-256 of what was measured.
    pub hashes: BTreeMap<Subject, [u8; 32]>,
}

impl Record {
    /// The record's text, with a newline at its end.
    pub fn text(&self) -> String {
        let mut lines = vec![self.version.clone()];
        if let Some(machine) = &self.machine {
            lines.push(format!("Machine Type/Plant/Serial: {machine}"));
        }
        lines.push(format!(
            "Image age: {} days since creation.",
            self.image_age_days
        ));
        lines.push(format!(
            "Encryption Certificate valid until: {}",
            date(self.encryption_certificate_expires)
        ));
        if let Some(expires) = self.attestation_certificate_expires {
            lines.push(format!(
                "Attestation Certificate valid until: {}",
                date(expires)
            ));
        }
        if self.development {
            lines.push(DEVELOPMENT.to_owned());
        }
        if !self.privileged.is_empty() {
            lines.push(format!(
                "Privileged containers: {}",
                self.privileged.join(", ")
            ));
        }
        let mut text = String::new();
        for line in lines {
            // A name must not be able to begin a line of its own, which could pass for a hash.
            text.extend(
                line.chars()
                    .map(|letter| if letter.is_control() { '?' } else { letter }),
            );
            text.push('\n');
        }
        for (subject, hash) in &self.hashes {
            let _ = writeln!(text, "{} {}", hex::encode(hash), subject.name());
        }
        text
    }
}

/// A time outside of the years 0 to 9999 has no date: the seconds stand for it.
fn date(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.format(DATE).ok())
        .unwrap_or_else(|| format!("{seconds} s since 1970 UTC"))
}

/// Signs a record: RSASSA-PKCS1-v1_5 with SHA-256 over its text in the clear; raw bytes (`se-signature.bin`).
pub fn sign(text: &str, key: &PrivateKey) -> Result<Vec<u8>, ContractError> {
    sign_bytes(key.key(), text.as_bytes())
}

/// Checks the signature of a record in the clear.
pub fn verify(text: &str, signature: &[u8], key: &PublicKey) -> Result<(), ContractError> {
    if verify_bytes(key, text.as_bytes(), signature)? {
        Ok(())
    } else {
        Err(ContractError::RecordSignature)
    }
}

/// Seals a record to the auditor: a token (`se-checksums.txt.enc`).
pub fn seal(text: &str, auditor: &Auditor) -> Result<String, ContractError> {
    openssl::seal(
        text.as_bytes(),
        &PublicKey::parse(&auditor.public_key)?,
        Prefix::HyperProtectBasic,
    )
}

/// A record as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksums {
    /// The first line, where it is no hash.
    pub version: Option<String>,
    /// Whether it is of an image for development.
    pub development: bool,
    /// Hashes by name, as [`Subject::name`] spells it; names unknown to us are kept.
    pub hashes: BTreeMap<String, [u8; 32]>,
}

/// Reads a record in any of the three spellings that were published: `contract:env`, `contract: env` and `env`.
pub fn parse(text: &str) -> Result<Checksums, ContractError> {
    if text.len() > MAX_BYTES {
        return Err(ContractError::Record {
            line: 1,
            cause: "the record is larger than 1 MiB",
        });
    }
    let mut checksums = Checksums {
        version: None,
        development: false,
        hashes: BTreeMap::new(),
    };
    for (number, line) in (1..).zip(text.lines()) {
        checksums.development |= line == DEVELOPMENT;
        let Some((hash, name)) = hash_line(line) else {
            if number == 1 {
                checksums.version = Some(line.to_owned());
            }
            continue;
        };
        if checksums.hashes.insert(canonical(name), hash).is_some() {
            return Err(ContractError::Record {
                line: number,
                cause: "a name stands twice",
            });
        }
    }
    if checksums.hashes.is_empty() {
        return Err(ContractError::Record {
            line: 1,
            cause: "there is no hash in it",
        });
    }
    Ok(checksums)
}

/// 64 hexadecimal digits, white space, and a name.
fn hash_line(line: &str) -> Option<([u8; 32], &str)> {
    let (digits, name) = line.split_once(char::is_whitespace)?;
    let mut hash = [0; 32];
    hex::decode_to_slice(digits, &mut hash).ok()?;
    let name = name.trim();
    (!name.is_empty()).then_some((hash, name))
}

fn canonical(name: &str) -> String {
    let bare = name.strip_prefix("contract:").unwrap_or(name).trim_start();
    let known = [Subject::Workload, Subject::Env, Subject::AuditorKey]
        .into_iter()
        .find(|subject| subject.name().strip_prefix("contract:") == Some(bare));
    known.map_or_else(|| name.to_owned(), |subject| subject.name().to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::testing::KeyPair;
    use crate::token::openssl::{DecryptionKey, Token};

    fn record() -> Record {
        Record {
            version: "26.7.1".into(),
            machine: Some("8562/02/4C598".into()),
            image_age_days: 10,
            encryption_certificate_expires: 1_814_856_281,
            attestation_certificate_expires: Some(1_814_876_939),
            development: false,
            privileged: Vec::new(),
            hashes: [
                Subject::AuditorKey,
                Subject::Env,
                Subject::Workload,
                Subject::VendorData,
                Subject::UserData,
                Subject::MetaData,
                Subject::CidataDevice,
                Subject::Sbom,
                Subject::BaseImage,
                Subject::RootArchive,
                Subject::CertificateExpiry,
            ]
            .into_iter()
            .map(|subject| (subject, [0xab; 32]))
            .collect(),
        }
    }

    #[test]
    fn the_text_is_that_of_version_26_7_1() {
        let hash = "ab".repeat(32);
        let expected = format!(
            "26.7.1\nMachine Type/Plant/Serial: 8562/02/4C598\nImage age: 10 days since creation.\n\
             Encryption Certificate valid until: Jul 06 06:44:41 2027 UTC\n\
             Attestation Certificate valid until: Jul 06 12:28:59 2027 UTC\n\
             {hash} certificate_expiry_date.json\n{hash} root.tar.gz\n{hash} baseimage\n{hash} sbom\n\
             {hash} /dev/disk/by-label/cidata\n{hash} cidata/meta-data\n{hash} cidata/user-data\n\
             {hash} cidata/vendor-data\n{hash} contract:workload\n{hash} contract:env\n\
             {hash} contract:attestationPublicKey\n"
        );
        assert_eq!(record().text(), expected);
    }

    #[test]
    fn an_image_for_development_says_so_and_privileged_containers_are_named() {
        let text = Record {
            development: true,
            machine: None,
            privileged: vec!["web".into(), format!("x\n{} baseimage", "00".repeat(32))],
            ..record()
        }
        .text();
        let read = parse(&text).unwrap();
        assert!(read.development);
        assert!(text.contains("Privileged containers: web, x?00"));
        assert_eq!(
            read.hashes["baseimage"], [0xab; 32],
            "a name cannot pass for a line"
        );
        assert!(!parse(&record().text()).unwrap().development);
    }

    #[test]
    fn the_three_published_spellings_are_one() {
        let hash = "cd".repeat(32);
        for spelling in ["contract:", "contract: ", ""] {
            let text = format!(
                "24.3.3\nMachine Type/Plant/Serial: x\n{hash} {spelling}env\n{hash} {spelling}workload\n{hash} {spelling}attestationPublicKey\n{hash}  other name"
            );
            let read = parse(&text).unwrap();
            assert_eq!(read.version.as_deref(), Some("24.3.3"));
            let names: Vec<_> = read.hashes.keys().map(String::as_str).collect();
            assert_eq!(
                names,
                [
                    "contract:attestationPublicKey",
                    "contract:env",
                    "contract:workload",
                    "other name"
                ]
            );
        }
        assert!(
            parse(&format!("{hash} env\n{hash} contract:env\n")).is_err(),
            "two of one name"
        );
        assert!(parse("26.7.1\n").is_err());
        assert!(parse(&"x".repeat(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn a_record_is_signed_in_the_clear_and_sealed_to_the_auditor() {
        let (image, auditor) = (KeyPair::rsa(2048), KeyPair::rsa(2048));
        let text = record().text();
        let signature = sign(&text, &PrivateKey::from_pem(&image.private_pem).unwrap()).unwrap();
        let public = PublicKey::parse(&image.public_pem).unwrap();
        verify(&text, &signature, &public).unwrap();
        assert!(matches!(
            verify(&text[1..], &signature, &public),
            Err(ContractError::RecordSignature)
        ));
        assert!(matches!(
            verify(&text, &signature[1..], &public),
            Err(ContractError::RecordSignature)
        ));
        let token = seal(
            &text,
            &Auditor {
                hash: [0; 32],
                public_key: auditor.public_pem,
            },
        )
        .unwrap();
        assert!(token.starts_with("hyper-protect-basic."));
        let key = DecryptionKey::from_pem(&auditor.private_pem).unwrap();
        assert_eq!(
            Token::parse(&token).unwrap().open(&key).unwrap().as_slice(),
            text.as_bytes()
        );
    }

    #[test]
    fn a_time_without_a_date_is_told_all_the_same() {
        assert_eq!(date(0), "Jan 01 00:00:00 1970 UTC");
        assert!(date(i64::MAX).contains("9223372036854775807 s"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "([0-9a-f]{0,70}[ \t]?[a-z:\u{e9} ]{0,20}\n?){0,10}") {
            let _ = parse(&text);
        }
    }
}
