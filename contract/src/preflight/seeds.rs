//! Seeds that can be guessed: the passphrase of a volume is no better than the two that it is made of.
//!
//! Only what is plainly weak is told: a short alphabet, repetition, a run along the alphabet, one seed in two places. What
//! passes is not proven to be strong.

use std::collections::BTreeSet;

use super::warn;
use crate::finding::Finding;
use crate::messages;
use crate::planning::Part;
use crate::secret::{ExposeSecret as _, SecretString};
use crate::sections::env::EnvSection;
use crate::sections::volumes::EnvVolume;
use crate::sections::workload::WorkloadSection;
use crate::yaml::Document;

/// Fewer different characters than this make too few seeds of the shortest length.
const FEW: usize = 8;
/// Seeds end in the same place for everybody who follows the advice.
const REMEDY: &str = "make a random one, such as `openssl rand -hex 24` prints";

/// The weak seeds of a workload section.
pub(super) fn of_workload(part: &Part<'_, WorkloadSection>) -> Vec<Finding> {
    let volumes = part.section.volumes.iter();
    let seeds = volumes.map(|(name, volume)| Seeds {
        document: part.document,
        name,
        current: Some(&volume.seed),
        previous: volume.previous_seed.as_ref(),
    });
    seeds.filter_map(|seeds| seeds.weak()).collect()
}

/// The weak seeds of an env section.
pub(super) fn of_env(part: &Part<'_, EnvSection>) -> Vec<Finding> {
    let volumes = part.section.volumes.iter();
    let seeds = volumes.map(|(name, volume)| seeds_of_env(part, name, volume));
    seeds.filter_map(|seeds| seeds.weak()).collect()
}

/// Seeds that are the same in both sections.
pub(super) fn shared(
    workload: &Part<'_, WorkloadSection>,
    env: &Part<'_, EnvSection>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, volume) in &env.section.volumes {
        let other = workload.section.volumes.get(name);
        if let (Some(ours), Some(other)) = (&volume.seed, other)
            && ours.expose_secret() == other.seed.expose_secret()
        {
            let cause = "both sections have the same seed: either party alone can open the volume";
            findings.push(seeds_of_env(env, name, volume).told("seed", cause));
        }
    }
    findings
}

fn seeds_of_env<'a>(
    part: &Part<'a, EnvSection>,
    name: &'a str,
    volume: &'a EnvVolume,
) -> Seeds<'a> {
    Seeds {
        document: part.document,
        name,
        current: volume.seed.as_ref(),
        previous: volume.previous_seed.as_ref(),
    }
}

/// The seeds of one volume in one section.
struct Seeds<'a> {
    document: &'a Document,
    name: &'a str,
    current: Option<&'a SecretString>,
    previous: Option<&'a SecretString>,
}

impl Seeds<'_> {
    fn weak(&self) -> Option<Finding> {
        // One that is left of a section that does not follow the schema may be empty; that has been told.
        let current = self.current?.expose_secret();
        if current.is_empty() {
            return None;
        }
        if self
            .previous
            .is_some_and(|previous| previous.expose_secret() == current)
        {
            return Some(self.told("previousSeed", "it is the seed itself: nothing is changed"));
        }
        weakness(current).map(|cause| self.told("seed", cause))
    }

    fn told(&self, key: &str, cause: &str) -> Finding {
        let pointer = format!("/volumes/{}/{key}", self.name);
        warn(
            messages::WEAK_SEED,
            self.document,
            &pointer,
            cause.into(),
            REMEDY,
        )
    }
}

/// Why a seed is plainly weak.
fn weakness(seed: &str) -> Option<&'static str> {
    let letters = seed.as_bytes();
    if letters.iter().collect::<BTreeSet<_>>().len() < FEW {
        return Some("the seed is made of few different characters");
    }
    // A text repeats itself where it is found in its own double before the end of its first half.
    let repeats = |length: usize| {
        letters
            .chunks(length)
            .all(|chunk| letters.starts_with(chunk))
    };
    if (1..=letters.len() / 2).any(repeats) {
        return Some("the seed repeats itself");
    }
    let steps = letters
        .windows(2)
        .filter(|pair| pair[1].abs_diff(pair[0]) <= 1);
    if steps.count() * 3 >= letters.len() * 2 {
        return Some("the seed runs along the alphabet or the digits");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::weakness;

    #[test]
    fn what_is_plainly_weak_is_told_and_what_is_random_is_not() {
        for (seed, expected) in [
            (
                "aaaaaaaaaaaaaaaa",
                Some("the seed is made of few different characters"),
            ),
            (
                "abababababababab",
                Some("the seed is made of few different characters"),
            ),
            ("secret-42secret-42", Some("the seed repeats itself")),
            ("password1password1pass", Some("the seed repeats itself")),
            (
                "abcdefghijklmnop",
                Some("the seed runs along the alphabet or the digits"),
            ),
            (
                "0123456789876543210",
                Some("the seed runs along the alphabet or the digits"),
            ),
            // openssl rand -hex 24
            ("c0f1d83cfca09ae7a7ebb2a0e9f5b1d35a0e7bb3b8ae4e6f", None),
            ("Xk29-vQz!7Lp_wRt", None),
        ] {
            assert_eq!(weakness(seed), expected, "{seed}");
        }
    }
}
