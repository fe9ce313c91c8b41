//! What is to be said of a contract that is given as YAML, and what becomes of it before it is sealed.

use std::convert::Infallible;
use std::sync::Arc;

use hpcr_contract::messages;
use hpcr_contract::preflight::Horizon;
use hpcr_contract::product::Product;
use hpcr_contract::review::Review;
use hpcr_contract::stages::Keys;
use hpcr_contract::token::is_sealed;
use hpcr_contract::yaml::{self, Document};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::diagnostic::Diagnostic;
use crate::findings;
use crate::memo::Memo;

/// What findings call the contract.
pub(super) const NAME: &str = "contract";
/// Certificates that end sooner than this are worth a word, in days.
const SOON: u32 = 30;

/// Contracts that were looked into: Terraform comes with each at every step of a run.
static REVIEWS: Memo<Reviewed> = Memo::new(Reviewed::weight);

/// What is to be said of a contract.
#[derive(Debug, PartialEq)]
pub(super) struct Reviewed {
    pub(super) found: Vec<Diagnostic>,
    /// Somebody has sealed the env section already.
    pub(super) has_sealed_env: bool,
}

impl Reviewed {
    fn weight(&self) -> usize {
        self.found.iter().map(Diagnostic::weight).sum()
    }
}

/// What is to be said of the contract that an attribute gives.
pub(super) fn review(contract: &str, place: &str, product: Product, now: i64) -> Arc<Reviewed> {
    let question: [&[u8]; 4] = [
        contract.as_bytes(),
        product.name().as_bytes(),
        place.as_bytes(),
        &now.to_be_bytes(),
    ];
    let Ok(reviewed) = REVIEWS.answer(&question, || {
        Ok::<_, Infallible>(Reviewed {
            found: found(contract, place, product, now),
            has_sealed_env: has_sealed_env(contract),
        })
    });
    reviewed
}

fn found(contract: &str, place: &str, product: Product, now: i64) -> Vec<Diagnostic> {
    let keys = Keys {
        everything: true,
        ..Keys::default()
    };
    let review = Review::of(
        unsigned(contract).as_bytes(),
        NAME,
        keys,
        product,
        Horizon { now, days: SOON },
    );
    let follows_the_schema = review.verified.is_some();
    let mut found = review.findings;
    // It is sealed before anybody sees it.
    found.retain(|one| one.code != messages::PLAIN_SECRETS);
    let mut found = findings::in_text(&found, place);
    for diagnostic in &mut found {
        diagnostic.is_error &= !follows_the_schema;
    }
    found
}

/// A contract without what is put in anew when it is signed: the signature, and the key in its env section. What cannot be
/// read stays as it is: the review says what is wrong with it.
pub(super) fn unsigned(contract: &str) -> Zeroizing<String> {
    let same = || Zeroizing::new(contract.to_owned());
    let Some(mut tree) = tree(contract) else {
        return same();
    };
    let mut removed = vec![];
    if let Some(contract) = tree.as_object_mut() {
        removed.push(contract.remove("envWorkloadSignature"));
    }
    if let Some(env) = tree.get_mut("env").and_then(Json::as_object_mut) {
        removed.push(env.remove("signingKey"));
    }
    let is_changed = removed.iter().any(Option::is_some);
    let written = is_changed.then(|| yaml::write(&tree).ok()).flatten();
    yaml::wipe(&mut tree);
    written.map_or_else(same, Zeroizing::new)
}

/// Whether somebody has sealed the env section already.
fn has_sealed_env(contract: &str) -> bool {
    let Some(mut tree) = tree(contract) else {
        return false;
    };
    let is_token = tree["env"].as_str().is_some_and(is_sealed);
    yaml::wipe(&mut tree);
    is_token
}

fn tree(contract: &str) -> Option<Json> {
    let document = Document::parse(contract, NAME, messages::INVALID_CONTRACT);
    document.ok().map(|document| document.to_json())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rig::certificates::Authority;

    use super::*;
    use crate::context;

    const DAY: i64 = 24 * 60 * 60;

    fn contract(collector: &str) -> String {
        let collector = STANDARD.encode(collector);
        format!(
            "workload:\n  type: workload\n  compose:\n    archive: none\nenv:\n  type: env\n  logging:\n    syslog:\n      hostname: logs.example\n      server: {collector}\n"
        )
    }

    #[test]
    fn a_contract_is_reviewed_once_and_again_for_all_that_its_review_depends_on() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "collector").unwrap();
        let certificate = std::fs::read_to_string(authority.certificate()).unwrap();
        let now = context::now();
        let clear = contract(&certificate);
        let sealed = "workload: hyper-protect-basic.a.b\nenv: hyper-protect-basic.a.b\n";
        let mut seen: Vec<Arc<Reviewed>> = Vec::new();
        for (text, place, product, now) in [
            (clear.as_str(), "contract", Product::Hpvs, now),
            (&clear, "contract_wo", Product::Hpvs, now),
            (&clear, "contract", Product::Ccrv, now),
            (&clear, "contract", Product::Hpvs, now + 350 * DAY),
            (&clear, "contract", Product::Hpvs, now + 400 * DAY),
            (sealed, "contract", Product::Hpvs, now),
            ("workload: [", "contract", Product::Hpvs, now),
        ] {
            let first = review(text, place, product, now);
            assert!(Arc::ptr_eq(&first, &review(text, place, product, now)));
            assert_eq!(first.found, found(text, place, product, now));
            assert_eq!(first.has_sealed_env, text == sealed);
            assert!(!seen.contains(&first), "{text}");
            seen.push(first);
        }
    }
}
