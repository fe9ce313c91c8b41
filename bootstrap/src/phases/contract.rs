//! Phase 6: decrypt, validate, verify signature and policy, make the plan, wipe the key.
//!
//! What an image for production tells of a sealed contract that nobody has vouched for is one text, at a moment that does
//! not depend on what was wrong: the console must not be an oracle for tokens that the host makes.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hpcr_contract::disclosure;
use hpcr_contract::finding::Finding;
use hpcr_contract::image_config::ImageKind;
use hpcr_contract::messages;
use hpcr_contract::plan::Plan;
use hpcr_contract::product::Product;
use hpcr_contract::stages::{Agreed, Opened, Rejection, Sealed};
use hpcr_contract::user_data::mentions_sealed;
use zeroize::Zeroizing;

use crate::cidata::Seed;
use crate::console::uptime;
use crate::error::Error;
use crate::guest::Guest;
use crate::phases::key::ContractKey;
use crate::power;

/// A contract that goes on.
#[derive(Debug)]
pub(crate) struct Contract {
    /// What to do.
    pub(crate) plan: Arc<Plan>,
    /// The contract as its workload may see it.
    pub(crate) redacted: String,
}

/// Rejections are told at whole multiples of this after the phase's begin: longer than a contract of any form takes, also
/// where the host starves the guest's processors a little.
const STEP: Duration = Duration::from_secs(10);

/// When reading a contract has taken too long: before the last of those moments that lies within the phase's limit.
const LATEST: Duration = Duration::from_secs(39);

/// The most unknown keys that are told.
const UNKNOWN: usize = 20;

pub(crate) async fn run(
    guest: &Arc<Guest>,
    seed: &Seed,
    key: ContractKey,
) -> Result<Contract, Error> {
    let user_data = Zeroizing::new(seed.user_data.to_vec());
    let ours = Arc::clone(guest);
    let parsed = Arc::new(OnceLock::new());
    let is_sealed = Arc::clone(&parsed);
    let read = move || {
        let sealed = Sealed::parse(&user_data, "user-data").map_err(Failed::Rejected)?;
        parsed.get_or_init(|| sealed.needs_key());
        tell_unknown(&ours, sealed.unknown_keys());
        let verified = sealed
            .open(key.keys())
            .and_then(|opened: Opened| opened.verify(Product::Ccrt))
            .map_err(Failed::Rejected)?;
        // The key is used; from here on nothing can open a token.
        drop(key);
        let plan = Arc::new(
            verified
                .agree()
                .and_then(Agreed::plan)
                .map_err(Failed::Rejected)?,
        );
        let redacted = verified.redacted().map_err(Failed::Internal)?;
        Ok(Contract { plan, redacted })
    };
    let reading = tokio::task::spawn_blocking(|| power::contained(read));
    let read = async {
        match reading.await {
            Ok(Ok(read)) => read,
            // What a panic said stays untold.
            Ok(Err(_)) | Err(_) => Err(Failed::Panicked),
        }
    };
    // Before the envelope is read, nothing of it has been opened.
    let is_sealed = || {
        let known = is_sealed.get().copied();
        known.unwrap_or_else(|| mentions_sealed(&seed.user_data))
    };
    judged(read, guest.kind(), is_sealed).await
}

enum Failed {
    Rejected(Rejection),
    Internal(hpcr_contract::error::ContractError),
    Panicked,
    TooLate,
}

/// Waits for a contract that has been read; one that has not is told of, in time for the phase's own limit.
async fn judged<T>(
    read: impl Future<Output = Result<T, Failed>>,
    kind: ImageKind,
    is_sealed: impl FnOnce() -> bool,
) -> Result<T, Error> {
    let begun = uptime();
    let read = tokio::time::timeout(LATEST, read).await;
    let rejection = match read.unwrap_or(Err(Failed::TooLate)) {
        Ok(contract) => return Ok(contract),
        Err(Failed::Internal(error)) => return Err(Error::Attestation(error)),
        Err(Failed::TooLate) if kind == ImageKind::Development || !is_sealed() => {
            return Err(Error::TooLate(LATEST));
        }
        Err(Failed::Rejected(rejection)) => rejection,
        // That there was a bug, or no end, on this path is told like any rejection.
        Err(Failed::Panicked | Failed::TooLate) => Rejection {
            findings: Vec::new(),
            sealed: true,
            authenticated: false,
        },
    };
    if keeps_its_moment(&rejection, kind) {
        tokio::time::sleep(until_told(uptime().saturating_sub(begun))).await;
    }
    Err(Error::Rejected(disclosure::tell(&rejection, kind)))
}

/// The envelope is the host's: it must not fill the log with keys of its own making.
fn tell_unknown(guest: &Guest, keys: &[Finding]) {
    for finding in keys.iter().take(UNKNOWN) {
        let text = format!("{}; {}", finding.place, finding.remedy);
        guest.console.say(finding.code, &text);
    }
    if let Some(more) = keys.len().checked_sub(UNKNOWN + 1) {
        let text = format!("and {} more", more + 1);
        guest.console.say(messages::UNKNOWN_KEY, &text);
    }
}

/// Also where the signature held: a host can sign an env of its own beside a stolen workload.
fn keeps_its_moment(rejection: &Rejection, kind: ImageKind) -> bool {
    kind == ImageKind::Production && rejection.sealed
}

/// How long to wait after `taken`, so that the answer comes at a whole multiple of [`STEP`].
fn until_told(taken: Duration) -> Duration {
    let steps = u32::try_from(taken.as_millis() / STEP.as_millis() + 1).unwrap_or(u32::MAX);
    STEP.saturating_mul(steps).saturating_sub(taken)
}

/// Names of the services with privileges that reach the appliance: all of them, or a capability that is not contained.
/// They are told, recorded, and run only where the kernel is locked down. No service shares the guest's PID or network
/// namespace: a contract cannot ask for that.
pub(crate) fn privileged(plan: &Plan) -> Vec<String> {
    let services = plan.workload.services.iter();
    services
        .filter(|service| service.reaches_out())
        .map(|service| service.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_answer_comes_at_a_fixed_moment_whatever_it_took() {
        for (taken, told) in [
            (0, 10_000),
            (1, 10_000),
            (40, 10_000),
            (9_999, 10_000),
            (10_000, 20_000),
            (10_001, 20_000),
        ] {
            let taken = Duration::from_millis(taken);
            assert_eq!(taken + until_told(taken), Duration::from_millis(told));
        }
    }

    /// What is told of a contract whose reading ends in this way.
    async fn told(
        read: impl Future<Output = Result<(), Failed>>,
        kind: ImageKind,
        sealed: bool,
    ) -> Vec<disclosure::Told> {
        let judged = judged(read, kind, || sealed).await;
        judged
            .unwrap_err()
            .for_console(messages::INVALID_CONTRACT, kind)
    }

    #[tokio::test(start_paused = true)]
    async fn on_a_production_image_a_sealed_contract_that_takes_too_long_is_told_of_like_any_other()
    {
        let kind = ImageKind::Production;
        let rejection = Rejection {
            findings: Vec::new(),
            sealed: true,
            authenticated: false,
        };
        let rejected = told(async { Err(Failed::Rejected(rejection)) }, kind, true).await;
        assert_eq!(told(std::future::pending(), kind, true).await, rejected);
        let panicked = told(async { Err(Failed::Panicked) }, kind, true).await;
        assert_eq!(panicked, rejected);

        for (kind, sealed) in [(ImageKind::Development, true), (kind, false)] {
            let late = told(std::future::pending(), kind, sealed).await;
            assert!(late[0].text.contains("within 39 s"), "{late:?}");
        }
    }

    #[test]
    fn a_contract_that_takes_too_long_is_told_of_within_the_phases_limit() {
        let phase = crate::PHASES.iter().find(|phase| phase.name == "contract");
        let limit = phase.and_then(|phase| phase.limit).unwrap();
        assert!(LATEST + until_told(LATEST) < limit);
    }

    #[test]
    fn on_a_production_image_every_sealed_contract_keeps_its_moment() {
        let rejection = |sealed, authenticated| Rejection {
            findings: Vec::new(),
            sealed,
            authenticated,
        };
        assert!(keeps_its_moment(
            &rejection(true, false),
            ImageKind::Production
        ));
        assert!(keeps_its_moment(
            &rejection(true, true),
            ImageKind::Production
        ));
        assert!(!keeps_its_moment(
            &rejection(false, false),
            ImageKind::Production
        ));
        assert!(!keeps_its_moment(
            &rejection(true, false),
            ImageKind::Development
        ));
    }
}
