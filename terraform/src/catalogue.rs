//! Everything that the provider offers: one line each.
//!
//! A resource, data source or function is a file of its own and a line here; nothing else names it.

use crate::data_source::DataSource;
use crate::data_sources::attestation::Attestation;
use crate::data_sources::encryption_cert::EncryptionCert;
use crate::data_sources::encryption_certs::EncryptionCerts;
use crate::data_sources::image::Image;
use crate::function::Function;
use crate::functions::attestation_verify::AttestationVerify;
#[cfg(unix)]
use crate::functions::deploy::{KubevirtManifests, LibvirtDomain};
use crate::functions::derive_seed::DeriveSeed;
use crate::functions::encrypt::Encrypt;
use crate::functions::tgz::Tgz;
use crate::resource::Resource;
#[cfg(unix)]
use crate::resources::guest;
use crate::resources::{cidata, contract, contract_encrypted, json, text, tgz};

/// What configurations create.
pub(crate) const RESOURCES: &[&dyn Resource] = &[
    &text::TEXT,
    &text::TEXT_ENCRYPTED,
    &json::JSON,
    &json::JSON_ENCRYPTED,
    &tgz::TGZ,
    &tgz::TGZ_ENCRYPTED,
    &contract_encrypted::CONTRACT_ENCRYPTED,
    &contract_encrypted::CONTRACT_ENCRYPTED_CONTRACT_EXPIRY,
    &contract::CONTRACT,
    &cidata::CIDATA,
    // Where QEMU's control socket and processes are those of Unix.
    #[cfg(unix)]
    &guest::Guest,
];

/// What configurations read.
pub(crate) const DATA_SOURCES: &[&dyn DataSource] =
    &[&Image, &Attestation, &EncryptionCerts, &EncryptionCert];

/// What configurations call.
pub(crate) const FUNCTIONS: &[&dyn Function] = &[
    &Encrypt,
    &Tgz,
    &AttestationVerify,
    &DeriveSeed,
    // What they print comes from the crate that runs guests here.
    #[cfg(unix)]
    &LibvirtDomain,
    #[cfg(unix)]
    &KubevirtManifests,
];

/// The resource of a name.
pub(crate) fn resource(name: &str) -> Option<&'static dyn Resource> {
    RESOURCES.iter().copied().find(|one| one.name() == name)
}

/// The data source of a name.
pub(crate) fn data_source(name: &str) -> Option<&'static dyn DataSource> {
    DATA_SOURCES.iter().copied().find(|one| one.name() == name)
}

/// The function of a name.
pub(crate) fn function(name: &str) -> Option<&'static dyn Function> {
    FUNCTIONS.iter().copied().find(|one| one.name() == name)
}
