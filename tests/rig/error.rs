//! What can go wrong with a rig, said so that the person at the terminal can act on it.

use std::{io, path::PathBuf, time::Duration};

/// The result of everything in the rig.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a rig did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, socket or mount refused.
    #[error("{what}: {source}")]
    Io {
        /// The act, with its object.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program is not there, or cannot be started.
    #[error("`{program}` cannot be started: {source}; `make setup` installs what the rig needs")]
    Start {
        /// Its name.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program ran and failed.
    #[error("`{program}` failed ({status}): {output}")]
    Failed {
        /// Its name.
        program: String,
        /// Exit status or signal.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// The host lets nobody make namespaces.
    #[error(
        "no network namespace can be made here: {0}; allow unprivileged user namespaces \
         (sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0), or run as root"
    )]
    NoNamespace(String),
    /// Something awaited did not come.
    #[error("{what} did not come within {} s{hint}", limit.as_secs())]
    TooLate {
        /// What was awaited.
        what: String,
        /// For how long.
        limit: Duration,
        /// What was seen instead, starting with a line break, or nothing.
        hint: String,
    },
    /// The registry refused.
    #[error("the registry: {0}")]
    Registry(#[from] oci_client::errors::OciDistributionError),
    /// There is no guest image.
    #[error("{}: no guest image; `make image` builds it", .0.display())]
    NoImage(PathBuf),
    /// The image builder refused.
    #[error(transparent)]
    Image(#[from] hpcr_image::Error),
    /// A promise of the appliance does not hold.
    #[error("not as promised: {0}")]
    Broken(String),
}

impl Error {
    /// Names the act that an [`io::Error`] belongs to: `.map_err(Error::io("reading the console"))`.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// Adds what was seen instead of what was awaited.
    #[must_use]
    pub fn with_hint(self, seen: &str) -> Self {
        match self {
            Self::TooLate { what, limit, hint } if !seen.is_empty() => Self::TooLate {
                what,
                limit,
                hint: format!("{hint}; seen instead:\n{seen}"),
            },
            other => other,
        }
    }
}
