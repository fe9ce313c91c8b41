//! What can go wrong here, in words for the person who has to mend it, each with its message code.
//!
//! A text names a registry, an image, a service or a path; it never carries a credential or a value of an environment.

use std::fmt;
use std::path::PathBuf;

use hpcr_contract::messages::{self, Code};

/// Why images could not be had or containers not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// A registry answered a digest with other bytes.
    #[error(
        "image {image}: the {part} does not have the digest {expected}, and nothing of it was kept; push the image again, or \
         correct the digest in the contract"
    )]
    Mismatch {
        /// Registry, repository and digest.
        image: String,
        /// Which part of it.
        part: Part,
        /// The digest it should have, `sha256:...`.
        expected: String,
    },
    /// The bytes have their digest, but are no image that can be run.
    #[error(
        "image {image}: the {part} cannot be used: {cause}; build the image again with a current tool"
    )]
    Malformed {
        /// Registry, repository and digest.
        image: String,
        /// Which part of it.
        part: Part,
        /// What is wrong with it.
        cause: String,
    },
    /// The image is made for other machines.
    #[error(
        "image {image}: there is no variant for {platform}; build the image for it, or name the digest of one that is"
    )]
    Platform {
        /// Registry, repository and digest.
        image: String,
        /// Operating system and architecture of this guest (`linux/amd64`).
        platform: String,
    },
    /// A registry could not be used.
    #[error("registry {registry}: {fault}")]
    Registry {
        /// Host and port.
        registry: String,
        /// What happened.
        fault: RegistryFault,
    },
    /// No certificate authority to check a registry with.
    #[error(
        "registry certificates cannot be checked: {cause}; give the authority in env.cacerts as base64 of its PEM certificate"
    )]
    Authorities {
        /// Which entry, or that there is none.
        cause: String,
    },
    /// The TLS library is not set up.
    #[error(
        "no TLS provider is installed in this process, or it cannot be used: {cause}; report it with the console"
    )]
    Tls {
        /// What it said.
        cause: String,
    },
    /// The store for images or containers could not be read or written.
    #[error("{path}: {act} failed: {cause}; check the size of the scratch disk", path = path.display())]
    Store {
        /// Where.
        path: PathBuf,
        /// What was tried.
        act: &'static str,
        /// What the kernel said.
        cause: std::io::Error,
    },
    /// A service cannot be set up or run.
    #[error("service {service}: {act}: {cause}")]
    Service {
        /// Its name.
        service: String,
        /// What was tried.
        act: &'static str,
        /// Why it failed, with the remedy where there is one.
        cause: String,
    },
}

impl ContainerError {
    /// The message code for the console and the collector.
    pub fn code(&self) -> Code {
        match self {
            Self::Mismatch { .. } | Self::Malformed { .. } => messages::IMAGE_MISMATCH,
            Self::Platform { .. }
            | Self::Registry { .. }
            | Self::Authorities { .. }
            | Self::Tls { .. }
            | Self::Store { .. } => messages::IMAGE_FETCH_FAILED,
            Self::Service { .. } => messages::CONTAINER_FAILED,
        }
    }
}

/// A part of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The manifest, or the index that leads to it.
    Manifest,
    /// The configuration.
    Config,
    /// A layer as it is sent.
    Layer,
    /// A layer after decompression, known by its diff-id.
    UnpackedLayer,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manifest => "manifest",
            Self::Config => "configuration",
            Self::Layer => "layer",
            Self::UnpackedLayer => "unpacked layer",
        })
    }
}

/// What a registry did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryFault {
    /// HTTP 401 or 403, or its token service refused.
    #[error(
        "access was refused (HTTP {status}); check the user name, the password and their rights in the contract's auths"
    )]
    Unauthorized {
        /// HTTP status.
        status: u16,
    },
    /// HTTP 404.
    #[error(
        "{what} is not there (HTTP 404); check the repository and the digest, and that the image was pushed"
    )]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// Any other status.
    #[error("{what} was answered with HTTP {status}; see the registry's own log")]
    Status {
        /// What was asked for.
        what: String,
        /// HTTP status.
        status: u16,
    },
    /// Its certificate is not accepted.
    #[error(
        "its certificate is not accepted: {cause}; give its authority in env.cacerts, and the host name that the certificate carries"
    )]
    Certificate {
        /// What the check said.
        cause: String,
    },
    /// No answer, or an answer that broke off.
    #[error("no answer: {cause}; check the host, the port and that the guest can reach it")]
    Unreachable {
        /// The last cause.
        cause: String,
    },
    /// An answer that is no registry's.
    #[error(
        "{what} was answered in a way that no registry does: {cause}; check that a registry answers there"
    )]
    Protocol {
        /// What was asked for.
        what: String,
        /// What was wrong.
        cause: String,
    },
}

impl RegistryFault {
    /// Whether another try may help.
    pub(crate) fn transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }
}
