//! What apt's signed index says of a package: its name, version, file and digest. It fetches nothing.

use crate::{Error, Result};

/// A package as the index has it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) file: String,
    pub(super) size: u64,
    /// Empty where apt told another hash: `install` does, `download` gives SHA-256.
    pub(super) sha256: String,
}

impl Candidate {
    /// Reads what apt-get prints with `--print-uris`.
    pub(super) fn parse_all(answer: &str) -> Result<Vec<Self>> {
        answer
            .lines()
            .filter(|line| line.starts_with('\''))
            .map(Self::parse)
            .collect()
    }

    /// The name for apt that means this version only.
    pub(super) fn pinned(&self) -> String {
        format!("{}={}", self.name, self.version)
    }

    /// Reads a line: `'URI' NAME_VERSION_ARCH.deb SIZE HASH:VALUE`, with `%3a` for `:`.
    fn parse(line: &str) -> Result<Self> {
        let parse = || {
            let mut words = line.split_whitespace().skip(1);
            let file = words.next().filter(|file| !file.contains('/'))?;
            let size = words.next()?.parse().ok()?;
            let sha256 = words
                .next()
                .and_then(|hash| hash.strip_prefix("SHA256:"))
                .unwrap_or_default();
            let mut parts = file.strip_suffix(".deb")?.split('_');
            let name = parts.next()?;
            let version = parts.next()?.replace("%3a", ":");
            Some(Self {
                name: name.to_owned(),
                version,
                file: file.to_owned(),
                size,
                sha256: sha256.to_owned(),
            })
        };
        parse().ok_or_else(|| Error::Answer {
            program: "apt-get",
            answer: line.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_of_print_uris_gives_name_version_and_digest() {
        let line = "'http://a.example/pool/main/a/attr/libattr1_2.5.2-3_amd64.deb' libattr1_1%3a2.5.2-3_amd64.deb 22876 SHA256:ab12";
        let candidate = Candidate::parse(line).unwrap();
        assert_eq!(
            (candidate.name.as_str(), candidate.version.as_str()),
            ("libattr1", "1:2.5.2-3")
        );
        assert_eq!((candidate.size, candidate.sha256.as_str()), (22876, "ab12"));
    }

    #[test]
    fn a_file_name_with_a_way_out_is_refused() {
        for line in [
            "'http://a.example/x.deb' ../../x_1_amd64.deb 1 SHA256:ab",
            "'http://a.example/x.deb'",
            "'u' x.rpm 1 SHA256:ab",
        ] {
            assert!(
                matches!(Candidate::parse(line), Err(Error::Answer { .. })),
                "{line}"
            );
        }
    }
}
