//! The archives of a workload section, each unpacked when its files are first asked for and then kept: whoever comes
//! after, to plan or to look for secrets, takes what is there.
//!
//! A guest asks when it plans, and never before somebody vouches for the contract.

use std::sync::{Arc, OnceLock};

use super::{Files, Problem, files};
use crate::yaml::Document;

/// Where a workload section has an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `compose.archive`.
    Compose,
    /// `play.archive`.
    Play,
}

impl Way {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Compose, Self::Play];

    /// The key of the section.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Compose => "compose",
            Self::Play => "play",
        }
    }

    /// The JSON pointer of the archive in the section.
    pub(crate) fn pointer(self) -> &'static str {
        match self {
            Self::Compose => "/compose/archive",
            Self::Play => "/play/archive",
        }
    }

    /// The archive as the section has it.
    pub(crate) fn text(self, section: &Document) -> Option<&str> {
        section.root().get(self.name())?.get("archive")?.text()
    }
}

/// What has been unpacked of one section. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Unpacked(Arc<[OnceLock<Result<Files, Problem>>; Way::ALL.len()]>);

impl Unpacked {
    /// The files of an archive of the section that this belongs to; none where it has none.
    pub(crate) fn files(&self, way: Way, section: &Document) -> Option<Result<&Files, &Problem>> {
        let text = way.text(section)?;
        Some(self.0[way as usize].get_or_init(|| files(text)).as_ref())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::messages::SCHEMA_PARSE_CONTRACT;
    use crate::testing::targz;

    #[test]
    fn an_archive_is_unpacked_once() {
        let packed = STANDARD.encode(targz(&[("docker-compose.yaml", b"services: {}")]));
        let text = format!("compose: {{archive: {packed}}}\nplay: {{archive: hunter2}}");
        let section = Document::parse(&text, "workload", SCHEMA_PARSE_CONTRACT).unwrap();
        let unpacked = Unpacked::default();
        let first = unpacked.files(Way::Compose, &section).unwrap().unwrap();
        let again = unpacked.files(Way::Compose, &section).unwrap().unwrap();
        assert!(std::ptr::eq(first, again) && first.len() == 1);
        let wrong = unpacked.files(Way::Play, &section).unwrap();
        assert_eq!(wrong.unwrap_err(), &Problem::Base64);
    }
}
