//! The digests that a record must hold of a contract, for the auditor who has the contract that was sent.
//!
//! Images hash a section in the clear. Makers of contracts do not agree on white space around it: some seal it as it
//! stands, some trim it first, so any of these forms of the same text is a match.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Checksums, Subject};
use crate::certificate::PublicKey;
use crate::finding::{Finding, Place};
use crate::opening::{self, Keys};
use crate::user_data::{Part, Text, UserData};
use crate::yaml::{self, Document};

/// What a line of a record should hold: one of these.
type Forms = BTreeSet<[u8; 32]>;

/// Digests by the name that a record has for them.
#[derive(Debug, Clone, Default)]
pub struct Digests(BTreeMap<String, Forms>);

/// A line of a record against what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The name of the line.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The record holds the digest of what is known.
    Matches,
    /// The record holds another digest: it is of another contract or file.
    Differs,
    /// The record has no such line.
    Missing,
    /// Nothing is known that this line could be compared with.
    Unknown,
}

impl Digests {
    /// Digests of a contract as it was sent: of its bytes, its sections, and the auditor's key. Sealed parts are opened
    /// with the key; without one they stay unknown.
    pub fn of_contract<'k>(
        bytes: &[u8],
        file: &str,
        keys: impl Into<Keys<'k>>,
    ) -> Result<Self, Vec<Finding>> {
        let keys = keys.into();
        let read = UserData::parse(bytes, file)?;
        let mut digests = Self::default();
        let mut findings = Vec::new();
        digests.add(Subject::UserData, bytes);
        for (subject, part, place) in [
            (Subject::Workload, read.workload, &read.places.workload),
            (Subject::Env, read.env, &read.places.env),
        ] {
            match part {
                Part::Mapping(document) => digests.insert(subject, [of_mapping(&document)]),
                Part::Text(text, _) if keys.suffice_for(&text) => {
                    match opening::clear(&text, keys, place) {
                        Ok(clear) => digests.insert(subject, forms(&clear.text)),
                        Err(finding) => findings.push(finding),
                    }
                }
                Part::Text(..) => {}
            }
        }
        if let Some(text) = read.auditor.filter(|text| keys.suffice_for(text)) {
            match auditor(&text, keys, &read.places.auditor) {
                Ok(forms) => digests.insert(Subject::AuditorKey, forms),
                Err(found) => findings.extend(found),
            }
        }
        if findings.is_empty() {
            Ok(digests)
        } else {
            Err(findings)
        }
    }

    /// Adds the digest of a file, such as `vendor-data` or an image.
    pub fn add(&mut self, subject: Subject, bytes: &[u8]) {
        self.insert(subject, [digest(bytes)]);
    }

    fn insert(&mut self, subject: Subject, forms: impl IntoIterator<Item = [u8; 32]>) {
        self.0
            .entry(subject.name().to_owned())
            .or_default()
            .extend(forms);
    }

    /// Every line of the record and every digest that is known, one beside the other, by name.
    pub fn compare(&self, record: &Checksums) -> Vec<Compared> {
        let names: BTreeSet<_> = self.0.keys().chain(record.hashes.keys()).collect();
        names
            .into_iter()
            .map(|name| Compared {
                name: name.clone(),
                verdict: match (self.0.get(name), record.hashes.get(name)) {
                    (Some(forms), Some(hash)) if forms.contains(hash) => Verdict::Matches,
                    (Some(_), Some(_)) => Verdict::Differs,
                    (Some(_), None) => Verdict::Missing,
                    (None, _) => Verdict::Unknown,
                },
            })
            .collect()
    }
}

/// SHA-256 of a section that is a mapping: of its JSON with sorted keys and without spaces.
pub(crate) fn of_mapping(document: &Document) -> [u8; 32] {
    let mut json = document.to_json();
    let text = Zeroizing::new(json.to_string());
    yaml::wipe(&mut json);
    digest(text.as_bytes())
}

fn auditor(text: &Text, keys: Keys<'_>, place: &Place) -> Result<Vec<[u8; 32]>, Vec<Finding>> {
    let clear = opening::clear(text, keys, place)
        .map_err(|finding| vec![finding])?
        .text;
    let public =
        PublicKey::parse(clear.as_bytes()).map_err(|error| vec![error.at(place.clone())])?;
    let pem = String::from_utf8_lossy(public.pem());
    Ok([forms(&clear), forms(&pem)].concat())
}

/// A text as it stands, without the line's end at its end, and without white space around it.
fn forms(text: &str) -> Vec<[u8; 32]> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    [text, line, text.trim()]
        .map(|form| digest(form.as_bytes()))
        .to_vec()
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::parse;
    use super::*;
    use crate::testing::KeyPair;
    use crate::token::openssl::{DecryptionKey, Prefix, seal};

    const WORKLOAD: &str = "type: workload\ncompose: {archive: H4sIAAAA}\n";

    fn record(lines: &[(&str, &[u8])]) -> Checksums {
        let lines: Vec<_> = lines
            .iter()
            .map(|(name, bytes)| format!("{} {name}", hex::encode(digest(bytes))))
            .collect();
        parse(&lines.join("\n")).unwrap()
    }

    fn verdicts(digests: &Digests, record: &Checksums) -> Vec<(String, Verdict)> {
        let compared = digests.compare(record).into_iter();
        compared.map(|one| (one.name, one.verdict)).collect()
    }

    #[test]
    fn a_record_matches_the_contract_that_was_sent_line_by_line() {
        let (image, auditor) = (KeyPair::rsa(2048), KeyPair::rsa(2048));
        let public = PublicKey::parse(&image.public_pem).unwrap();
        let workload = seal(WORKLOAD.as_bytes(), &public, Prefix::ContractBasic).unwrap();
        let pem = String::from_utf8(auditor.public_pem).unwrap();
        let contract = format!(
            "workload: {workload}\nenv: {{b: 1, a: x}}\nattestationPublicKey: |\n  {}\n",
            pem.trim().replace('\n', "\n  ")
        );
        let told = record(&[
            ("cidata/user-data", contract.as_bytes()),
            ("workload", WORKLOAD.trim().as_bytes()),
            ("contract: env", br#"{"a":"x","b":1}"#),
            ("contract:attestationPublicKey", pem.trim().as_bytes()),
            ("baseimage", b"image"),
        ]);
        let key = DecryptionKey::from_pem(&image.private_pem).unwrap();
        let mut digests = Digests::of_contract(contract.as_bytes(), "c", Some(&key)).unwrap();
        digests.add(Subject::VendorData, b"vendor");
        let expected = |workload, auditor| {
            [
                ("baseimage".to_owned(), Verdict::Unknown),
                ("cidata/user-data".to_owned(), Verdict::Matches),
                ("cidata/vendor-data".to_owned(), Verdict::Missing),
                ("contract:attestationPublicKey".to_owned(), auditor),
                ("contract:env".to_owned(), Verdict::Matches),
                ("contract:workload".to_owned(), workload),
            ]
        };
        assert_eq!(
            verdicts(&digests, &told),
            expected(Verdict::Matches, Verdict::Matches)
        );
        // Without a key the sealed section is unknown, and the rest is compared all the same.
        let mut digests = Digests::of_contract(contract.as_bytes(), "c", None).unwrap();
        digests.add(Subject::VendorData, b"vendor");
        assert_eq!(
            verdicts(&digests, &told),
            expected(Verdict::Unknown, Verdict::Matches)
        );
        let other = record(&[("workload", b"other"), ("env", b"other")]);
        assert!(
            verdicts(&digests, &other).contains(&("contract:env".to_owned(), Verdict::Differs))
        );
        let wrong = DecryptionKey::from_pem(&KeyPair::rsa(2048).private_pem).unwrap();
        // Once in 256 times noise has a padding, and nearly never is it text.
        assert!(Digests::of_contract(contract.as_bytes(), "c", Some(&wrong)).is_err());
    }
}
