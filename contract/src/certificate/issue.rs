//! Certificates that authors make: of the key that signs contracts, so that a contract expires with it (specification
//! 2.6), and of a contract key, so that a contract can be sealed to it.
//!
//! Time is a parameter. A request's wishes for extensions are not heard: what is made is an end entity's certificate.

use openssl::asn1::Asn1Integer;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Public};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef, X509Req};

use super::x509::{Certificate, asn1};
use super::{PublicKey, check_rsa};
use crate::error::ContractError;
use crate::private_key::PrivateKey;

/// The longest time that a certificate is made for.
const MAX_DAYS: u32 = 36_500;

/// Whom a request names; what is empty is left out. The parameters that `contract-go` takes.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// `C`, two letters.
    pub country: String,
    /// `ST`.
    pub state: String,
    /// `L`.
    pub location: String,
    /// `O`.
    pub organisation: String,
    /// `OU`.
    pub unit: String,
    /// `CN`.
    pub domain: String,
    /// `emailAddress`.
    pub mail: String,
}

impl Subject {
    /// Whether every part can stand in a certificate: none is longer than its bound, and a country has two letters (RFC
    /// 5280, appendix A.1).
    pub fn is_good(&self) -> bool {
        self.name().is_ok()
    }

    fn name(&self) -> Result<X509Name, ErrorStack> {
        let mut name = X509Name::builder()?;
        for (field, value) in [
            ("C", &self.country),
            ("ST", &self.state),
            ("L", &self.location),
            ("O", &self.organisation),
            ("OU", &self.unit),
            ("CN", &self.domain),
            ("emailAddress", &self.mail),
        ] {
            if !value.is_empty() {
                name.append_entry_by_text(field, value)?;
            }
        }
        Ok(name.build())
    }
}

/// Makes a certificate request (PKCS#10) of a key; PEM.
pub fn request(key: &PrivateKey, subject: &Subject) -> Result<Vec<u8>, ContractError> {
    let name = subject.name().map_err(|_| {
        ContractError::Issue("a part of the subject is too long or has the wrong form")
    })?;
    let mut builder = X509Req::builder()?;
    builder.set_version(0)?;
    builder.set_subject_name(&name)?;
    builder.set_pubkey(key.key())?;
    builder.sign(key.key(), MessageDigest::sha256())?;
    Ok(builder.build().to_pem()?)
}

/// The key of a request (PKCS#10, PEM), which must be RSA and have signed the request.
pub fn requested_key(request: &[u8]) -> Result<PublicKey, ContractError> {
    let (_, key) = read(request)?;
    PublicKey::parse(&key.public_key_to_pem()?)
}

fn read(request: &[u8]) -> Result<(X509Req, PKey<Public>), ContractError> {
    let request = X509Req::from_pem(request)
        .map_err(|_| ContractError::Issue("the request cannot be parsed"))?;
    let key = request
        .public_key()
        .map_err(|_| ContractError::Issue("the request holds no usable key"))?;
    check_rsa(&key).map_err(ContractError::Issue)?;
    if !request.verify(&key).unwrap_or(false) {
        return Err(ContractError::Issue(
            "the request is not signed with its own key",
        ));
    }
    Ok((request, key))
}

/// Who issues.
#[derive(Debug)]
pub struct Authority<'a> {
    /// Its certificate.
    pub certificate: &'a Certificate,
    /// The key of that certificate.
    pub key: &'a PrivateKey,
}

impl Authority<'_> {
    /// Makes a certificate of a request (PKCS#10, PEM), valid for so many days from a time, seconds since the Unix epoch.
    pub fn issue(
        &self,
        request: &[u8],
        days: u32,
        from: i64,
    ) -> Result<Certificate, ContractError> {
        let (request, key) = read(request)?;
        let issuer = self.certificate.x509();
        if !issuer.public_key()?.public_eq(self.key.key()) {
            return Err(ContractError::Issue(
                "the authority's key is not that of its certificate",
            ));
        }
        let mut builder = begin(&key, request.subject_name(), days, from)?;
        builder.set_issuer_name(issuer.subject_name())?;
        let context = builder.x509v3_context(Some(issuer), None);
        let identifiers = [
            SubjectKeyIdentifier::new().build(&context)?,
            AuthorityKeyIdentifier::new().keyid(false).build(&context)?,
        ];
        for identifier in identifiers {
            builder.append_extension(identifier)?;
        }
        builder.append_extension(BasicConstraints::new().critical().build()?)?;
        builder.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
        finish(builder, self.key)
    }
}

/// Makes a certificate of a key by itself, with neither authority nor use named, as encryption certificates are.
pub fn self_signed(
    key: &PrivateKey,
    subject: &Subject,
    days: u32,
    from: i64,
) -> Result<Certificate, ContractError> {
    let name = subject.name().map_err(|_| {
        ContractError::Issue("a part of the subject is too long or has the wrong form")
    })?;
    let mut builder = begin(key.key(), &name, days, from)?;
    builder.set_issuer_name(&name)?;
    finish(builder, key)
}

fn begin<T: HasPublic>(
    key: &PKeyRef<T>,
    subject: &X509NameRef,
    days: u32,
    from: i64,
) -> Result<X509Builder, ContractError> {
    if days == 0 || days > MAX_DAYS {
        return Err(ContractError::Issue(
            "it would be valid for no day, or for more than 36500",
        ));
    }
    let to = from.saturating_add(i64::from(days) * 24 * 60 * 60);
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial()?)?;
    builder.set_subject_name(subject)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&*asn1(from)?)?;
    builder.set_not_after(&*asn1(to)?)?;
    Ok(builder)
}

fn finish(mut builder: X509Builder, key: &PrivateKey) -> Result<Certificate, ContractError> {
    builder.sign(key.key(), MessageDigest::sha512())?;
    Certificate::parse(&builder.build().to_pem()?)
}

/// 127 random bits, which no two certificates share (RFC 5280, section 4.1.2.2).
fn serial() -> Result<Asn1Integer, ErrorStack> {
    let mut number = BigNum::new()?;
    number.rand(127, MsbOption::ONE, false)?;
    number.to_asn1_integer()
}

#[cfg(test)]
mod tests;
