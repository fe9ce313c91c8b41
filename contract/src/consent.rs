//! Consent goes both ways: whether the env that a workload is paired with is one that it agrees to.
//!
//! A signature proves that somebody vouches for both sections, not that it is somebody whom the workload's author
//! knows: whoever holds a stolen workload can sign an env of his own beside it. What the author pinned in `envPolicy`
//! is checked here, and that both sections name the same `contractId`. The id is a secret that both share: nobody who
//! has not opened one section can write the other.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::certificate::PublicKey;
use crate::finding::{self, Finding};
use crate::messages;
use crate::plan::{Auditor, Service};
use crate::planning::Part;
use crate::secret::{ExposeSecret as _, SecretString};
use crate::sections::env::EnvSection;
use crate::sections::policy::EnvPolicy;
use crate::sections::workload::WorkloadSection;
use crate::yaml::Document;

/// What vouches for a contract, and who may see its record.
#[derive(Clone, Copy)]
pub(crate) struct Parties<'a> {
    pub(crate) signer: Option<&'a PublicKey>,
    pub(crate) auditor: Option<&'a Auditor>,
}

/// What the workload does not agree to, each with its place.
pub(crate) fn refusals(
    workload: &Part<'_, WorkloadSection>,
    env: &Part<'_, EnvSection>,
    parties: Parties<'_>,
) -> Vec<Finding> {
    let mut findings: Vec<_> = contract_id(workload, env).into_iter().collect();
    if let Some(policy) = &workload.section.env_policy {
        findings.extend(signer(policy, workload.document, parties.signer));
        findings.extend(collector(policy, env));
        findings.extend(environment(policy, env));
        findings.extend(auditor(policy, workload.document, parties.auditor));
    }
    findings
}

/// Services that one of the parties does not want to be privileged: interpolation may have made them so.
pub(crate) fn privileged(
    workload: &Part<'_, WorkloadSection>,
    env: Option<&Part<'_, EnvSection>>,
    services: &[Service],
) -> Vec<Finding> {
    let of_workload = workload.section.env_policy.as_ref();
    let forbids = |allowed: Option<bool>| allowed == Some(false);
    let mut refusing = Vec::new();
    if forbids(of_workload.and_then(|policy| policy.privileged)) {
        refusing.push((workload.document, "/envPolicy/privileged"));
    }
    if let Some(env) = env {
        let of_env = env.section.workload_policy.as_ref();
        if forbids(of_env.and_then(|policy| policy.privileged)) {
            refusing.push((env.document, "/workloadPolicy/privileged"));
        }
    }
    let mut findings = Vec::new();
    for (document, pointer) in refusing {
        for service in services.iter().filter(|service| service.reaches_out()) {
            findings.push(refuse(
                document,
                pointer,
                format!(
                    "the service {} is privileged, or has a capability that reaches the appliance",
                    service.name
                ),
                "take that from the service, or write `privileged: true`",
            ));
        }
    }
    findings
}

fn refuse(document: &Document, pointer: &str, cause: impl Into<String>, remedy: &str) -> Finding {
    let place = document.place(pointer);
    Finding::new(messages::CONSENT_REFUSED, place, cause, remedy)
}

fn contract_id(
    workload: &Part<'_, WorkloadSection>,
    env: &Part<'_, EnvSection>,
) -> Option<Finding> {
    let digest = |id: &SecretString| Sha256::digest(id.expose_secret());
    let (ours, theirs) = (&workload.section.contract_id, &env.section.contract_id);
    match (ours, theirs) {
        (None, None) => None,
        // Digests: how long the comparison takes then says nothing of the id.
        (Some(ours), Some(theirs)) if digest(ours) == digest(theirs) => None,
        (Some(_), Some(_)) => Some(refuse(
            env.document,
            "/contractId",
            "the id is not that of the workload section",
            "write the same `contractId` into both sections",
        )),
        (Some(_), None) => Some(refuse(
            env.document,
            "",
            "the workload section has a `contractId`, and this one has none",
            "write the same `contractId` into both sections",
        )),
        (None, Some(_)) => Some(refuse(
            workload.document,
            "",
            "the env section has a `contractId`, and this one has none",
            "write the same `contractId` into both sections",
        )),
    }
}

fn signer(policy: &EnvPolicy, document: &Document, signer: Option<&PublicKey>) -> Option<Finding> {
    let allowed = policy.signers.as_ref()?;
    let pointer = "/envPolicy/signers";
    let Some(signer) = signer else {
        let remedy = "sign the contract with one of the keys that the policy names";
        return Some(refuse(
            document,
            pointer,
            "the contract is not signed",
            remedy,
        ));
    };
    let is_allowed = signer
        .fingerprint()
        .is_ok_and(|fingerprint| allowed.iter().any(|one| is_sum(one, &fingerprint)));
    (!is_allowed).then(|| {
        refuse(
            document,
            pointer,
            "the key that signed the contract is none of those that are allowed",
            "sign the contract with one of the keys that the policy names, or add the key's SHA-256 (`openssl pkey -pubin -outform DER | sha256sum`)",
        )
    })
}

fn collector(policy: &EnvPolicy, env: &Part<'_, EnvSection>) -> Option<Finding> {
    let allowed = policy.collectors.as_ref()?;
    let logging = env.section.logging.as_ref();
    let syslog = logging.and_then(|logging| {
        Some((
            "/logging/syslog/hostname",
            &logging.syslog.as_ref()?.hostname,
        ))
    });
    let router = logging.and_then(|logging| {
        Some((
            "/logging/logRouter/hostname",
            &logging.log_router.as_ref()?.hostname,
        ))
    });
    let Some((pointer, host)) = syslog.or(router) else {
        let cause = "the workload allows collectors by name, and no name is here";
        return Some(refuse(
            env.document,
            "/logging",
            cause,
            "write `logging.syslog`",
        ));
    };
    (!allowed.iter().any(|pattern| names(pattern, host))).then(|| {
        refuse(
            env.document,
            pointer,
            "the workload does not allow this collector",
            "name a collector that `workload.envPolicy.collectors` allows, or ask the provider",
        )
    })
}

/// Whether a pattern means a host; `*.` in front means every host below.
fn names(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    match pattern.strip_prefix('*') {
        Some(below) => host.len() > below.len() && host.ends_with(below),
        None => pattern == host,
    }
}

fn environment(policy: &EnvPolicy, env: &Part<'_, EnvSection>) -> Vec<Finding> {
    let Some(allowed) = &policy.environment else {
        return Vec::new();
    };
    let allowed: BTreeSet<_> = allowed.iter().collect();
    let names = env.section.env.keys();
    names
        .filter(|name| !allowed.contains(name))
        .take(finding::MOST)
        .map(|name| {
            refuse(
                env.document,
                &format!("/env/{name}"),
                "the workload does not allow the deployer to set this variable",
                "remove it, or add its name to `workload.envPolicy.environment`",
            )
        })
        .collect()
}

fn auditor(policy: &EnvPolicy, document: &Document, auditor: Option<&Auditor>) -> Option<Finding> {
    let pinned = policy.auditor_key_hash.as_ref()?;
    let cause = match auditor {
        None => "the contract has no attestationPublicKey",
        Some(auditor) if !is_sum(pinned, &auditor.hash) => "attestationPublicKey is another key",
        Some(_) => return None,
    };
    let remedy = "give the auditor's key whose SHA-256 (of its PEM text) the policy names";
    Some(refuse(document, "/envPolicy/auditorKeyHash", cause, remedy))
}

/// Whether a text is a sum in hexadecimal.
fn is_sum(text: &str, sum: &[u8; 32]) -> bool {
    text.eq_ignore_ascii_case(&hex::encode(sum))
}

#[cfg(test)]
mod tests;
