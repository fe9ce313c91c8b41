#![allow(clippy::unwrap_used)]
use std::sync::LazyLock;

use super::super::{Expiry, PublicKey, Validity, expiry};
use super::*;

const NOW: i64 = 1_790_000_000;

static CA: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());

fn subject(domain: &str) -> Subject {
    Subject {
        country: "DE".into(),
        organisation: "Example".into(),
        domain: domain.into(),
        ..Subject::default()
    }
}

fn authority() -> Certificate {
    self_signed(&CA, &subject("ca"), 365, NOW).unwrap()
}

#[test]
fn a_signing_certificate_is_valid_for_its_days_and_holds_the_key_of_its_request() {
    let certificate = authority();
    let authority = Authority {
        certificate: &certificate,
        key: &CA,
    };
    let made = authority
        .issue(&request(&KEY, &subject("signer")).unwrap(), 30, NOW)
        .unwrap();
    let key = PublicKey::parse(&made.to_pem().unwrap()).unwrap();
    assert!(key.is_same_key(&KEY.public_key().unwrap()));
    let not_after = NOW + 30 * 24 * 60 * 60;
    assert_eq!(
        key.validity(),
        Some(Validity {
            not_before: NOW,
            not_after
        })
    );
    assert_eq!(expiry(not_after, not_after + 1), Expiry::Expired);
    assert_eq!(made.subject(), "C=DE, O=Example, CN=signer");
    assert_eq!(made.issuer(), "C=DE, O=Example, CN=ca");
    assert!(made.x509().verify(CA.key()).unwrap());
    let again = authority
        .issue(&request(&KEY, &subject("signer")).unwrap(), 30, NOW)
        .unwrap();
    assert_ne!(
        made.to_pem().unwrap(),
        again.to_pem().unwrap(),
        "serials differ"
    );
}

#[test]
fn what_cannot_be_certified_is_refused_for_what_it_is() {
    let certificate = authority();
    let good = request(&KEY, &subject("signer")).unwrap();
    let mut forged = good.clone();
    let at = forged.len() - 60;
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    for (request, key, days, cause) in [
        (&good, &*KEY, 30, "not that of its certificate"),
        (&good, &CA, 0, "for no day"),
        (&good, &CA, 36_501, "more than 36500"),
        (&forged, &CA, 30, "not signed with its own key"),
        (&b"nothing".to_vec(), &CA, 30, "cannot be parsed"),
    ] {
        let authority = Authority {
            certificate: &certificate,
            key,
        };
        let error = authority.issue(request, days, NOW).unwrap_err().to_string();
        assert!(error.contains(cause), "{cause}: {error}");
    }
    let long = Subject {
        country: "DEU".into(),
        ..Subject::default()
    };
    assert!(request(&KEY, &long).is_err());
}
