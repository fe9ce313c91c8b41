//! `hpcr_tgz` and `hpcr_tgz_encrypted`: a folder as the archive of `compose.archive` and `play.archive`.
//!
//! The folder is read again at each plan, so that a file that changed is seen; another resource may write it during the
//! apply, so a plan tells nothing of what is in it, and asks for nothing. As published, `sha256_in` is the digest of the
//! folder's name.

use hpcr_contract::tgz;
use zeroize::Zeroizing;

use super::content::{Clear, Content, Sealed};
use crate::diagnostic::Diagnostic;
use crate::folder;
use crate::resource::Failed;
use crate::resource::recipe::Made;
use crate::schema::Attribute;
use crate::value::kind::Kind;
use crate::value::path::Path;

/// The archive of a folder.
pub(crate) static TGZ: Made<Clear<Folder>> = Made(Clear {
    name: "hpcr_tgz",
    description: "A folder as base64 of a reproducible tar.gz, for compose.archive and play.archive.",
    content: Folder,
});

/// The archive of a folder, sealed.
pub(crate) static TGZ_ENCRYPTED: Made<Sealed<Folder>> = Made(Sealed {
    name: "hpcr_tgz_encrypted",
    description: "A folder as base64 of a reproducible tar.gz, sealed for an image: one token.",
    content: Folder,
});

/// A folder by its name.
pub(crate) struct Folder;

impl Content for Folder {
    fn input(&self) -> Attribute {
        let description = "The folder, with docker-compose.yaml or Pods at its top; relative to where Terraform runs.";
        Attribute::required("folder", Kind::Text, description)
    }

    fn check(&self, given: &str, place: Path) -> Vec<Diagnostic> {
        folder::missing(given, place).into_iter().collect()
    }

    fn encoded(&self, given: &str) -> Result<String, Failed> {
        folder::pack(given, Path::of("folder")).map_err(|found| vec![found])
    }

    fn plain(&self, given: &str) -> Result<Zeroizing<Vec<u8>>, Failed> {
        self.encoded(given)
            .map(|text| Zeroizing::new(text.into_bytes()))
    }

    fn elsewhere(&self, given: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Failed> {
        match folder::missing(given, Path::of("folder")) {
            Some(_) => Ok(None),
            None => self.plain(given).map(Some),
        }
    }

    fn says(&self, rendered: &str, now: &str) -> bool {
        tgz::hold_the_same_files(rendered, now)
    }
}
