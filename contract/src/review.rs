//! Takes a contract the whole way that it takes in the guest, and keeps all that is said about it on that way: what
//! tools tell the authors of contracts. The guest itself never goes on behind a fault; it uses `stages`.
//!
//! Time is a parameter.

use crate::certificate::{Expiry, expiry};
use crate::finding::Finding;
use crate::messages;
use crate::plan::Plan;
use crate::preflight::Horizon;
use crate::product::Product;
use crate::stages::{Keys, Rejection, Sealed, Verified};

/// What is known of a contract at the end of its way.
#[derive(Debug, Default)]
pub struct Review {
    /// Everything that was said about it.
    pub findings: Vec<Finding>,
    /// SHA-256 of workload and env in the clear.
    pub hashes: Option<[[u8; 32]; 2]>,
    /// Both sections, where they follow the schema and the signature holds.
    pub verified: Option<Verified>,
    /// What the guest would do; none where something stops it, or where nobody could open it.
    pub plan: Option<Plan>,
    /// It is sealed and no key was given: nothing but its envelope was checked.
    pub closed: bool,
}

impl Review {
    /// Reviews a contract; `name` is what findings call it. With keys, sealed sections are opened.
    pub fn of(
        bytes: &[u8],
        name: &str,
        keys: Keys<'_>,
        product: Product,
        horizon: Horizon,
    ) -> Self {
        let mut review = Self::default();
        if let Err(rejection) = review.go(bytes, name, keys, product, horizon) {
            // What preflight has told already is not told again.
            for finding in rejection.findings {
                if !review.findings.contains(&finding) {
                    review.findings.push(finding);
                }
            }
        }
        review
    }

    fn go(
        &mut self,
        bytes: &[u8],
        name: &str,
        keys: Keys<'_>,
        product: Product,
        horizon: Horizon,
    ) -> Result<(), Rejection> {
        let sealed = Sealed::parse(bytes, name)?;
        self.findings.extend_from_slice(sealed.unknown_keys());
        if sealed.needs_key() && keys.token.is_none() && keys.age.is_none() {
            self.findings.extend(sealed.malformed_tokens());
            self.closed = true;
            return Ok(());
        }
        let opened = sealed.open(keys)?;
        self.hashes = Some(opened.hashes());
        let verified = self.verified.insert(opened.verify(product)?);
        self.findings.extend_from_slice(verified.warnings());
        self.findings.extend(end_of(verified, horizon));
        self.findings.extend(verified.preflight(horizon));
        let plan = verified.agree()?.plan()?;
        self.findings.extend_from_slice(&plan.warnings);
        self.plan = (!self.findings.iter().any(Finding::stops)).then_some(plan);
        Ok(())
    }
}

/// What is to be said of the end of the certificate that signed: it is the contract's.
fn end_of(verified: &Verified, horizon: Horizon) -> Option<Finding> {
    const DAY: i64 = 24 * 60 * 60;
    let end = verified.signer()?.validity()?.not_after;
    let (left, place) = (
        end.saturating_sub(horizon.now),
        verified.signing_key_place(),
    );
    if expiry(end, horizon.now) == Expiry::Expired {
        let remedy = "sign the contract with a certificate that is valid";
        let cause = "the certificate of the contract has ended";
        return Some(Finding::new(
            messages::CONTRACT_EXPIRED,
            place,
            cause,
            remedy,
        ));
    }
    (left / DAY < i64::from(horizon.days)).then(|| {
        Finding::warning(
            messages::CONTRACT_WILL_EXPIRE,
            place,
            format!(
                "the certificate of the contract ends in {} days",
                left / DAY
            ),
            "sign the contract with a certificate that lasts",
        )
    })
}
