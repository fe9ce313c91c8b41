//! The one mandatory sink of the guest's lines.
//!
//! Certificates are parsed here, so that a collector that can never be reached is found before the guest boots; they
//! are not checked against a clock.

use openssl::pkey::PKeyRef;
use openssl::x509::X509Ref;

use super::pem::{self, Problem};
use super::refuse;
use crate::finding::{Finding, Place};
use crate::messages::{self, Code};
use crate::plan;
use crate::secret::ExposeSecret as _;
use crate::sections::logging::{LogRouter, Logging, Syslog};

/// RFC 5425, section 4.1; the published schema's 514 is the port of plain UDP.
const SYSLOG_PORT: u16 = 6514;
const LOG_ROUTER_PORT: u16 = 443;

/// Reads `env.logging`.
pub(super) fn sink(logging: Option<&Logging>) -> Result<plan::Logging, Vec<Finding>> {
    let choice = logging.map(|logging| (&logging.syslog, &logging.log_router));
    match choice {
        Some((Some(given), None)) => syslog(given).map(plan::Logging::Syslog),
        Some((None, Some(given))) => log_router(given)
            .map(plan::Logging::LogRouter)
            .map_err(|finding| vec![finding]),
        _ => Err(vec![refuse(
            "env",
            "logging",
            "there is not exactly one sink for the lines of the guest",
            "write either `syslog` or `logRouter`",
        )]),
    }
}

fn log_router(given: &LogRouter) -> Result<plan::LogRouter, Finding> {
    Ok(plan::LogRouter {
        host: host("logging.logRouter.hostname", &given.hostname)?,
        port: port("logging.logRouter.port", given.port, LOG_ROUTER_PORT)?,
        api_key: given.iam_api_key.clone(),
    })
}

fn syslog(given: &Syslog) -> Result<plan::Syslog, Vec<Finding>> {
    let mut findings = Vec::new();
    let host =
        host("logging.syslog.hostname", &given.hostname).map_err(|finding| findings.push(finding));
    let port = port("logging.syslog.port", given.port, SYSLOG_PORT)
        .map_err(|finding| findings.push(finding));
    let authorities = authorities(&given.server).map_err(|finding| findings.push(finding));
    let client = client(given).map_err(|finding| findings.push(finding));
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

fn authorities(server: &str) -> Result<Vec<u8>, Finding> {
    pem::certificates(server)
        .map(|(_, pem)| pem)
        .map_err(|problem| {
            let code = match problem {
                Problem::NoBlock => messages::LOGGING_MISSING_PEM,
                _ => messages::LOGGING_MISSING_SERVER_CERTIFICATE,
            };
            tell(
                code,
                "server",
                problem.cause(),
                "write the collector's certificate authority as PEM, or as base64 of PEM",
            )
        })
}

/// The guest's own certificate and key: both or neither.
fn client(given: &Syslog) -> Result<Option<plan::ClientIdentity>, Finding> {
    let (certificate, key) = match (&given.cert, &given.key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => {
            let code = messages::LOGGING_MISSING_PRIVATE_KEY;
            return Err(tell(
                code,
                "key",
                "there is a client certificate and no key",
                "add the key of `cert`",
            ));
        }
        (None, Some(_)) => {
            let code = messages::LOGGING_MISSING_CLIENT_CERTIFICATE;
            return Err(tell(
                code,
                "cert",
                "there is a client key and no certificate",
                "add the certificate of `key`",
            ));
        }
    };
    let (certificates, pem) = pem::certificates(certificate).map_err(|problem| {
        let code = match problem {
            Problem::NoBlock => messages::LOGGING_MISSING_PEM,
            _ => messages::LOGGING_MISSING_CLIENT_CERTIFICATE,
        };
        tell(
            code,
            "cert",
            problem.cause(),
            "write the client certificate as PEM, or as base64 of PEM",
        )
    })?;
    let (private, key) = pem::private_key(key.expose_secret()).map_err(|problem| {
        let code = match problem {
            Problem::NoBlock => messages::LOGGING_MISSING_PEM,
            Problem::UnknownKey | Problem::OtherKind => messages::LOGGING_UNKNOWN_KEY_TYPE,
            _ => messages::LOGGING_MISSING_PRIVATE_KEY,
        };
        tell(
            code,
            "key",
            problem.cause(),
            "write the client key as unencrypted PKCS#8 (`openssl pkcs8 -topk8 -nodes`)",
        )
    })?;
    if !certificates
        .first()
        .is_some_and(|leaf| belong_together(leaf, &private))
    {
        let code = messages::LOGGING_MISSING_PRIVATE_KEY;
        let remedy =
            "give the key that the certificate was made for, and the client certificate first";
        return Err(tell(
            code,
            "key",
            "the key is not that of the client certificate",
            remedy,
        ));
    }
    Ok(Some(plan::ClientIdentity {
        certificate: pem,
        key,
    }))
}

fn belong_together(certificate: &X509Ref, key: &PKeyRef<openssl::pkey::Private>) -> bool {
    certificate
        .public_key()
        .is_ok_and(|public| public.public_eq(key))
}

fn tell(code: Code, key: &str, cause: &str, remedy: &str) -> Finding {
    Finding::new(
        code,
        Place::at("env", format!("logging.syslog.{key}")),
        cause,
        remedy,
    )
}

fn port(path: &str, given: Option<u16>, default: u16) -> Result<u16, Finding> {
    match given.unwrap_or(default) {
        0 => Err(refuse(
            "env",
            path,
            "there is no port 0",
            "write a number from 1 to 65535",
        )),
        port => Ok(port),
    }
}

/// A host name or an IP address; a name of the rest of a URL is none.
fn host(path: &str, name: &str) -> Result<String, Finding> {
    let is_name = (1..=253).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if is_name || name.parse::<std::net::IpAddr>().is_ok() {
        return Ok(name.to_owned());
    }
    Err(refuse(
        "env",
        path,
        "this is neither a host name nor an IP address",
        "write the name alone, without scheme or port",
    ))
}
