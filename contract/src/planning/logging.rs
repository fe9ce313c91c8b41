//! The one mandatory sink of the guest's lines.
//!
//! Certificates are parsed here, so that a collector that can never be reached is found before the guest boots; they
//! are not checked against a clock.

use openssl::pkey::{PKeyRef, Private};
use openssl::x509::X509Ref;

use super::{Part, refuse, refuse_as};
use crate::finding::{Finding, Level, both};
use crate::messages::{self, Code};
use crate::pem::{self, Problem};
use crate::plan;
use crate::secret::ExposeSecret as _;
use crate::sections::env::EnvSection;
use crate::sections::logging::Syslog;
use crate::yaml::Document;

/// RFC 5425, section 4.1; the published schema's 514 is the port of plain UDP.
const SYSLOG_PORT: u16 = 6514;

/// Reads `env.logging`.
pub(super) fn sink(env: &Part<'_, EnvSection>) -> Result<plan::Syslog, Vec<Finding>> {
    let reader = Reader {
        document: env.document,
    };
    let unsupported = |key: &str| {
        let cause = format!("`{key}` is not supported");
        let remedy =
            "name a syslog collector (`logging.syslog`): this version ships lines to no other";
        let pointer = format!("/logging/{key}");
        Err(vec![
            refuse(env.document, &pointer, &cause, remedy).with_level(Level::Limit),
        ])
    };
    let logging = env.section.logging.as_ref();
    match logging.map(|given| (&given.syslog, &given.log_router, given.log_dna)) {
        Some((Some(given), None, _)) => reader.syslog(given),
        Some((None, Some(_), _)) => unsupported("logRouter"),
        Some((None, None, Some(_))) => unsupported("logDNA"),
        _ => Err(vec![refuse(
            env.document,
            "/logging",
            "there is not exactly one sink for the lines of the guest",
            "write `logging.syslog`",
        )]),
    }
}

/// The former log service beside a sink that is used.
pub(super) fn idle_keys(env: &Part<'_, EnvSection>) -> Option<Finding> {
    let logging = env.section.logging.as_ref()?;
    let is_idle =
        logging.log_dna.is_some() && (logging.syslog.is_some() || logging.log_router.is_some());
    is_idle.then(|| {
        Finding::warning(
            messages::UNKNOWN_KEY,
            env.document.place("/logging/logDNA"),
            "the former log service is not used: another sink is named",
            "leave it out",
        )
    })
}

struct Reader<'a> {
    document: &'a Document,
}

impl Reader<'_> {
    fn syslog(&self, given: &Syslog) -> Result<plan::Syslog, Vec<Finding>> {
        let mut findings = Vec::new();
        let mut keep = |finding| findings.push(finding);
        let host = self
            .host("/logging/syslog/hostname", &given.hostname)
            .map_err(&mut keep);
        let port = self
            .port("/logging/syslog/port", given.port, SYSLOG_PORT)
            .map_err(&mut keep);
        let authorities = self.authorities(&given.server).map_err(&mut keep);
        let client = self.client(given).map_err(|found| findings.extend(found));
        match (host, port, authorities, client) {
            (Ok(host), Ok(port), Ok(authorities), Ok(client)) => Ok(plan::Syslog {
                host,
                port,
                authorities,
                client,
            }),
            _ => Err(findings),
        }
    }

    fn authorities(&self, server: &str) -> Result<Vec<u8>, Finding> {
        pem::certificates(server)
            .map(|(_, pem)| pem)
            .map_err(|problem| {
                let code = match problem {
                    Problem::NoBlock => messages::LOGGING_MISSING_PEM,
                    _ => messages::LOGGING_MISSING_SERVER_CERTIFICATE,
                };
                let remedy =
                    "write the collector's certificate authority as PEM, or as base64 of PEM";
                self.tell(code, "server", problem.cause(), remedy)
                    .with_level(problem.level())
            })
    }

    /// The guest's own certificate and key: both or neither.
    fn client(&self, given: &Syslog) -> Result<Option<plan::ClientIdentity>, Vec<Finding>> {
        let (certificate, key) = match (&given.cert, &given.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => {
                let code = messages::LOGGING_MISSING_PRIVATE_KEY;
                let cause = "there is a client certificate and no key";
                return Err(vec![self.tell(
                    code,
                    "cert",
                    cause,
                    "add the key of `cert`",
                )]);
            }
            (None, Some(_)) => {
                let code = messages::LOGGING_MISSING_CLIENT_CERTIFICATE;
                let cause = "there is a client key and no certificate";
                return Err(vec![self.tell(
                    code,
                    "key",
                    cause,
                    "add the certificate of `key`",
                )]);
            }
        };
        let certificate = pem::certificates(certificate).map_err(|problem| {
            let code = match problem {
                Problem::NoBlock => messages::LOGGING_MISSING_PEM,
                _ => messages::LOGGING_MISSING_CLIENT_CERTIFICATE,
            };
            let remedy = "write the client certificate as PEM, or as base64 of PEM";
            let told = self.tell(code, "cert", problem.cause(), remedy);
            vec![told.with_level(problem.level())]
        });
        let private = pem::private_key(key.expose_secret()).map_err(|problem| {
            let code = match problem {
                Problem::NoBlock => messages::LOGGING_MISSING_PEM,
                Problem::UnknownKey | Problem::OtherKind => messages::LOGGING_UNKNOWN_KEY_TYPE,
                _ => messages::LOGGING_MISSING_PRIVATE_KEY,
            };
            let remedy =
                "write the client key as unencrypted PKCS#8 (`openssl pkcs8 -topk8 -nodes`)";
            let told = self.tell(code, "key", problem.cause(), remedy);
            vec![told.with_level(problem.level())]
        });
        let ((certificates, pem), (private, key)) = both(certificate, private)?;
        if !certificates
            .first()
            .is_some_and(|leaf| belong_together(leaf, &private))
        {
            let code = messages::LOGGING_MISSING_PRIVATE_KEY;
            let cause = "the key is not that of the client certificate";
            let remedy =
                "give the key that the certificate was made for, and the client certificate first";
            return Err(vec![self.tell(code, "key", cause, remedy)]);
        }
        Ok(Some(plan::ClientIdentity {
            certificate: pem,
            key,
        }))
    }

    fn port(&self, pointer: &str, given: Option<u16>, default: u16) -> Result<u16, Finding> {
        match given.unwrap_or(default) {
            0 => Err(refuse(
                self.document,
                pointer,
                "there is no port 0",
                "write a number from 1 to 65535",
            )),
            port => Ok(port),
        }
    }

    /// A host name or an IP address; no other part of a URL.
    fn host(&self, pointer: &str, name: &str) -> Result<String, Finding> {
        let is_name = (1..=253).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if is_name || name.parse::<std::net::IpAddr>().is_ok() {
            return Ok(name.to_owned());
        }
        let cause = "this is neither a host name nor an IP address";
        Err(refuse(
            self.document,
            pointer,
            cause,
            "write the name alone, without scheme or port",
        ))
    }

    fn tell(&self, code: Code, key: &str, cause: &str, remedy: &str) -> Finding {
        refuse_as(
            code,
            self.document,
            &format!("/logging/syslog/{key}"),
            cause,
            remedy,
        )
    }
}

fn belong_together(certificate: &X509Ref, key: &PKeyRef<Private>) -> bool {
    certificate
        .public_key()
        .is_ok_and(|public| public.public_eq(key))
}
