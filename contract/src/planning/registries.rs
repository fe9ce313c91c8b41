//! Credentials and certificate authorities for registries.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{overlay, pem, refuse};
use crate::finding::Finding;
use crate::plan::Credentials;
use crate::sections::auths::Auths;
use crate::workload::canonical_registry;

/// Both parties' credentials by registry, the workload's winning.
pub(super) fn credentials(
    workload: &Auths,
    env: &Auths,
) -> Result<BTreeMap<String, Credentials>, Vec<Finding>> {
    let mut findings = Vec::new();
    let workload = by_host("workload", workload, &mut findings);
    let env = by_host("env", env, &mut findings);
    if findings.is_empty() {
        Ok(overlay(&env, &workload))
    } else {
        Err(findings)
    }
}

fn by_host(
    section: &str,
    auths: &Auths,
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, Credentials> {
    let mut hosts = BTreeMap::new();
    for (name, auth) in auths {
        let credentials = Credentials {
            username: auth.username.clone(),
            password: auth.password.clone(),
        };
        match hosts.entry(canonical_registry(name)) {
            Entry::Vacant(free) => {
                free.insert(credentials);
            }
            Entry::Occupied(_) => findings.push(refuse(
                section,
                format!("auths.{name}"),
                "another entry means the same registry",
                "keep one of them",
            )),
        }
    }
    hosts
}

/// The authorities of `env.cacerts` by name.
pub(super) fn authorities(
    cacerts: &[BTreeMap<String, String>],
) -> Result<BTreeMap<String, Vec<u8>>, Vec<Finding>> {
    let mut findings = Vec::new();
    let mut authorities = BTreeMap::new();
    for (index, entry) in cacerts.iter().enumerate() {
        for (name, text) in entry {
            let path = format!("cacerts[{index}].{name}");
            match pem::certificates(text) {
                Ok((_, pem)) => {
                    // One list of one mapping is all that the schema allows, so no name can come twice.
                    authorities.insert(name.clone(), pem);
                }
                Err(problem) => {
                    findings.push(refuse(
                        "env",
                        path,
                        problem.cause(),
                        "write the certificate authority as base64 of PEM",
                    ));
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
