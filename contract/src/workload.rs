//! From what a contract says of its containers, a compose archive or Pods, to the containers of the plan.

use std::collections::BTreeMap;

use crate::plan::File;

mod amounts;
pub mod archive;
mod checks;
pub mod compose;
mod image;
pub mod interpolation;
pub(crate) mod paths;
mod reader;
mod sources;
pub(crate) mod template;
mod values;

pub(crate) use image::canonical_registry;

/// What the containers of a contract may refer to.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The files of the archive by relative path.
    pub files: &'a BTreeMap<String, File>,
    /// The merged environment of the contract.
    pub variables: &'a interpolation::Variables,
    /// Where data volumes are mounted in the guest.
    pub volumes: &'a [String],
}
