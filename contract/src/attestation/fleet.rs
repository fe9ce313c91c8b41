//! The records of many guests side by side: what no single one of them shows.
//!
//! A record that two guests show was made by one of them at most, and a guest whose image differs from the others' is one
//! that an upgrade forgot, or that somebody put there. Whether each record is good is decided before, one by one.

use std::collections::BTreeMap;

use super::{Checksums, Subject};
use crate::finding::{Finding, Place};
use crate::messages;

/// The most guests of one fleet.
pub const MOST_GUESTS: usize = 4096;

/// A guest, by the record that it shows.
#[derive(Debug, Clone)]
pub struct Guest {
    /// Its name, unique in the fleet.
    pub name: String,
    /// SHA-256 of the record's text in the clear.
    pub record: [u8; 32],
    /// What the record says.
    pub checksums: Checksums,
}

/// Lines that are the same wherever the same image booted.
const IMAGE: [Subject; 3] = [Subject::RootArchive, Subject::BaseImage, Subject::Sbom];

/// What is to be said of guests beside each other: an error where two show one record, a warning where an image differs
/// from that of most. Guests that were all sent one contract may have got the same seed disk, byte for byte, and then
/// attest the same: among those one record for two is a warning.
pub fn compare(guests: &[Guest], one_contract: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut shown: BTreeMap<[u8; 32], Vec<&str>> = BTreeMap::new();
    for guest in guests {
        shown.entry(guest.record).or_default().push(&guest.name);
    }
    // Whose it is, no record says: it is told of all.
    for names in shown.values().filter(|names| names.len() > 1) {
        findings.extend(names.iter().enumerate().map(|(index, name)| {
            let other = names[usize::from(index == 0)];
            let (place, code) = (Place::at(*name, ""), messages::ENCRYPT_ATTESTATION);
            if one_contract {
                return Finding::warning(
                    code,
                    place,
                    format!("{other} shows the same record: both got the same seed disk, or one is shown for two"),
                    "give each guest a meta-data of its own (its name): no two records are the same then",
                );
            }
            Finding::new(
                code,
                place,
                format!("{other} shows the same record: one guest's record is shown for {}", names.len()),
                "get the record of this guest from its own /var/hyperprotect; give each guest a meta-data or contract of its own",
            )
        }));
    }
    let mut images: BTreeMap<Vec<Option<[u8; 32]>>, Vec<&str>> = BTreeMap::new();
    for guest in guests {
        let hash = |subject: &Subject| guest.checksums.hashes.get(subject.name()).copied();
        let image = IMAGE.iter().map(hash).collect();
        images.entry(image).or_default().push(&guest.name);
    }
    // Of two as many, the first by name stands for the fleet.
    let most = images.values().max_by(|one, other| {
        let by_number = one.len().cmp(&other.len());
        by_number.then_with(|| other.first().cmp(&one.first()))
    });
    let Some(most) = most.cloned() else {
        return findings;
    };
    for others in images.values().filter(|names| **names != most) {
        findings.extend(others.iter().map(|name| {
            Finding::warning(
                messages::ENCRYPT_ATTESTATION,
                Place::at(*name, ""),
                format!(
                    "it runs another image than {} of the {} guests",
                    most.len(),
                    guests.len()
                ),
                "upgrade it, if an upgrade is not under way; compare `baseimage` with the image that you built",
            )
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(name: &str, record: u8, image: Option<u8>) -> Guest {
        let image = image.map(|image| (Subject::BaseImage.name().to_owned(), [image; 32]));
        Guest {
            name: name.to_owned(),
            record: [record; 32],
            checksums: Checksums {
                version: None,
                development: false,
                hashes: image.into_iter().collect(),
            },
        }
    }

    fn told(guests: &[Guest]) -> Vec<String> {
        let told = |one: &Finding| format!("{:?} {}: {}", one.level, one.place.file, one.cause);
        compare(guests, false).iter().map(told).collect()
    }

    #[test]
    fn a_record_that_two_guests_show_and_an_image_that_differs_are_told() {
        assert!(told(&[]).is_empty());
        assert!(told(&[guest("a", 1, Some(1)), guest("b", 2, Some(1))]).is_empty());
        assert_eq!(
            told(&[
                guest("a", 1, Some(1)),
                guest("b", 2, Some(1)),
                guest("c", 1, Some(1))
            ]),
            [
                "Error a: c shows the same record: one guest's record is shown for 2",
                "Error c: a shows the same record: one guest's record is shown for 2",
            ]
        );
        let alike = compare(&[guest("a", 1, Some(1)), guest("b", 1, Some(1))], true);
        assert!(!alike[0].stops() && alike.len() == 2);
        for other in [Some(2), None] {
            assert_eq!(
                told(&[
                    guest("a", 1, other),
                    guest("b", 2, Some(1)),
                    guest("c", 3, Some(1))
                ]),
                ["Warning a: it runs another image than 2 of the 3 guests"]
            );
        }
        assert_eq!(
            told(&[guest("a", 1, Some(9)), guest("b", 2, Some(1))]),
            ["Warning b: it runs another image than 1 of the 2 guests"]
        );
    }
}
