//! Phase 8: the time, and whether the contract has ended.
//!
//! No trusted source of time is configured in this version: the clock is the host's. So an expiry stops an honest host
//! that runs an old contract, and no other.

use std::sync::Arc;

use hpcr_contract::certificate::{Expiry, expiry};
use hpcr_contract::disclosure::Told;
use hpcr_contract::image_config::ImageKind;
use hpcr_contract::messages::{self, Code};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::error::Error;
use crate::guest::Guest;
use crate::phases::attestation::Attested;
use crate::phases::contract::Contract;

/// A contract whose time has not run out.
#[derive(Debug)]
pub(crate) struct InTime(());

pub(crate) async fn run(
    guest: &Arc<Guest>,
    contract: &Contract,
    _attested: &Attested,
) -> Result<InTime, Error> {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    guest.console.note(&format!(
        "time: the host's clock says {}; no trusted source",
        date(now)
    ));
    let Some(end) = contract.plan.expires else {
        guest.console.say(messages::CONTRACT_VALID, "it has no end");
        return Ok(InTime(()));
    };
    match expiry(end, now) {
        Expiry::Expired => {
            return Err(Error::Expired {
                ended: date(end),
                now: date(now),
            });
        }
        Expiry::WillExpire(days) => {
            let detail = format!("in {days} days, at {}", date(end));
            tell(guest, messages::CONTRACT_WILL_EXPIRE, &detail);
        }
        Expiry::Valid => {
            let detail = format!("until {}", date(end));
            tell(guest, messages::CONTRACT_VALID, &detail);
        }
    }
    Ok(InTime(()))
}

/// The end of a contract is a value of it: a production console gets the code and its text.
fn tell(guest: &Guest, code: Code, detail: &str) {
    let told = |detail: &str| Told {
        code,
        text: format!("{}{detail}", code.entry().map_or("", |entry| entry.text)),
    };
    let full = told(&format!(": {detail}"));
    let public = match guest.kind() {
        ImageKind::Development => full.clone(),
        ImageKind::Production => told(""),
    };
    guest.console.tell(&[public], &[full]);
}

/// A time for people.
fn date(seconds: i64) -> String {
    rfc3339(seconds).unwrap_or_else(|| format!("{seconds} s since 1970"))
}

/// RFC 3339, in UTC; nothing where it is outside of the years 0 to 9999.
pub(crate) fn rfc3339(seconds: i64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    time.format(&Rfc3339).ok()
}
