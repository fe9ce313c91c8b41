//! Keys and certificates for the unit tests, made on the spot.
#![allow(clippy::unwrap_used)]

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509Name};

/// An RSA key pair as PEM.
pub(crate) struct KeyPair {
    pub(crate) private_pem: Vec<u8>,
    pub(crate) public_pem: Vec<u8>,
}

impl KeyPair {
    /// A fresh pair with a modulus of so many bits.
    pub(crate) fn rsa(bits: u32) -> Self {
        let key = PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
        Self {
            private_pem: key.private_key_to_pem_pkcs8().unwrap(),
            public_pem: key.public_key_to_pem().unwrap(),
        }
    }
}

/// A public key that is not RSA.
pub(crate) fn ec_public_pem() -> Vec<u8> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap())
        .unwrap()
        .public_key_to_pem()
        .unwrap()
}

/// A self-signed certificate with this validity, seconds since the Unix epoch.
pub(crate) fn certificate(pair: &KeyPair, not_before: i64, not_after: i64) -> Vec<u8> {
    let key = PKey::private_key_from_pem(&pair.private_pem).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("CN", "test").unwrap();
    let name = name.build();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(not_before).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(not_after).unwrap())
        .unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    builder.build().to_pem().unwrap()
}

/// A tar.gz of these files.
pub(crate) fn targz(files: &[(&str, &[u8])]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}
