//! From what a contract says of its containers, a compose archive or Pods, to the containers of the plan.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::plan::{File, Workload};

mod amounts;
pub mod archive;
mod checks;
pub mod compose;
mod image;
pub mod interpolation;
pub(crate) mod paths;
pub(crate) mod pod;
mod reader;
mod room;
mod sources;
pub(crate) mod template;
mod values;
mod wiped;

pub(crate) use image::canonical_registry;

/// A workload, where nothing stops it, and what was found on the way: all that is wrong, or what is worth a look.
pub(crate) type Outcome = (Option<Workload>, Vec<Finding>);

/// Leaves the workload out where a finding stops it, or where a part of it is not known: advice then rests on too little.
fn outcome(
    mut findings: Vec<Finding>,
    is_known: bool,
    workload: impl FnOnce() -> Workload,
) -> Outcome {
    if !is_known {
        findings.retain(Finding::stops);
        return (None, findings);
    }
    let is_good = !findings.iter().any(Finding::stops);
    (is_good.then(workload), findings)
}

/// What a contract gives to its containers.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The merged environment.
    pub variables: &'a interpolation::Variables,
    /// The other party may set further variables: what takes one of these is left out, and neither refused nor judged.
    pub is_open: bool,
    /// Where data volumes are mounted in the guest.
    pub volumes: &'a [String],
    /// The images that signature keys are given for (`images`), by the name that they stand under.
    pub signed: &'a [String],
}

/// What containers may refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// The files of the archive by relative path.
    files: &'a BTreeMap<String, File>,
    variables: &'a interpolation::Variables,
    is_open: bool,
    volumes: &'a [String],
    signed: &'a [String],
}

impl<'a> Surroundings<'a> {
    fn new(given: &Given<'a>, files: &'a BTreeMap<String, File>) -> Self {
        Self {
            files,
            variables: given.variables,
            is_open: given.is_open,
            volumes: given.volumes,
            signed: given.signed,
        }
    }
}

#[cfg(test)]
mod tests;
