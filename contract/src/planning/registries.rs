//! Credentials and certificate authorities for registries.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Part, overlay, refuse};
use crate::finding::{self, Finding, both};
use crate::pem;
use crate::plan::Credentials;
use crate::sections::auths::Auths;
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::workload::canonical_registry;
use crate::yaml::{Document, step};

/// Both parties' credentials by registry, the workload's winning.
pub(super) fn credentials(
    workload: &Part<'_, WorkloadSection>,
    env: &Part<'_, EnvSection>,
) -> Result<BTreeMap<String, Credentials>, Vec<Finding>> {
    let (workload, env) = both(
        by_host(workload.document, &workload.section.auths),
        by_host(env.document, &env.section.auths),
    )?;
    Ok(overlay(&env, &workload))
}

/// One party's credentials by registry.
pub(super) fn by_host(
    document: &Document,
    auths: &Auths,
) -> Result<BTreeMap<String, Credentials>, Vec<Finding>> {
    let (mut hosts, mut findings) = (BTreeMap::new(), Vec::new());
    for (name, auth) in auths {
        match hosts.entry(canonical_registry(name)) {
            Entry::Vacant(free) => {
                free.insert(Credentials {
                    username: auth.username.clone(),
                    password: auth.password.clone(),
                });
            }
            Entry::Occupied(_) => {
                let pointer = format!("/auths/{}", step(name));
                let cause = "another entry means the same registry";
                findings.push(refuse(document, &pointer, cause, "keep one of them"));
            }
        }
    }
    if findings.is_empty() {
        Ok(hosts)
    } else {
        Err(findings)
    }
}

/// The authorities of `env.cacerts` by name.
pub(super) fn authorities(
    env: &Part<'_, EnvSection>,
) -> Result<BTreeMap<String, Vec<u8>>, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut authorities = BTreeMap::new();
    for (index, entry) in env.section.cacerts.iter().enumerate() {
        for (name, text) in entry {
            match pem::certificates(text) {
                Ok((_, pem)) => {
                    // One list of one mapping is all that the schema allows, so no name can come twice.
                    authorities.insert(name.clone(), pem);
                }
                Err(problem) => {
                    let name = step(name);
                    let remedy = "write the certificate authority as base64 of PEM";
                    let pointer = format!("/cacerts/{index}/{name}");
                    let finding = refuse(env.document, &pointer, problem.cause(), remedy);
                    findings.push(finding.with_level(problem.level()));
                    if findings.len() == finding::MOST {
                        return Err(findings);
                    }
                }
            }
        }
    }
    if findings.is_empty() {
        Ok(authorities)
    } else {
        Err(findings)
    }
}
