//! Whether a certificate of an image stands on an authority that the reader trusts (specification 2.7): root,
//! intermediates, and the encryption or attestation certificate as the leaf.
//!
//! The result is a report of steps, each good or bad with cause and remedy, so that a person sees how far the chain holds.
//! The last step is OpenSSL's own validation of the whole path (RFC 5280, section 6): the steps before it only explain.
//! Time is a parameter, and no list or certificate is fetched.

use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509StoreContext};

use super::x509::{Certificate, RevocationList, is_strong, same_name};
use super::{Expiry, expiry};
use crate::error::ContractError;
use crate::finding::{Finding, Place};
use crate::messages;

/// The longest chain that is followed, leaf and root included.
const MAX_CHAIN: usize = 8;

/// What a chain is made of.
#[derive(Debug)]
pub struct Chain<'a> {
    /// The certificate in question. It says nothing of its use (no `basicConstraints`), which is normal.
    pub leaf: &'a Certificate,
    /// Authorities between; more than the chain needs may be given, in any order.
    pub intermediates: &'a [Certificate],
    /// Authorities that the reader trusts, each signed by itself.
    pub roots: &'a [Certificate],
    /// Revocation lists of any of the authorities; those of others are left alone.
    pub lists: &'a [RevocationList],
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Step {
    /// What was looked at, in a few words.
    pub name: String,
    /// What is wrong with it; `None` where it is good.
    pub fault: Option<Finding>,
}

/// How far a chain holds.
#[derive(Debug, Clone)]
pub struct Report {
    /// Every step, from the leaf to the root, and the path as a whole.
    pub steps: Vec<Step>,
    /// Whole days until the leaf expires; negative once it has.
    pub days_left: i64,
}

impl Report {
    /// Whether every step is good.
    pub fn is_good(&self) -> bool {
        self.findings().next().is_none()
    }

    /// What is wrong.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.steps.iter().filter_map(|step| step.fault.as_ref())
    }

    fn step(&mut self, name: String, of: &Certificate, fault: Option<(&str, &str)>) {
        let place = Place::at(of.subject(), "");
        let fault = fault.map(|(cause, remedy)| {
            Finding::new(messages::CERTIFICATE_INVALID, place, cause, remedy)
        });
        self.steps.push(Step { name, fault });
    }
}

impl Chain<'_> {
    /// Checks the chain at a time, seconds since the Unix epoch. An error: the library failed, not the chain.
    pub fn check(&self, at: i64) -> Result<Report, ContractError> {
        let left = self.leaf.validity()?.not_after.saturating_sub(at);
        let mut report = Report {
            steps: Vec::new(),
            days_left: left.div_euclid(24 * 60 * 60),
        };
        let key = self.leaf.public_key().err().map(|error| error.to_string());
        report.step(
            "key: RSA of 2048 to 8192 bits".to_owned(),
            self.leaf,
            key.as_deref()
                .map(|cause| (cause, "get the certificate again from who publishes it")),
        );
        let mut current = self.leaf;
        let mut complete = false;
        for _ in 0..MAX_CHAIN {
            validity(&mut report, current, at)?;
            // One that may certify nobody, as a development image's, has certified itself all the same.
            let is_root = current.x509().issued(current.x509())
                == openssl::x509::X509VerifyResult::OK
                || has_signed(current, current);
            if is_root {
                trusted(&mut report, current, self.roots);
                complete = true;
                break;
            }
            let Some(issuer) = self.issuer(&mut report, current) else {
                break;
            };
            signature(&mut report, current, issuer);
            self.revocation(&mut report, current, issuer, at)?;
            current = issuer;
        }
        if complete && report.is_good() {
            self.path(&mut report)?;
        } else if report.is_good() {
            // Authorities that certify each other in a ring lead nowhere.
            let fault = (
                "the chain does not end within 8 certificates",
                "give the authorities of this chain alone",
            );
            report.step("root: the chain ends".to_owned(), self.leaf, Some(fault));
        }
        Ok(report)
    }

    /// Who has issued a certificate, by name; where several have that name, the one whose key fits.
    fn issuer(&self, report: &mut Report, of: &Certificate) -> Option<&Certificate> {
        let wanted = of.x509().issuer_name();
        let named: Vec<_> = [self.intermediates, self.roots]
            .into_iter()
            .flatten()
            .filter(|candidate| same_name(candidate.x509().subject_name(), wanted))
            .collect();
        let fitting = named.iter().find(|candidate| has_signed(candidate, of));
        let issuer = fitting.or(named.first()).copied();
        report.step(
            format!("issuer: {} is given", of.issuer()),
            of,
            issuer.is_none().then_some((
                "no certificate that was given is of its issuer",
                "give the intermediate and root certificates that were published with it",
            )),
        );
        issuer
    }

    fn revocation(
        &self,
        report: &mut Report,
        of: &Certificate,
        issuer: &Certificate,
        at: i64,
    ) -> Result<(), ContractError> {
        for list in self.lists.iter().filter(|list| list.is_of(issuer)) {
            let fault = if !list.is_signed_by(issuer) {
                Some((
                    "the revocation list is not signed by the issuer",
                    "get the list again from where the certificate says",
                ))
            } else if !list.is_current(at)? {
                Some((
                    "the revocation list is not in force at this time",
                    "get the current list",
                ))
            } else if list.names(of) {
                Some((
                    "the certificate has been revoked",
                    "seal nothing to it, and trust nothing signed with its key",
                ))
            } else {
                None
            };
            report.step("revocation: not on the issuer's list".to_owned(), of, fault);
        }
        Ok(())
    }

    /// OpenSSL's validation: also path length, key usage, and critical extensions that nobody here knows.
    fn path(&self, report: &mut Report) -> Result<(), ContractError> {
        let mut store = X509StoreBuilder::new()?;
        for root in self.roots {
            store.add_cert(owned(root))?;
        }
        // Dates have been looked at, at the time that was given.
        let mut parameters = X509VerifyParam::new()?;
        parameters.set_flags(X509VerifyFlags::NO_CHECK_TIME)?;
        let mut between = Stack::new()?;
        for intermediate in self.intermediates {
            between.push(owned(intermediate))?;
        }
        store.set_param(&parameters)?;
        let verdict = X509StoreContext::new()?.init(
            &store.build(),
            self.leaf.x509(),
            &between,
            |context| Ok((context.verify_cert()?, context.error())),
        )?;
        let fault = (!verdict.0).then(|| verdict.1.error_string());
        report.step(
            "path: every authority may issue what it issued".to_owned(),
            self.leaf,
            fault.map(|cause| (cause, "get the certificates again from who publishes them")),
        );
        Ok(())
    }
}

fn validity(report: &mut Report, of: &Certificate, at: i64) -> Result<(), ContractError> {
    let validity = of.validity()?;
    let fault = if at < validity.not_before {
        Some(("the certificate is not valid yet", "check the time"))
    } else if expiry(validity.not_after, at) == Expiry::Expired {
        Some((
            "the certificate has expired",
            "get a current one, with the image that it belongs to",
        ))
    } else {
        None
    };
    report.step(format!("dates: {} is valid now", of.subject()), of, fault);
    Ok(())
}

fn signature(report: &mut Report, of: &Certificate, issuer: &Certificate) {
    let fault = if !is_strong(of) {
        Some((
            "the certificate is signed with an algorithm that is no longer safe",
            "get a current one",
        ))
    } else if !has_signed(issuer, of) {
        Some((
            "the certificate is not signed by the authority of this name",
            "get certificate and intermediate again from who publishes them",
        ))
    } else {
        None
    };
    report.step(format!("signature: by {}", issuer.subject()), of, fault);
}

fn trusted(report: &mut Report, root: &Certificate, roots: &[Certificate]) {
    let der = |certificate: &Certificate| certificate.x509().to_der().ok();
    let given = roots
        .iter()
        .any(|trusted| der(trusted).is_some() && der(trusted) == der(root));
    let fault = if !has_signed(root, root) {
        Some((
            "the root is not signed by itself",
            "get it again from who publishes it",
        ))
    } else if !given {
        Some((
            "the chain ends at an authority that was not given as a root",
            "give it as a root, if you trust it",
        ))
    } else {
        None
    };
    report.step(format!("root: {} is trusted", root.subject()), root, fault);
}

fn has_signed(issuer: &Certificate, of: &Certificate) -> bool {
    let key = issuer.x509().public_key();
    key.is_ok_and(|key| of.x509().verify(&key).unwrap_or(false))
}

fn owned(certificate: &Certificate) -> X509 {
    certificate.x509().to_owned()
}

#[cfg(test)]
mod tests;
