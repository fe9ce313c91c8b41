//! What can go wrong in the guest, with a message code and words for the person who has to mend it.
//!
//! Every error has two texts: the full one, for the collector and for the console of a development image, and a public
//! one without any value of the contract, for the console of a production image, which the host reads.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use hpcr_container::ContainerError;
use hpcr_contract::disclosure::Told;
use hpcr_contract::error::ContractError;
use hpcr_contract::finding::Finding;
use hpcr_contract::image_config::ImageKind;
use hpcr_contract::messages::{self, Code};
use hpcr_disk::DiskError;
use hpcr_logging::LoggingError;

use crate::cidata::SeedError;

/// Why the boot goes no further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Something of the kernel or the image that has to work did not.
    #[error("{act} {}: {source}; the image or the platform is broken: report it with the console", path.display())]
    Act {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file that fixes what this image is cannot be understood.
    #[error("the image configuration cannot be read: {0}; build the image again")]
    ImageConfig(#[from] serde_json::Error),
    /// Too little memory.
    #[error("the guest has {have} MiB of memory and needs {need} MiB; give it more")]
    Memory {
        /// MiB that there are.
        have: u64,
        /// MiB that the image asks for.
        need: u64,
    },
    /// No usable seed device.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The network configuration of the seed device is wrong.
    #[error("{}", in_one_line(.0))]
    NetworkConfig(Vec<Finding>),
    /// The network cannot be set up.
    #[error("{0}")]
    Network(String),
    /// A key inside the image cannot be used.
    #[error("the {what} of this image cannot be used: {source}")]
    Key {
        /// Which key.
        what: &'static str,
        /// Why.
        source: ContractError,
    },
    /// The contract was rejected. The lines are what this image may tell of it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Rejected(Vec<Told>),
    /// The attestation record could not be made.
    #[error("{0}; check attestationPublicKey")]
    Attestation(ContractError),
    /// The contract has ended.
    #[error(
        "its signing certificate ended at {ended}, and the host's clock says {now}; sign it with a new certificate, or correct the clock"
    )]
    Expired {
        /// RFC 3339.
        ended: String,
        /// RFC 3339.
        now: String,
    },
    /// The collector.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// A disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Images and containers.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// A phase took too long.
    #[error("it was not done within {} s; see the lines before this one for what it was waiting for", .0.as_secs())]
    TooLate(Duration),
    /// A bug, caught.
    #[error("the appliance met a bug ({0}); report it with the console")]
    Bug(String),
}

/// The first few of all that is wrong: the console is slow.
fn in_one_line(findings: &[Finding]) -> String {
    let told =
        |finding: &Finding| format!("{}: {}; {}", finding.place, finding.cause, finding.remedy);
    findings
        .iter()
        .take(5)
        .map(told)
        .collect::<Vec<_>>()
        .join(". ")
}

impl Error {
    /// Wraps an error of the kernel: `.map_err(Error::act("mounting", path))`.
    pub(crate) fn act<E: Into<io::Error>>(
        act: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |source| Self::Act {
            act,
            path,
            source: source.into(),
        }
    }

    /// The message code; `phase` is the code of the phase, for what has none of its own.
    pub(crate) fn code(&self, phase: Code) -> Code {
        match self {
            Self::Act { .. } | Self::ImageConfig(_) | Self::Key { .. } | Self::Bug(_) => {
                messages::INTERNAL_ERROR
            }
            Self::Memory { .. } => messages::INSUFFICIENT_MEMORY,
            Self::Seed(_) | Self::Rejected(_) => messages::INVALID_CONTRACT,
            Self::NetworkConfig(_) | Self::Network(_) => messages::NETWORK_FAILED,
            Self::Attestation(_) => messages::ENCRYPT_ATTESTATION,
            Self::Expired { .. } => messages::CONTRACT_EXPIRED,
            Self::Logging(error) => error.code(),
            Self::Disk(error) => error.code(),
            Self::Container(error) => error.code(),
            Self::TooLate(_) => phase,
        }
    }

    /// The lines with everything in them.
    pub(crate) fn full(&self, phase: Code) -> Vec<Told> {
        match self {
            Self::Rejected(told) => told.clone(),
            _ => vec![line(self.code(phase), Some(&self.to_string()))],
        }
    }

    /// The lines that the console may show.
    pub(crate) fn for_console(&self, phase: Code, kind: ImageKind) -> Vec<Told> {
        let code = self.code(phase);
        match (kind, self) {
            (ImageKind::Production, Self::Container(_) | Self::Disk(_)) => {
                vec![line(code, Some("the collector has the cause"))]
            }
            (ImageKind::Production, Self::Logging(LoggingError::Collector { cause, .. })) => {
                vec![line(code, Some(&format!("{cause}; {}", cause.remedy())))]
            }
            _ => self.full(phase),
        }
    }
}

/// A console line: the catalogue's text, then the cause.
fn line(code: Code, cause: Option<&str>) -> Told {
    let text = code.entry().map_or("", |entry| entry.text);
    Told {
        code,
        text: cause.map_or_else(|| text.to_owned(), |cause| format!("{text}: {cause}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hpcr_logging::Cause;

    #[test]
    fn a_production_console_names_no_value_of_the_contract() {
        let error = Error::Logging(LoggingError::Collector {
            host: "logs.secret.example".to_owned(),
            port: 6514,
            cause: Cause::UnknownAuthority,
        });
        let show = |kind| error.for_console(messages::INTERNAL_ERROR, kind)[0].to_string();
        assert!(show(ImageKind::Development).contains("logs.secret.example"));
        let public = show(ImageKind::Production);
        assert!(!public.contains("secret"), "{public}");
        assert!(
            public.starts_with(
                "HPL01011E: logging: the syslog collector cannot be used: its certificate"
            ),
            "{public}"
        );
    }

    #[test]
    fn what_has_no_code_of_its_own_gets_the_phases() {
        let late = Error::TooLate(Duration::from_secs(20));
        assert_eq!(
            late.full(messages::NETWORK_TIMEOUT)[0].to_string(),
            "HPL14002E: the network was not ready in time: it was not done within 20 s; \
             see the lines before this one for what it was waiting for"
        );
    }
}
