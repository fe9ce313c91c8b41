//! The writer of the attestation record.
//!
//! The lines and their order are those of HPCR 26.7.1. Ours differ in three ways that its readers, who look for a hash at
//! the start of a line, pass over: what a platform does not have is left out, an image for development says so, and
//! containers with all privileges are named. Nothing here measures anything; hashes and times are given.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::{DEVELOPMENT, Subject};

/// `Jul 06 06:44:41 2027 UTC`.
const DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[month repr:short] [day] [hour]:[minute]:[second] [year] UTC");

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
pub(super) fn date(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|time| time.format(DATE).ok())
        .unwrap_or_else(|| format!("{seconds} s since 1970 UTC"))
}
