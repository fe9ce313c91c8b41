//! Keys, certificates and revocation lists for tests of chains, made as authorities make them.

use std::sync::LazyLock;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, CrlNumber, KeyUsage, SubjectKeyIdentifier,
};
use openssl::x509::{X509CrlBuilder, X509Name, X509RevokedBuilder};

use super::super::*;

pub(super) const NOW: i64 = 1_790_000_000;
pub(super) const DAY: i64 = 24 * 60 * 60;

/// A key and its certificate.
pub(super) struct Party {
    pub(super) key: PKey<Private>,
    pub(super) certificate: Certificate,
}

/// How a certificate is made.
pub(super) struct Make<'a> {
    pub(super) name: &'a str,
    pub(super) issuer: Option<&'a Party>,
    pub(super) extensions: &'a [&'a str],
    pub(super) days: std::ops::Range<i64>,
    pub(super) bits: u32,
    pub(super) digest: MessageDigest,
    pub(super) key: Option<PKey<Private>>,
}

impl Default for Make<'_> {
    fn default() -> Self {
        Self {
            name: "leaf",
            issuer: None,
            extensions: &[],
            days: -10..100,
            bits: 2048,
            digest: MessageDigest::sha512(),
            key: None,
        }
    }
}

impl Make<'_> {
    pub(super) fn party(self) -> Party {
        let fresh = || PKey::from_rsa(Rsa::generate(self.bits).unwrap()).unwrap();
        let key = self.key.unwrap_or_else(fresh);
        let name = name(self.name);
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let serial = BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
        builder.set_serial_number(&serial).unwrap();
        builder.set_subject_name(&name).unwrap();
        let issuer = self
            .issuer
            .map(|issuer| issuer.certificate.x509().subject_name());
        builder.set_issuer_name(issuer.unwrap_or(&name)).unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&time(self.days.start)).unwrap();
        builder.set_not_after(&time(self.days.end)).unwrap();
        let identifier = SubjectKeyIdentifier::new()
            .build(&builder.x509v3_context(None, None))
            .unwrap();
        builder.append_extension(identifier).unwrap();
        for extension in self.extensions {
            let extension = match *extension {
                "ca" => BasicConstraints::new().critical().ca().build(),
                "ca without room" => BasicConstraints::new().critical().ca().pathlen(0).build(),
                "no certificates" => KeyUsage::new().critical().digital_signature().build(),
                other => panic!("{other}"),
            };
            builder.append_extension(extension.unwrap()).unwrap();
        }
        builder
            .sign(self.issuer.map_or(&key, |issuer| &issuer.key), self.digest)
            .unwrap();
        let certificate = Certificate::parse(&builder.build().to_der().unwrap()).unwrap();
        Party { key, certificate }
    }
}

pub(super) fn name(text: &str) -> X509Name {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", text).unwrap();
    name.build()
}

pub(super) fn time(days: i64) -> Asn1Time {
    Asn1Time::from_unix(NOW + days * DAY).unwrap()
}

pub(super) static ROOT: LazyLock<Party> = LazyLock::new(|| {
    Make {
        name: "root",
        extensions: &["ca"],
        ..Make::default()
    }
    .party()
});
pub(super) static BETWEEN: LazyLock<Party> = LazyLock::new(|| between(&["ca"]));
pub(super) static LEAF: LazyLock<Party> = LazyLock::new(|| {
    Make {
        issuer: Some(&BETWEEN),
        ..Make::default()
    }
    .party()
});

pub(super) fn between(extensions: &[&str]) -> Party {
    Make {
        name: "between",
        issuer: Some(&ROOT),
        extensions,
        ..Make::default()
    }
    .party()
}

pub(super) fn list(
    issuer: &Party,
    signer: &Party,
    days: std::ops::Range<i64>,
    serials: &[u32],
) -> RevocationList {
    let mut builder = X509CrlBuilder::new().unwrap();
    builder
        .set_issuer_name(issuer.certificate.x509().subject_name())
        .unwrap();
    builder.set_last_update(&time(days.start)).unwrap();
    builder.set_next_update(&time(days.end)).unwrap();
    for serial in serials {
        let mut revoked = X509RevokedBuilder::new().unwrap();
        let serial = BigNum::from_u32(*serial)
            .unwrap()
            .to_asn1_integer()
            .unwrap();
        revoked.set_serial_number(&serial).unwrap();
        revoked.set_revocation_date(&time(-1)).unwrap();
        builder.add_revoked(revoked.build()).unwrap();
    }
    let identity = X509::builder().unwrap();
    let context = identity.x509v3_context(Some(issuer.certificate.x509()), None);
    let number = CrlNumber::new(BigNum::from_u32(1).unwrap());
    for extension in [
        AuthorityKeyIdentifier::new().keyid(true).build(&context),
        number.unwrap().build(),
    ] {
        builder.append_extension(extension.unwrap()).unwrap();
    }
    builder.sign(&signer.key, MessageDigest::sha512()).unwrap();
    RevocationList::parse(&builder.build().unwrap().to_pem().unwrap()).unwrap()
}
