//! Takes a contract the whole way that it takes in the guest, and keeps all that is said about it on that way.

use hpcr_contract::certificate::{Expiry, PublicKey, expiry};
use hpcr_contract::finding::{Finding, Place};
use hpcr_contract::messages;
use hpcr_contract::plan::Plan;
use hpcr_contract::product::Product;
use hpcr_contract::stages::{Rejection, Sealed};

use crate::ContractArguments;
use crate::input::{self, Unusable};

/// What is known of a contract at the end of its way.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What the user called it.
    pub(crate) name: String,
    /// What stops it.
    pub(crate) errors: Vec<Finding>,
    /// What does not stop it, but should be looked at.
    pub(crate) warnings: Vec<Finding>,
    /// What the guest would do; none where something stops it, or where nobody could open it.
    pub(crate) plan: Option<Plan>,
    /// It is sealed and no key was given: nothing but its envelope was checked.
    pub(crate) closed: bool,
    /// Somebody signed it.
    pub(crate) signed: bool,
}

/// Reads and checks the contract that the arguments name.
pub(crate) fn check(arguments: &ContractArguments) -> Result<Checked, Unusable> {
    let key = arguments.key.as_deref().map(input::key).transpose()?;
    let now = arguments.now.map_or_else(input::now, Ok)?;
    let bytes = input::contract(&arguments.file)?;
    let mut checked = Checked {
        name: input::name(&arguments.file),
        errors: Vec::new(),
        warnings: Vec::new(),
        plan: None,
        closed: false,
        signed: false,
    };
    let sealed = match Sealed::parse(&bytes, &checked.name) {
        Ok(sealed) => sealed,
        Err(Rejection { findings, .. }) => {
            return Ok(Checked {
                errors: findings,
                ..checked
            });
        }
    };
    checked.warnings.extend_from_slice(sealed.unknown_keys());
    if sealed.needs_key() && key.is_none() {
        checked.closed = true;
        return Ok(checked);
    }
    let verified = match sealed
        .open(key.as_ref())
        .and_then(|opened| opened.verify(Product::Ccrt))
    {
        Ok(verified) => verified,
        Err(Rejection { findings, .. }) => {
            return Ok(Checked {
                errors: findings,
                ..checked
            });
        }
    };
    checked.signed = verified.signer().is_some();
    if let Some(validity) = verified.signer().and_then(PublicKey::validity) {
        match expiry(validity.not_after, now) {
            Expiry::Valid => {}
            Expiry::WillExpire(days) => checked.warnings.push(will_expire(days)),
            Expiry::Expired => checked.errors.push(expired()),
        }
    }
    match verified.plan() {
        Ok(plan) if checked.errors.is_empty() => checked.plan = Some(plan),
        Ok(_) => {}
        Err(rejection) => checked.errors.extend(rejection.findings),
    }
    Ok(checked)
}

fn will_expire(days: i64) -> Finding {
    Finding::new(
        messages::CONTRACT_WILL_EXPIRE,
        Place::at("env", "signingKey"),
        format!("the certificate of the contract ends in {days} days"),
        "sign the contract with a certificate that lasts",
    )
}

fn expired() -> Finding {
    Finding::new(
        messages::CONTRACT_EXPIRED,
        Place::at("env", "signingKey"),
        "the certificate of the contract has ended",
        "sign the contract with a certificate that is valid",
    )
}
