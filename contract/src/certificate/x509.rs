//! Certificates and revocation lists as documents (RFC 5280): read from PEM or DER, bounded, and asked for what chains
//! and people need. Nothing here trusts one.

use std::fmt;

use openssl::asn1::Asn1Time;
use openssl::nid::Nid;
use openssl::x509::{CrlStatus, X509, X509Crl, X509NameRef, X509Ref};

use super::{PublicKey, Validity, unix_seconds};
use crate::error::ContractError;

/// The largest bundle of certificates that is read.
const MAX_CERTIFICATES_BYTES: usize = 1 << 20;
/// The most certificates of a bundle.
const MAX_CERTIFICATES: usize = 64;
/// The largest revocation list that is read.
const MAX_LIST_BYTES: usize = 16 << 20;

/// A certificate.
#[derive(Clone)]
pub struct Certificate(X509);

impl Certificate {
    /// Reads one certificate, PEM or DER.
    pub fn parse(bytes: &[u8]) -> Result<Self, ContractError> {
        match <[Self; 1]>::try_from(Self::parse_all(bytes)?) {
            Ok([certificate]) => Ok(certificate),
            Err(_) => Err(ContractError::Document(
                "there is more than one certificate in it",
            )),
        }
    }

    /// Reads a bundle: certificates in PEM behind one another, or one in DER. At least one.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, ContractError> {
        if bytes.len() > MAX_CERTIFICATES_BYTES {
            return Err(ContractError::Document("it is larger than 1 MiB"));
        }
        let unreadable = |_| ContractError::Document("it is no certificate");
        if !is_pem(bytes) {
            return Ok(vec![Self(X509::from_der(bytes).map_err(unreadable)?)]);
        }
        let all = X509::stack_from_pem(bytes).map_err(unreadable)?;
        if all.is_empty() {
            return Err(ContractError::Document("it holds no certificate"));
        }
        if all.len() > MAX_CERTIFICATES {
            return Err(ContractError::Document(
                "there are more than 64 certificates in it",
            ));
        }
        Ok(all.into_iter().map(Self).collect())
    }

    /// PEM.
    pub fn to_pem(&self) -> Result<Vec<u8>, ContractError> {
        Ok(self.0.to_pem()?)
    }

    /// Whom it names, in one printable line.
    pub fn subject(&self) -> String {
        name(self.0.subject_name())
    }

    /// Who it says has issued it, in one printable line.
    pub fn issuer(&self) -> String {
        name(self.0.issuer_name())
    }

    /// When it is valid.
    pub fn validity(&self) -> Result<Validity, ContractError> {
        Ok(Validity {
            not_before: unix_seconds(self.0.not_before())?,
            not_after: unix_seconds(self.0.not_after())?,
        })
    }

    /// Its key, which must be RSA of 2048 to 8192 bits.
    pub fn public_key(&self) -> Result<PublicKey, ContractError> {
        PublicKey::parse(&self.to_pem()?)
    }

    /// Where it says that its issuer's revocation list lies; it is hostile until the chain is good.
    pub fn revocation_urls(&self) -> Vec<String> {
        let points = self.0.crl_distribution_points();
        let names = points
            .iter()
            .flatten()
            .filter_map(|point| point.distpoint()?.fullname())
            .flatten();
        names.filter_map(|name| name.uri()).map(printable).collect()
    }

    pub(crate) fn x509(&self) -> &X509Ref {
        &self.0
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.subject()).finish()
    }
}

/// A revocation list.
pub struct RevocationList(X509Crl);

impl RevocationList {
    /// Reads one list, PEM or DER.
    pub fn parse(bytes: &[u8]) -> Result<Self, ContractError> {
        if bytes.len() > MAX_LIST_BYTES {
            return Err(ContractError::Document("it is larger than 16 MiB"));
        }
        let list = if is_pem(bytes) {
            X509Crl::from_pem(bytes)
        } else {
            X509Crl::from_der(bytes)
        };
        list.map(Self)
            .map_err(|_| ContractError::Document("it is no revocation list"))
    }

    /// Whether it is that of this authority, by name.
    pub(crate) fn is_of(&self, issuer: &Certificate) -> bool {
        same_name(self.0.issuer_name(), issuer.0.subject_name())
    }

    /// Whether this authority has signed it.
    pub(crate) fn is_signed_by(&self, issuer: &Certificate) -> bool {
        let key = issuer.0.public_key();
        key.is_ok_and(|key| self.0.verify(&key).unwrap_or(false))
    }

    /// Whether it is in force at a time, seconds since the Unix epoch. One without a next update does not end.
    pub(crate) fn is_current(&self, at: i64) -> Result<bool, ContractError> {
        let from = unix_seconds(self.0.last_update())?;
        let to = self.0.next_update().map(unix_seconds).transpose()?;
        Ok(from <= at && to.is_none_or(|to| at <= to))
    }

    /// Whether it names this certificate.
    pub(crate) fn names(&self, certificate: &Certificate) -> bool {
        matches!(
            self.0.get_by_serial(certificate.0.serial_number()),
            CrlStatus::Revoked(_)
        )
    }
}

impl fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RevocationList")
            .field(&name(self.0.issuer_name()))
            .finish()
    }
}

/// Whether two names are one (RFC 5280, section 7.1); two that cannot be compared are not.
pub(crate) fn same_name(one: &X509NameRef, other: &X509NameRef) -> bool {
    one.try_cmp(other).is_ok_and(std::cmp::Ordering::is_eq)
}

fn is_pem(bytes: &[u8]) -> bool {
    super::contains(bytes, b"-----BEGIN ")
}

fn name(name: &X509NameRef) -> String {
    let parts: Vec<String> = name
        .entries()
        .map(|entry| {
            let key = entry.object().nid().short_name().unwrap_or("?");
            let value = entry.data().to_string().unwrap_or_default();
            format!("{key}={}", printable(&value))
        })
        .collect();
    if parts.is_empty() {
        "(no name)".to_owned()
    } else {
        parts.join(", ")
    }
}

/// A name comes from outside: it must not be able to move a terminal's cursor.
fn printable(text: &str) -> String {
    let line = text.chars().take(256);
    line.map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

/// Whether a certificate's signature is of an algorithm that still means something: RSA or ECDSA with SHA-2.
pub(crate) fn is_strong(certificate: &Certificate) -> bool {
    const STRONG: [Nid; 7] = [
        Nid::SHA256WITHRSAENCRYPTION,
        Nid::SHA384WITHRSAENCRYPTION,
        Nid::SHA512WITHRSAENCRYPTION,
        Nid::ECDSA_WITH_SHA256,
        Nid::ECDSA_WITH_SHA384,
        Nid::ECDSA_WITH_SHA512,
        Nid::RSASSAPSS,
    ];
    STRONG.contains(&certificate.0.signature_algorithm().object().nid())
}

/// A time for OpenSSL.
pub(crate) fn asn1(seconds: i64) -> Result<Asn1Time, ContractError> {
    Ok(Asn1Time::from_unix(seconds)?)
}
