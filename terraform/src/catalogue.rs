//! Everything that the provider offers: one line each.
//!
//! A resource, data source or function is a file of its own and a line here; nothing else names it.

use crate::data_source::DataSource;
use crate::data_sources::attestation::Attestation;
use crate::data_sources::encryption_cert::EncryptionCert;
use crate::data_sources::encryption_certs::EncryptionCerts;
use crate::data_sources::image::Image;
use crate::function::Function;
use crate::functions::attestation_open::AttestationOpen;
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
    &AttestationOpen,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::schema::{Attribute, Form};

    /// Everything between back-ticks in the pages about Terraform.
    fn written() -> BTreeSet<String> {
        let page = |name: &str| {
            fs::read_to_string(format!("{}/../docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
        };
        let pages = page("terraform.md") + &page("deploy.md");
        let quoted = pages.split('`').skip(1).step_by(2);
        quoted.map(str::to_owned).collect()
    }

    #[test]
    fn the_book_names_everything_and_every_attribute_of_it() {
        let written = written();
        let schemas = RESOURCES.iter().map(|one| (one.name(), one.schema()));
        let data = DATA_SOURCES.iter().map(|one| (one.name(), one.schema()));
        for (name, schema) in schemas.chain(data) {
            assert!(written.contains(name), "{name}");
            for attribute in &schema.attributes {
                assert!(
                    written.contains(&attribute.name),
                    "{name}: {}",
                    attribute.name
                );
            }
        }
        for function in FUNCTIONS {
            let lead = format!("provider::hpcr::{}(", function.name());
            assert!(
                written.iter().any(|quoted| quoted.starts_with(&lead)),
                "{lead}"
            );
        }
    }

    #[test]
    fn the_book_puts_the_provider_of_this_version_into_a_mirror() {
        let version = env!("CARGO_PKG_VERSION");
        let place =
            format!("local/hpcr/hpcr/{version}/linux_amd64/terraform-provider-hpcr_v{version}");
        let book = fs::read_to_string(format!(
            "{}/../docs/terraform.md",
            env!("CARGO_MANIFEST_DIR")
        ));
        assert!(book.unwrap().contains(&place), "{place}");
    }

    #[test]
    fn terraform_takes_every_schema() {
        fn check(attributes: &[Attribute], place: &str) {
            let mut names = BTreeSet::new();
            for attribute in attributes {
                let place = format!("{place}.{}", attribute.name);
                let letters = attribute.name.bytes();
                let is_small =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
                assert!(
                    letters.clone().count() > 0 && letters.clone().all(is_small),
                    "{place}"
                );
                assert!(names.insert(&attribute.name), "{place} stands twice");
                assert!(
                    !attribute.description.is_empty(),
                    "{place} has no description"
                );
                if let Form::Nested(_, attributes) = &attribute.form {
                    check(attributes, &place);
                }
            }
        }
        for resource in RESOURCES {
            check(&resource.schema().attributes, resource.name());
        }
        for source in DATA_SOURCES {
            check(&source.schema().attributes, source.name());
        }
    }
}
