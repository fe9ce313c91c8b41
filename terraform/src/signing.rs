//! Who signs a contract: a private key, its passphrase, and the certificate that a contract ends with.

use std::sync::Arc;

use hpcr_contract::certificate::Certificate;
use hpcr_contract::certificate::issue::{Authority, Subject, request};
use hpcr_contract::error::ContractError;
use hpcr_contract::private_key::{PrivateKey, is_encrypted};
use hpcr_contract::secret::SecretString;

use crate::diagnostic::Diagnostic;
use crate::memo::Memo;
use crate::value::Object;
use crate::value::path::Path;

/// The longest time that a certificate is made for.
const MAX_DAYS: i64 = 36_500;
/// Bits of a key that is made for one contract.
const BITS: u32 = 4096;

/// Keys that were read: each signs many contracts, and the first signature of a key takes longer than those behind it.
static KEYS: Memo<PrivateKey> = Memo::new(|_| KEY);
/// What a key takes at most, with all that the library makes of it: 8192 bits, some ten times.
const KEY: usize = 16 << 10;

/// Drops the keys that were read, which wipes them.
pub(crate) fn forget_keys() {
    KEYS.forget();
}

/// A key that signs, as [`private_key`] reads it.
pub(crate) fn key(
    pem: &str,
    passphrase: Option<&str>,
    places: (&str, &str),
) -> Result<Arc<PrivateKey>, Diagnostic> {
    let given = [Some(pem), passphrase];
    let question: Vec<_> = given.into_iter().flatten().map(str::as_bytes).collect();
    KEYS.answer(&question, || private_key(pem, passphrase, places))
}

/// A key from PEM; `places` are the attributes of the key and of its passphrase. That one is missing is told at the key.
pub(crate) fn private_key(
    pem: &str,
    passphrase: Option<&str>,
    places: (&str, &str),
) -> Result<PrivateKey, Diagnostic> {
    let key = match passphrase {
        Some(passphrase) => {
            PrivateKey::from_pem_with_passphrase(pem.as_bytes(), &SecretString::from(passphrase))
        }
        None => PrivateKey::from_pem(pem.as_bytes()),
    };
    key.map_err(|error| {
        let place = match error {
            ContractError::PassphraseWrong => places.1,
            _ => places.0,
        };
        Diagnostic::of(&error, Path::of(place))
    })
}

/// A key for one contract.
pub(crate) fn temporary() -> Result<Arc<PrivateKey>, Diagnostic> {
    let key = PrivateKey::generate(BITS).map(Arc::new);
    key.map_err(|error| Diagnostic::of(&error, Path::default()))
}

/// That a passphrase is given to a key that takes none.
pub(crate) fn needless(pem: &str, passphrase: Option<&str>, place: &str) -> Option<Diagnostic> {
    (passphrase.is_some() && !is_encrypted(pem.as_bytes())).then(|| {
        Diagnostic::warning(
            Path::of(place),
            "The key takes no password",
            "The private key is not encrypted, and the password is not used.",
        )
    })
}

/// That a number of days is none that a contract can be good for.
pub(crate) fn wrong_days(config: &Object, name: &str) -> Option<Diagnostic> {
    let given = config.get(name)?;
    let is_open = given.is_null() || given.has_unknown();
    let is_good = |days| (1..=MAX_DAYS).contains(&days);
    (!is_open && !given.as_whole().is_some_and(is_good)).then(|| {
        let detail = format!("Give a whole number of days from 1 to {MAX_DAYS}.");
        Diagnostic::error(Path::of(name), "This is no number of days", detail)
    })
}

/// What is to be said of a signature over an env section that is sealed already: nothing can be put into that any more.
/// `key` is the attribute that gives the key, `made` the one that would if one were not made, `expiry` says when the
/// contract ends.
pub(crate) fn beside_sealed_env(key: Option<&str>, made: &str, expiry: Option<&str>) -> Diagnostic {
    if let Some(expiry) = expiry {
        let summary = "The env section is sealed, and cannot be given an end";
        let detail = "The certificate that a contract ends with stands in the env section as signingKey, and that is sealed already. Give the env section in the clear; or let whoever seals it put the certificate in, and sign here with its key and without an expiry.";
        return Diagnostic::error(Path::of(expiry), summary, detail);
    }
    match key {
        None => {
            let summary = "The env section is sealed, and does not know the key that signs";
            let detail = format!(
                "A key would be made, whose public half cannot go into the env section any more, so no guest would take the contract. Give {made}: the key whose public half the env section has as signingKey. Or give the env section in the clear."
            );
            Diagnostic::error(Path::of(made), summary, detail)
        }
        Some(key) => {
            let summary = "The env section is sealed, and has to know the key that signs";
            let detail = "No guest takes the contract unless the env section has the public half of this key as signingKey, which cannot be seen here. Ask whoever has sealed it, or give the env section in the clear.";
            Diagnostic::warning(Path::of(key), summary, detail)
        }
    }
}

/// An authority that issues certificates of signing keys, as attributes give it.
#[derive(Debug)]
pub(crate) struct Issuer {
    certificate: Certificate,
    key: PrivateKey,
    place: Path,
}

impl Issuer {
    /// Reads it; `places` are the attributes of certificate and key.
    pub(crate) fn read(
        (certificate, key): (&str, &str),
        places: (&str, &str),
    ) -> Result<Self, Vec<Diagnostic>> {
        let certificate = Certificate::parse(certificate.as_bytes())
            .map_err(|error| Diagnostic::of(&error, Path::of(places.0)));
        let key = PrivateKey::from_pem(key.as_bytes())
            .map_err(|error| Diagnostic::of(&error, Path::of(places.1)));
        match (certificate, key) {
            (Ok(certificate), Ok(key)) => {
                let place = Path::of(places.1);
                let told = |error| vec![Diagnostic::of(&error, place.clone())];
                let public = key.public_key().map_err(told)?;
                let own = certificate
                    .public_key()
                    .map_err(|error| vec![Diagnostic::of(&error, Path::of(places.0))])?;
                if !own.is_same_key(&public) {
                    let summary = "The authority's key is not that of its certificate";
                    let detail = format!("Give {} and {} of one authority.", places.0, places.1);
                    return Err(vec![Diagnostic::error(place, summary, detail)]);
                }
                Ok(Self {
                    certificate,
                    key,
                    place,
                })
            }
            (certificate, key) => Err([certificate.err(), key.err()]
                .into_iter()
                .flatten()
                .collect()),
        }
    }

    /// A certificate of a request (PEM), valid for so many days from a time, seconds since the Unix epoch.
    pub(crate) fn issue(
        &self,
        request: &[u8],
        days: u32,
        from: i64,
    ) -> Result<Certificate, Diagnostic> {
        let authority = Authority {
            certificate: &self.certificate,
            key: &self.key,
        };
        authority
            .issue(request, days, from)
            .map_err(|error| Diagnostic::of(&error, self.place.clone()))
    }

    /// A certificate of a key.
    pub(crate) fn certify(
        &self,
        key: &PrivateKey,
        subject: &Subject,
        (days, from): (u32, i64),
        place: &str,
    ) -> Result<Certificate, Diagnostic> {
        let request =
            request(key, subject).map_err(|error| Diagnostic::of(&error, Path::of(place)))?;
        self.issue(&request, days, from)
    }
}
