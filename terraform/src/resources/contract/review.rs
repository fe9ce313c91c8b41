//! What the core says of an `hpcr_contract`, as far as it is known while Terraform validates and plans.

use std::convert::Infallible;
use std::sync::Arc;

use hpcr_contract::authoring;
use hpcr_contract::finding::{Finding, Level};
use hpcr_contract::messages;
use hpcr_contract::preflight::Horizon;
use hpcr_contract::product::Product;
use hpcr_contract::review::Review;
use hpcr_contract::stages::Keys;

use super::draft::{Draft, Half};
use super::signer::Terms;
use crate::diagnostic::Diagnostic;
use crate::memo::Memo;

/// What findings call the contract.
pub(super) const NAME: &str = "contract";

/// All of it where all of it is known, or else each section on its own.
pub(super) fn of(
    draft: &Draft,
    terms: &Terms<'_>,
    product: Product,
    horizon: Horizon,
) -> Vec<Diagnostic> {
    if !draft.is_open && draft.is_whole() {
        return match draft.contract() {
            Ok(contract) => draft.told(&whole(&contract, draft, terms, (product, horizon))),
            Err(failed) => failed,
        };
    }
    let mut told = draft.told(&alone(draft, product, horizon));
    if !draft.is_whole() && terms.sign() {
        told.push(Diagnostic::error(
            terms.place(),
            "A section on its own is not signed",
            "Leave the signing key out here: whoever has both sections signs the contract.",
        ));
    }
    told
}

/// Contracts that were looked into: Terraform comes with each at every step of a run.
static REVIEWS: Memo<Vec<Finding>> = Memo::new(|found| weight(found));

fn weight(found: &[Finding]) -> usize {
    let texts = |one: &Finding| one.cause.len() + one.remedy.len() + one.place.to_string().len();
    let weights = found.iter().map(|one| size_of::<Finding>() + texts(one));
    weights.sum()
}

fn whole(
    contract: &str,
    draft: &Draft,
    terms: &Terms<'_>,
    (product, horizon): (Product, Horizon),
) -> Arc<Vec<Finding>> {
    let [key, password] = terms.key_and_password();
    let question: [&[u8]; 6] = [
        contract.as_bytes(),
        key.as_bytes(),
        password.as_bytes(),
        product.name().as_bytes(),
        &horizon.now.to_be_bytes(),
        &horizon.days.to_be_bytes(),
    ];
    let Ok(found) = REVIEWS.answer(&question, || {
        Ok::<_, Infallible>(reviewed(contract, draft, terms, (product, horizon)))
    });
    found
}

/// The contract as it would be signed.
fn reviewed(
    contract: &str,
    draft: &Draft,
    terms: &Terms<'_>,
    (product, horizon): (Product, Horizon),
) -> Vec<Finding> {
    let any_sealed = draft.halves.iter().any(Half::is_sealed);
    // A key that does not read is told where it stands; the contract is reviewed without it.
    let signed = match terms.key() {
        Ok(Some(key)) if !any_sealed => match authoring::sign(contract, NAME, &*key) {
            Ok(signed) => Some(signed.text),
            Err(found) => return found,
        },
        _ => None,
    };
    let text = signed.as_ref().map_or(contract, |signed| signed.as_str());
    let everything = Keys {
        everything: true,
        ..Keys::default()
    };
    let mut found = Review::of(text.as_bytes(), NAME, everything, product, horizon).findings;
    // It is sealed before anybody sees it; and whoever gives a sealed section knows that it is.
    found.retain(|one| ![messages::PLAIN_SECRETS, messages::NOT_OPENED].contains(&one.code));
    found
}

/// What the core says of each section that is known and open, on its own.
fn alone(draft: &Draft, product: Product, horizon: Horizon) -> Vec<Finding> {
    let mut found: Vec<_> = draft
        .halves
        .iter()
        .flat_map(|half| half.review(product, horizon))
        .collect();
    // A section that is to be completed may do without.
    found.retain(|one| one.level == Level::Error || one.code != messages::LOGGING_NONE);
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use hpcr_contract::private_key::PrivateKey;

    use super::*;
    use crate::value::{Object, Value};

    #[test]
    fn a_contract_is_reviewed_once_and_again_with_another_key_for_another_product_and_at_another_time()
     {
        let pem = || {
            let key = PrivateKey::generate(2048).unwrap().to_pem().unwrap();
            String::from_utf8(key.to_vec()).unwrap()
        };
        let (one, other) = (pem(), pem());
        let workload = "type: workload\ncompose:\n  archive: none\n";
        let env = "type: env\nlogging: {}\n";
        let horizon = |now| Horizon { now, days: 30 };
        let mut seen: Vec<Arc<Vec<Finding>>> = Vec::new();
        for (env, key, product, now) in [
            (env, &one, Product::Hpvs, 1),
            (env, &other, Product::Hpvs, 1),
            (env, &one, Product::Ccrv, 1),
            (env, &one, Product::Hpvs, 2),
            (env, &String::from("no key"), Product::Hpvs, 1),
            ("type: [", &one, Product::Hpvs, 1),
            ("hyper-protect-basic.a.b", &one, Product::Hpvs, 1),
        ] {
            let given = [
                ("workload_yaml", workload),
                ("env_yaml", env),
                ("signing_key", key),
            ];
            let given = given.map(|(name, text)| (name.to_owned(), Value::text(text)));
            let config = Object::from(given);
            let (draft, terms) = (Draft::read(&config).unwrap(), Terms::read(&config).unwrap());
            let contract = draft.contract().unwrap();
            let aim = (product, horizon(now));
            let first = whole(&contract, &draft, &terms, aim);
            assert!(Arc::ptr_eq(&first, &whole(&contract, &draft, &terms, aim)));
            assert_eq!(*first, reviewed(&contract, &draft, &terms, aim));
            assert!(!seen.iter().any(|former| Arc::ptr_eq(former, &first)));
            seen.push(first);
        }
    }
}
