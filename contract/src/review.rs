//! Takes a contract the whole way that it takes in the guest, and keeps all that is said about it on that way: what
//! tools tell the authors of contracts. The guest itself never goes on behind a fault; it uses `stages`.
//!
//! What one section says by itself, `alone` tells; what takes both is told here. Time is a parameter.

use crate::finding::{Finding, Level, Place};
use crate::messages;
use crate::plan::Plan;
use crate::planning::{self, Halves};
use crate::preflight::{self, Horizon};
use crate::product::Product;
use crate::signature;
use crate::stages::{Keys, Rejection, Sealed, Unsound, Verified};
use crate::workload::archive::Unpacked;

pub(crate) mod alone;

/// What is known of a contract at the end of its way.
#[derive(Debug, Default)]
pub struct Review {
    /// Everything that was said about it.
    pub findings: Vec<Finding>,
    /// SHA-256 of workload and env in the clear, of those that are open.
    pub hashes: [Option<[u8; 32]>; 2],
    /// Both sections, where they follow the schema and the signature holds.
    pub verified: Option<Verified>,
    /// What the guest would do; none where something stops it, or where nobody could open it.
    pub plan: Option<Plan>,
    /// The parts that are sealed and for which no key was given, by their keys in the contract: what they say is not known.
    pub closed: Vec<&'static str>,
    /// Some section was looked into.
    pub open: bool,
    /// What was unpacked of the workload section on the way, for `sources`.
    pub unpacked: Unpacked,
}

impl Review {
    /// Reviews a contract; `name` is what findings call it. With keys, sealed sections are opened; without, those in the
    /// clear are reviewed by themselves.
    pub fn of(
        bytes: &[u8],
        name: &str,
        keys: Keys<'_>,
        product: Product,
        horizon: Horizon,
    ) -> Self {
        let mut review = Self::default();
        let gone = review.go(bytes, name, keys, product, horizon);
        review.tell(gone.err().map_or_else(Vec::new, |stopped| stopped.findings));
        review.findings = alone::once(std::mem::take(&mut review.findings));
        review
    }

    fn tell(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
    }

    fn go(
        &mut self,
        bytes: &[u8],
        name: &str,
        keys: Keys<'_>,
        product: Product,
        horizon: Horizon,
    ) -> Result<(), Rejection> {
        let sealed = match Sealed::parse(bytes, name) {
            Ok(sealed) => sealed,
            Err(rejection) => {
                let Some(ajar) = Sealed::remains(bytes, name) else {
                    return Err(rejection);
                };
                self.ajar(ajar.read(product), &[], product, horizon);
                return Ok(());
            }
        };
        self.tell(sealed.unknown_keys().to_vec());
        let closed = sealed.without_key(keys);
        let opened = match sealed.opened(keys) {
            Ok(opened) => opened,
            Err(ajar) => {
                self.hashes = ajar.hashes();
                self.ajar(ajar.read(product), &closed, product, horizon);
                return Ok(());
            }
        };
        self.open = true;
        self.hashes = opened.hashes().map(Some);
        let verified = match opened.verified(product) {
            Ok(verified) => verified,
            Err(unsound) => {
                let is_ready = unsound.in_the_clear != (true, true);
                self.unsound(*unsound, is_ready, product, horizon);
                return Ok(());
            }
        };
        let verified = self.verified.insert(verified);
        let is_ready = verified.signer().is_some() || verified.in_the_clear() != (true, true);
        let secrets = Secrets::of(verified.in_the_clear(), is_ready);
        let (workload, env) = verified.halves();
        self.unpacked = workload.unpacked.clone();
        let (workload, env) = (workload.part(), env.part());
        self.findings.extend_from_slice(verified.warnings());
        self.findings.extend(end_of(verified, horizon));
        self.findings
            .extend(preflight::of_workload(&workload, secrets.workload));
        self.findings
            .extend(preflight::of_env(&env, secrets.env, horizon));
        self.findings.extend(preflight::of_both(&workload, &env));
        let plan = verified.agree()?.plan()?;
        self.findings.extend_from_slice(&plan.warnings);
        self.plan = (!self.findings.iter().any(Finding::stops)).then_some(plan);
        Ok(())
    }

    /// A contract of which a part stays closed.
    fn ajar(
        &mut self,
        mut unsound: Unsound,
        closed: &[(&'static str, Place)],
        product: Product,
        horizon: Horizon,
    ) {
        let is_closed = |finding: &Finding| closed.iter().any(|(_, place)| *place == finding.place);
        unsound.findings.retain(|finding| !is_closed(finding));
        self.open = unsound.is_open();
        if self.open {
            self.tell(closed.iter().map(|(name, place)| not_opened(name, place)));
        }
        self.closed = closed.iter().map(|(name, _)| *name).collect();
        self.unsound(unsound, true, product, horizon);
    }

    /// A contract that is not verified: each section by itself, and both together where both are sound.
    fn unsound(&mut self, unsound: Unsound, is_ready: bool, product: Product, horizon: Horizon) {
        let secrets = Secrets::of(unsound.in_the_clear, is_ready);
        let (findings, halves) = unsound.into_halves();
        let beyond = planning::beyond(product, &halves, &findings);
        self.tell(findings);
        self.tell(beyond);
        let Halves { workload, env } = &halves;
        if let Some(workload) = workload {
            self.unpacked = workload.unpacked.clone();
            self.tell(preflight::of_workload(&workload.part(), secrets.workload));
        }
        if let Some(env) = env {
            self.tell(preflight::of_env(&env.part(), secrets.env, horizon));
        }
        if let (Some(workload), Some(env)) = (workload, env) {
            self.tell(preflight::of_both(&workload.part(), &env.part()));
        }
    }
}

/// How bad secrets are that anybody can read, by section.
struct Secrets {
    workload: Option<Level>,
    env: Option<Level>,
}

impl Secrets {
    /// Contracts are written in the clear: one that looks ready to be sent should not be.
    fn of((workload, env): (bool, bool), is_ready: bool) -> Self {
        let level = if is_ready {
            Level::Warning
        } else {
            Level::Note
        };
        Self {
            workload: workload.then_some(level),
            env: env.then_some(level),
        }
    }
}

/// What is to be said of a part that nobody opened, beside one that was looked into.
fn not_opened(name: &str, place: &Place) -> Finding {
    Finding::warning(
        messages::NOT_OPENED,
        place.clone(),
        format!("`{name}` is sealed and no key was given: what it says, and what both sections say together, was not checked"),
        "give its private key with --key, or check it before it is sealed",
    )
    .with_level(Level::Note)
}

/// What is to be said of the end of the certificate that signed: it is the contract's.
fn end_of(verified: &Verified, horizon: Horizon) -> Option<Finding> {
    const DAY: i64 = 24 * 60 * 60;
    let (validity, place) = (verified.signer()?.validity()?, verified.signing_key_place());
    let ended = signature::ended(validity, horizon.now, place.clone());
    let left = validity.not_after.saturating_sub(horizon.now) / DAY;
    let will_end = || {
        Finding::warning(
            messages::CONTRACT_WILL_EXPIRE,
            place,
            format!("the certificate of the signing key ends in {left} days"),
            "sign the contract with a certificate that lasts",
        )
    };
    ended.or_else(|| (left < i64::from(horizon.days)).then(will_end))
}

#[cfg(test)]
mod tests;
