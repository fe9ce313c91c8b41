//! Who signs a contract: a private key, its passphrase, and the certificate that a contract ends with.

use hpcr_contract::certificate::Certificate;
use hpcr_contract::certificate::issue::{Authority, Subject, request};
use hpcr_contract::error::ContractError;
use hpcr_contract::private_key::{PrivateKey, is_encrypted};
use hpcr_contract::secret::SecretString;

use crate::diagnostic::Diagnostic;
use crate::value::path::Path;

/// Bits of a key that is made for one contract.
const BITS: u32 = 4096;

/// A key from PEM; `places` are the attributes of the key and of its passphrase.
pub(crate) fn key(
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
            ContractError::PassphraseWrong | ContractError::PassphraseMissing => places.1,
            _ => places.0,
        };
        Diagnostic::of(&error, Path::of(place))
    })
}

/// A key for one contract.
pub(crate) fn temporary() -> Result<PrivateKey, Diagnostic> {
    PrivateKey::generate(BITS).map_err(|error| Diagnostic::of(&error, Path::default()))
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
            (Ok(certificate), Ok(key)) => Ok(Self {
                certificate,
                key,
                place: Path::of(places.1),
            }),
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
