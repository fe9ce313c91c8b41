//! What is worth a look before a contract is used, as warnings: nothing here stops a guest.
//!
//! The guest never asks; `hpcr-check` does. Time is a parameter. No finding holds a value.

use openssl::asn1::Asn1Time;
use openssl::x509::X509Ref;

use crate::finding::{self, Finding, Level};
use crate::messages::{self, Code};
use crate::pem;
use crate::planning::Part;
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::yaml::{Document, step};

mod placeholders;
mod plain;
mod seeds;

use placeholders::placeholders;

/// Until when certificates must last.
#[derive(Debug, Clone, Copy)]
pub struct Horizon {
    /// Seconds since the Unix epoch.
    pub now: i64,
    /// Days from then that a certificate must last.
    pub days: u32,
}

/// What a workload section is worth a look for. Where anybody can read it, its secrets are told at a level.
pub(crate) fn of_workload(
    part: &Part<'_, WorkloadSection>,
    secrets: Option<Level>,
) -> Vec<Finding> {
    let mut findings = seeds::of_workload(part);
    findings.extend(secrets.and_then(|level| Some(plain::of_workload(part)?.with_level(level))));
    findings.extend(placeholders(part.document));
    findings
}

/// The same of an env section.
pub(crate) fn of_env(
    part: &Part<'_, EnvSection>,
    secrets: Option<Level>,
    horizon: Horizon,
) -> Vec<Finding> {
    let mut findings = seeds::of_env(part);
    findings.extend(certificates(part, horizon));
    findings.extend(secrets.and_then(|level| Some(plain::of_env(part)?.with_level(level))));
    findings.extend(placeholders(part.document));
    findings
}

/// What is seen only where both are known.
pub(crate) fn of_both(
    workload: &Part<'_, WorkloadSection>,
    env: &Part<'_, EnvSection>,
) -> Vec<Finding> {
    seeds::shared(workload, env)
}

fn warn(code: Code, document: &Document, pointer: &str, cause: String, remedy: &str) -> Finding {
    Finding::warning(code, document.place(pointer), cause, remedy)
}

/// Certificates of the env section that have ended, or end before the horizon.
fn certificates(env: &Part<'_, EnvSection>, horizon: Horizon) -> Vec<Finding> {
    let mut texts = Vec::new();
    let logging = env.section.logging.as_ref();
    if let Some(syslog) = logging.and_then(|logging| logging.syslog.as_ref()) {
        texts.push(("/logging/syslog/server".to_owned(), syslog.server.as_str()));
        let own = syslog.cert.as_deref();
        texts.extend(own.map(|cert| ("/logging/syslog/cert".to_owned(), cert)));
    }
    for (index, entry) in env.section.cacerts.iter().enumerate() {
        for (name, text) in entry {
            let name = step(name);
            texts.push((format!("/cacerts/{index}/{name}"), text.as_str()));
        }
    }
    let mut findings = Vec::new();
    for (pointer, text) in texts {
        // What cannot be parsed is told by the plan.
        let certificates = pem::certificates(text).map(|(found, _)| found);
        for certificate in certificates.unwrap_or_default() {
            let Some((cause, remedy)) = dates(&certificate, horizon) else {
                continue;
            };
            let code = messages::CERTIFICATE_ENDS;
            findings.push(warn(code, env.document, &pointer, cause, remedy));
            if findings.len() == finding::MOST {
                return findings;
            }
        }
    }
    findings
}

/// What is to be said of a certificate's dates.
fn dates(certificate: &X509Ref, horizon: Horizon) -> Option<(String, &'static str)> {
    const LASTS: &str = "give a certificate that lasts";
    let now = Asn1Time::from_unix(horizon.now).ok()?;
    let left = now.diff(certificate.not_after()).ok()?;
    let begins = now.diff(certificate.not_before()).ok()?;
    if left.days < 0 || left.secs < 0 {
        return Some(("the certificate has ended".into(), LASTS));
    }
    if begins.days > 0 || begins.secs > 0 {
        let remedy = "check the time, or give a certificate that is valid already";
        return Some(("the certificate is not valid yet".into(), remedy));
    }
    let is_soon = i64::from(left.days) < i64::from(horizon.days);
    is_soon.then(|| (format!("the certificate ends in {} days", left.days), LASTS))
}

#[cfg(test)]
mod tests;
