//! The texts that places lie in, so that a tool can show the line that a finding is about.
//!
//! They hold everything that the contract holds, secrets too: whoever shows a line masks its values. The guest never
//! makes one of these.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use crate::finding::{Finding, Place};
use crate::opening::{self, Keys};
use crate::schema::Section;
use crate::user_data::{Part, Text, UserData};
use crate::workload::archive::{Unpacked, Way};
use crate::yaml::Document;

/// Texts by the files that lead to them, outermost first.
#[derive(Default)]
pub struct Sources(BTreeMap<Vec<String>, Zeroizing<String>>);

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Sources {
    /// The texts of a contract that findings lie in: its own, those of the sections that the keys open, and the files of
    /// its archives. What cannot be read is left out; what is sealed is opened again only for a finding in it, and what is
    /// within the contract is read again only for a finding there. `unpacked` is what a review of the same contract has.
    pub fn of_contract<'k>(
        bytes: &[u8],
        name: &str,
        keys: impl Into<Keys<'k>>,
        findings: &[Finding],
        unpacked: &Unpacked,
    ) -> Self {
        let keys = keys.into();
        let is_meant = |section: Section| {
            let mut places = findings.iter().map(|finding| finding.place.chain());
            places.any(|chain| {
                chain
                    .get(1)
                    .is_some_and(|place| place.file == section.name())
            })
        };
        let mut sources = Self::default();
        sources.keep(vec![name.to_owned()], bytes);
        let is_deep = |finding: &Finding| finding.place.chain().len() > 1;
        if !findings.iter().any(is_deep) {
            return sources;
        }
        if let Ok(UserData {
            workload,
            env,
            places,
            ..
        }) = UserData::parse(bytes, name)
        {
            for (section, part, place) in [
                (Section::Workload, workload, places.workload),
                (Section::Env, env, places.env),
            ] {
                // An archive in an env section is none of the workload's.
                let unpacked = match section {
                    Section::Workload => unpacked.clone(),
                    Section::Env => Unpacked::default(),
                };
                let unpacked = &unpacked;
                match part {
                    Part::Mapping(document) => sources.archives(&[name], &document, unpacked),
                    Part::Text(text, _) if text.is_sealed() && !is_meant(section) => {}
                    Part::Text(text, _) => {
                        sources.section(section, name, &text, (keys, &place), unpacked);
                    }
                }
            }
        }
        sources
    }

    /// The texts of a section on its own.
    pub fn of_section<'k>(
        section: Section,
        bytes: &[u8],
        name: &str,
        keys: impl Into<Keys<'k>>,
    ) -> Self {
        let keys = keys.into();
        let mut sources = Self::default();
        sources.keep(vec![name.to_owned()], bytes);
        if let Ok(text) = std::str::from_utf8(bytes) {
            let (text, place) = (Text::new(text), Place::at(name, ""));
            sources.section(section, name, &text, (keys, &place), &Unpacked::default());
        }
        sources
    }

    /// The text of a file that holds nothing else.
    pub fn of_file(bytes: &[u8], name: &str) -> Self {
        let mut sources = Self::default();
        sources.keep(vec![name.to_owned()], bytes);
        sources
    }

    /// Takes in the texts of another input.
    pub fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The text that a place lies in.
    pub fn text(&self, place: &Place) -> Option<&str> {
        let chain: Vec<_> = place.chain().iter().map(|one| one.file.clone()).collect();
        self.0.get(&chain).map(|text| text.as_str())
    }

    /// The line that a place lies on.
    pub fn line(&self, place: &Place) -> Option<&str> {
        let above = usize::try_from(place.line?).ok()?.checked_sub(1)?;
        self.text(place)?.lines().nth(above)
    }

    fn section(
        &mut self,
        section: Section,
        name: &str,
        read: &Text,
        (keys, place): (Keys<'_>, &Place),
        unpacked: &Unpacked,
    ) {
        let Ok(opening::Clear { text: clear, .. }) = opening::clear(read, keys, place) else {
            return;
        };
        let chain = if read.is_sealed() {
            &[name, section.name()][..]
        } else {
            &[name][..]
        };
        if read.is_sealed() {
            self.keep(owned(chain), clear.as_bytes());
        }
        if let Ok(document) = Document::parse(
            &clear,
            section.name(),
            crate::messages::SCHEMA_PARSE_CONTRACT,
        ) {
            self.archives(chain, &document, unpacked);
        }
    }

    /// The files of the archives of a section.
    fn archives(&mut self, chain: &[&str], document: &Document, unpacked: &Unpacked) {
        for way in Way::ALL {
            let files = unpacked.files(way, document).and_then(Result::ok);
            for (path, file) in files.into_iter().flatten() {
                let mut chain = owned(chain);
                chain.push(path.clone());
                self.keep(chain, &file.bytes);
            }
        }
    }

    fn keep(&mut self, chain: Vec<String>, bytes: &[u8]) {
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.0.insert(chain, Zeroizing::new(text.to_owned()));
        }
    }
}

fn owned(chain: &[&str]) -> Vec<String> {
    chain.iter().map(|file| (*file).to_owned()).collect()
}

#[cfg(test)]
mod tests;
