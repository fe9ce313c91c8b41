//! Phase 7: the attestation record, signed, sealed to the auditor where the contract names one.
//!
//! The files lie in `/var/hyperprotect`, which is in memory and which containers may read.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use hpcr_contract::attestation::{self, Record, Subject};
use hpcr_contract::image_config::{ImageConfig, ImageKind};
use hpcr_contract::messages;
use hpcr_contract::plan::Plan;
use hpcr_contract::private_key::PrivateKey;
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::cidata::Seed;
use crate::error::Error;
use crate::guest::Guest;
use crate::phases::contract::{Contract, privileged};
use crate::phases::early::Early;
use crate::phases::key;
use crate::phases::time::rfc3339;

/// A record that lies where containers can read it.
#[derive(Debug)]
pub(crate) struct Attested(());

const FOLDER: &str = "/var/hyperprotect";

pub(crate) async fn run(
    guest: &Arc<Guest>,
    early: &Early,
    seed: &Seed,
    contract: &Contract,
) -> Result<Attested, Error> {
    let pem = key::take(guest, &early.config.attestation_key)?;
    let key = PrivateKey::from_pem(&pem).map_err(|source| Error::Key {
        what: "attestation key",
        source,
    })?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let files = files(
        &early.config,
        seed,
        &contract.plan,
        &contract.redacted,
        &key,
        now,
    )?;
    write(&guest.path(FOLDER), &files)?;
    guest.console.say(messages::BOOTLOADER_END, "");
    Ok(Attested(()))
}

/// Every file of the folder. Pure.
fn files(
    config: &ImageConfig,
    seed: &Seed,
    plan: &Plan,
    redacted: &str,
    key: &PrivateKey,
    now: i64,
) -> Result<BTreeMap<&'static str, Vec<u8>>, Error> {
    let expiry = expiry_json(config.encryption_certificate_expires);
    let hash = |bytes: &[u8]| <[u8; 32]>::from(Sha256::digest(bytes));
    let optional = [
        (Subject::MetaData, &seed.meta_data),
        (Subject::VendorData, &seed.vendor_data),
    ];
    let mut hashes = BTreeMap::from([
        (Subject::CertificateExpiry, hash(expiry.as_bytes())),
        (Subject::CidataDevice, seed.hash),
        (Subject::BaseImage, config.base_image),
        (Subject::UserData, hash(&seed.user_data)),
        (Subject::Workload, plan.evidence.workload),
        (Subject::Env, plan.evidence.env),
    ]);
    hashes.extend(
        optional
            .into_iter()
            .filter_map(|(subject, bytes)| Some((subject, hash(bytes.as_deref()?)))),
    );
    hashes.extend(
        plan.evidence
            .auditor
            .as_ref()
            .map(|auditor| (Subject::AuditorKey, auditor.hash)),
    );

    let text = Record {
        version: config.version.clone(),
        machine: None,
        image_age_days: u64::try_from(now.saturating_sub(config.built) / (24 * 60 * 60))
            .unwrap_or(0),
        encryption_certificate_expires: config.encryption_certificate_expires,
        attestation_certificate_expires: None,
        development: config.kind == ImageKind::Development,
        privileged: privileged(plan),
        hashes,
    }
    .text();
    let signature = attestation::sign(&text, key).map_err(Error::Attestation)?;

    let mut files = BTreeMap::from([
        ("se-signature.bin", signature),
        ("se-version", config.version.clone().into_bytes()),
        ("certificate_expiry_date.json", expiry.into_bytes()),
        ("user-data.decrypted", redacted.as_bytes().to_vec()),
    ]);
    match &plan.evidence.auditor {
        Some(auditor) => {
            let sealed = attestation::seal(&text, auditor).map_err(Error::Attestation)?;
            files.insert("se-checksums.txt.enc", sealed.into_bytes());
        }
        None => drop(files.insert("se-checksums.txt", text.into_bytes())),
    }
    files.extend(
        seed.meta_data
            .clone()
            .map(|bytes| ("cidata/meta-data", bytes)),
    );
    files.extend(
        seed.vendor_data
            .clone()
            .map(|bytes| ("cidata/vendor-data", bytes)),
    );
    Ok(files)
}

/// The form of the published images: the end of the encryption certificate.
fn expiry_json(seconds: i64) -> String {
    let value = rfc3339(seconds).map_or_else(
        || serde_json::json!({ "seconds": seconds }),
        |date| serde_json::json!({ "encryption": date }),
    );
    format!("{value}\n")
}

fn write(folder: &Path, files: &BTreeMap<&'static str, Vec<u8>>) -> Result<(), Error> {
    for (name, bytes) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(Error::act("making", parent))?;
        }
        std::fs::write(&path, bytes).map_err(Error::act("writing", &path))?;
        // Containers run as any user and read it; only the guest writes.
        std::fs::set_permissions(&path, Permissions::from_mode(0o444))
            .map_err(Error::act("protecting", &path))?;
    }
    Ok(())
}
