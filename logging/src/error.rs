//! What can go wrong with logging, in words that name the place, the cause and the remedy.
//!
//! No text here carries a key, a certificate or a log line. It never decides whether a failure ends the boot; it only
//! tells which failures may pass by themselves ([`Cause::is_transient`]).

use std::io;

use hpcr_contract::messages::{self, Code};
use rustls::{AlertDescription, CertificateError};

/// Any failure of this crate.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// A certificate or key of the contract cannot be used.
    #[error("env.logging.syslog.{field}: {problem}")]
    Material {
        /// The key under `env.logging.syslog`.
        field: &'static str,
        /// What is wrong with it.
        problem: Material,
    },
    /// The collector cannot be reached, is not the one that the contract means, or does not want us.
    #[error("syslog collector {host}:{port}: {cause}; {}", cause.remedy())]
    Collector {
        /// Host name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// Why.
        cause: Cause,
    },
    /// Lines are still on their way when the time is up.
    #[error("the syslog collector has not taken every line within {} s; see whether it is up and keeps up", limit.as_secs())]
    NotFlushed {
        /// The time that was given.
        limit: std::time::Duration,
    },
    /// A record came after the log was closed.
    #[error("the log is closed; this line came after the end: log before closing")]
    Closed,
    /// A source of lines cannot be read.
    #[error(
        "log source {name}: {error}; lines from it end here: check that the source exists and may be read"
    )]
    Source {
        /// Which source.
        name: String,
        /// What the system said.
        error: io::Error,
    },
}

impl LoggingError {
    /// The message code of this failure.
    pub fn code(&self) -> Code {
        match self {
            Self::Material { problem, .. } => problem.code(),
            Self::Collector { .. } | Self::NotFlushed { .. } | Self::Closed => {
                messages::LOGGING_SYSLOG_FAILED
            }
            Self::Source { .. } => messages::INTERNAL_ERROR,
        }
    }
}

/// What is wrong with a certificate or a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Material {
    /// Text without any PEM block.
    #[error("no PEM block was found; give the text from -----BEGIN to -----END, or its base64")]
    NoPemBlock,
    /// No certificate authority for the collector.
    #[error("no certificate was found; give the authority that signed the collector's certificate")]
    NoServerCertificate,
    /// No certificate of our own.
    #[error("no certificate was found; give the client certificate that belongs to the key")]
    NoClientCertificate,
    /// No key of our own.
    #[error("no private key was found; give the unencrypted key of the client certificate")]
    NoPrivateKey,
    /// A key that cannot be used: encrypted, or of another algorithm.
    #[error(
        "the private key is encrypted or of an unknown type; give an unencrypted PKCS#8 key (openssl pkcs8 -topk8 -nodes)"
    )]
    UnknownKeyType,
    /// A block whose content is damaged.
    #[error("the PEM block is damaged; copy the file again, whole")]
    Damaged,
    /// Certificate and key of different pairs.
    #[error(
        "certificate and key do not belong together; give the key that the certificate was made for"
    )]
    KeyMismatch,
}

impl Material {
    fn code(self) -> Code {
        match self {
            Self::NoPemBlock => messages::LOGGING_MISSING_PEM,
            Self::NoServerCertificate => messages::LOGGING_MISSING_SERVER_CERTIFICATE,
            Self::NoClientCertificate => messages::LOGGING_MISSING_CLIENT_CERTIFICATE,
            Self::NoPrivateKey => messages::LOGGING_MISSING_PRIVATE_KEY,
            Self::UnknownKeyType => messages::LOGGING_UNKNOWN_KEY_TYPE,
            Self::Damaged | Self::KeyMismatch => messages::LOGGING_SYSLOG_FAILED,
        }
    }
}

/// Why there is no connection to a collector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Neither a host name nor an address.
    #[error("this is neither a host name nor an address")]
    BadName,
    /// The name cannot be resolved.
    #[error("the name cannot be resolved")]
    Lookup,
    /// Nobody listens.
    #[error("nothing listens there (connection refused)")]
    Refused,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke.
    #[error("the connection failed ({0})")]
    Broken(io::ErrorKind),
    /// The other side closed the connection without a reason.
    #[error("it closed the connection without saying why")]
    HungUp,
    /// What answers there does not speak TLS.
    #[error("what answers there does not speak TLS")]
    NotTls,
    /// No TLS version or cipher in common.
    #[error("it shares no TLS version or cipher with this guest")]
    NothingInCommon,
    /// Its certificate comes from somewhere else.
    #[error("its certificate is not signed by an authority of this contract")]
    UnknownAuthority,
    /// Its certificate is for another host.
    #[error("its certificate is not for this name or address")]
    WrongName,
    /// Its certificate has expired.
    #[error("its certificate has expired")]
    Expired,
    /// Its certificate is not valid yet.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// Something else is wrong with its certificate.
    #[error("its certificate cannot be used")]
    BadCertificate,
    /// It asks for a client certificate and there is none.
    #[error("it asks for a client certificate and this contract has none")]
    ClientCertificateMissing,
    /// It does not want our certificate.
    #[error("it refused the client certificate (alert {0:?})")]
    ClientCertificateRefused(AlertDescription),
    /// It refused for another reason.
    #[error("it ended the TLS connection (alert {0:?})")]
    Alert(AlertDescription),
}

impl Cause {
    /// Whether trying again may help: nothing that has to do with certificates or protocols does.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Lookup | Self::Refused | Self::Timeout | Self::Broken(_) | Self::HungUp
        )
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::BadName => "correct env.logging.syslog.hostname",
            Self::Lookup => {
                "check env.logging.syslog.hostname and the name server of the network configuration"
            }
            Self::Refused => "start the collector, or correct env.logging.syslog.port",
            Self::Timeout | Self::Broken(_) => {
                "check routes and packet filters between guest and collector"
            }
            Self::HungUp => "see the collector's own log; it may not trust env.logging.syslog.cert",
            Self::NotTls => "give the collector's TLS port in env.logging.syslog.port",
            Self::NothingInCommon => {
                "let the collector offer TLS 1.2 or 1.3 with an AEAD cipher; if it asks for a client certificate, add one"
            }
            Self::UnknownAuthority => {
                "put the authority that signed it into env.logging.syslog.server"
            }
            Self::WrongName => {
                "issue it with a subject alternative name of env.logging.syslog.hostname"
            }
            Self::Expired => "renew the collector's certificate",
            Self::NotYetValid => "check the clocks of guest and collector",
            Self::BadCertificate => {
                "issue the collector an X.509 v3 server certificate with a SHA-2 signature"
            }
            Self::ClientCertificateMissing => "add env.logging.syslog.cert and key",
            Self::ClientCertificateRefused(_) => {
                "issue env.logging.syslog.cert from an authority that the collector trusts, and check its dates"
            }
            Self::Alert(_) => "see the collector's own log",
        }
    }

    /// The cause of a failed read or write, where TLS errors come wrapped.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        if let Some(tls) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            return Self::of_tls(tls);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::Timeout,
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::HungUp,
            kind => Self::Broken(kind),
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(problem) => Self::of_certificate(problem),
            rustls::Error::AlertReceived(alert) => Self::of_alert(*alert),
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            rustls::Error::PeerIncompatible(_) => Self::NothingInCommon,
            _ => Self::Broken(io::ErrorKind::InvalidData),
        }
    }

    fn of_certificate(problem: &CertificateError) -> Self {
        match problem {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            _ => Self::BadCertificate,
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
                Self::ClientCertificateMissing
            }
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError => Self::ClientCertificateRefused(alert),
            AlertDescription::ProtocolVersion
            | AlertDescription::HandshakeFailure
            | AlertDescription::InsufficientSecurity => Self::NothingInCommon,
            other => Self::Alert(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_of_certificates_and_protocols_are_final() {
        for cause in [
            Cause::of_alert(AlertDescription::UnknownCA),
            Cause::of_alert(AlertDescription::CertificateRequired),
            Cause::of_certificate(&CertificateError::UnknownIssuer),
            Cause::of_certificate(&CertificateError::Expired),
            Cause::of_tls(&rustls::Error::InvalidMessage(
                rustls::InvalidMessage::InvalidContentType,
            )),
        ] {
            assert!(!cause.is_transient(), "{cause}");
        }
        for kind in [
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::NetworkUnreachable,
        ] {
            assert!(Cause::of_io(&kind.into()).is_transient(), "{kind}");
        }
    }

    #[test]
    fn a_failed_collector_names_place_cause_and_remedy() {
        let error = LoggingError::Collector {
            host: "logs.example".to_owned(),
            port: 6514,
            cause: Cause::UnknownAuthority,
        };
        assert_eq!(
            error.to_string(),
            "syslog collector logs.example:6514: its certificate is not signed by an authority of this contract; \
             put the authority that signed it into env.logging.syslog.server"
        );
        assert_eq!(error.code().to_string(), "HPL01011E");
    }
}
