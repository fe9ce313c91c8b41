//! What lies beside the compose file and counts for Compose: `.env`, which gives values for interpolation, and files that
//! would be merged, which are refused. Every finding has its place in its own file.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::Given;
use super::super::archive::Archive;
use super::super::interpolation::{self, Interpolator, Problem, Variables};
use super::{env_file, text_of};
use crate::finding::{self, Finding, Level, Place};
use crate::messages;
use crate::yaml::Origin;

/// The files that Compose merges into the compose file where they lie beside it.
const OVERRIDES: [&str; 4] = [
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
    "compose.override.yaml",
    "compose.override.yml",
];

/// A file that Compose would merge is not passed over.
pub(super) fn overrides(archive: &Archive, place: &Place) -> Vec<Finding> {
    let there = |name: &&str| archive.files.contains_key(*name);
    let told = |name| {
        let origin = Origin::within(place.clone(), name, messages::IMAGE_PARSE_COMPOSE);
        let cause = "a file that Compose would merge into the compose file is not supported";
        let remedy = "write its keys into the compose file (`docker compose config` does), and leave it out of the archive";
        origin.finding(cause, remedy).with_level(Level::Limit)
    };
    OVERRIDES.into_iter().filter(there).map(told).collect()
}

/// What Compose would read first, were it here: the guest knows one name of a compose file.
pub(super) fn passed_over(archive: &Archive, place: &Place) -> Vec<Finding> {
    let there = |name: &&str| archive.files.contains_key(*name);
    let told = |name| {
        let code = messages::WORKLOAD_ADVICE;
        let place = Origin::within(place.clone(), name, code).place("", (0, 0), 0);
        let cause = format!("this file is not read: {} counts", archive.compose);
        Finding::warning(code, place, cause, "keep one of the two")
    };
    ["compose.yaml", "compose.yml"]
        .into_iter()
        .filter(there)
        .map(told)
        .collect()
}

/// The contract's variables over those of `.env` at the archive's top; the contract's alone where not all of them are
/// known, because those that are not would count over the file's.
pub(super) fn variables<'a>(
    archive: &Archive,
    given: &Given<'a>,
    place: &Place,
    findings: &mut Vec<Finding>,
) -> Cow<'a, Variables> {
    const NAME: &str = ".env";
    let contract = given.variables;
    if !archive.files.contains_key(NAME) {
        return Cow::Borrowed(contract);
    }
    let (text, origin) = match text_of(archive, NAME, place) {
        Ok((text, origin)) if text.len() > env_file::MOST_BYTES => {
            findings.push(origin.finding("the file is larger than 1 MiB", "shorten it"));
            return Cow::Borrowed(contract);
        }
        Ok(read) => read,
        Err(finding) => {
            findings.push(finding);
            return Cow::Borrowed(contract);
        }
    };
    let mut interpolator = Interpolator::new(contract).open(given.is_open);
    let (mut variables, wrong) = env_file::read(text, contract, |text, further| match interpolator
        .interpolate_with(text, further)
    {
        Err(Problem::Unknown(_)) => Ok(None),
        read => read.map(Some),
    });
    findings.extend(wrong.into_iter().take(finding::MOST).map(|wrong| {
        let place = origin.place("", (wrong.line, 1), 0);
        let code = messages::IMAGE_PARSE_COMPOSE;
        Finding::new(code, place, wrong.cause, env_file::REMEDY)
    }));
    let unset: BTreeSet<_> = interpolator.take_unset().into_iter().collect();
    findings.extend(unset.iter().take(finding::MOST).map(|name| {
        let (cause, remedy) = interpolation::unset(name);
        let place = origin.place("", (0, 0), 0);
        Finding::warning(messages::WORKLOAD_ADVICE, place, cause, remedy)
    }));
    if given.is_open {
        return Cow::Borrowed(contract);
    }
    let known = contract.iter();
    variables.extend(known.map(|(name, value)| (name.clone(), value.clone())));
    Cow::Owned(variables)
}
