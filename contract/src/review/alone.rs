//! One section by itself: everything that can be known of it while the other is not there, closed or faulty.

use crate::finding::{Finding, Level};
use crate::messages;
use crate::planning::{self, Half, Halves};
use crate::preflight::{self, Horizon};
use crate::product::Product;
use crate::schema::{self, Scope, Section};
use crate::yaml::Document;

/// What a section is reviewed for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) product: Product,
    pub(crate) horizon: Horizon,
    /// How bad secrets are in it; none where nobody but the image can read it.
    pub(crate) secrets: Option<Level>,
}

/// Everything that is to be said of a section on its own.
pub(crate) fn review(
    section: Section,
    scope: Scope,
    document: Document,
    terms: Terms,
) -> Vec<Finding> {
    let Terms {
        product,
        horizon,
        secrets,
    } = terms;
    let mut findings = schema::check(section, scope, product, &document);
    let (halves, preflight) = match section {
        Section::Workload => {
            let half = Half::read(document, &mut findings);
            let preflight = preflight::of_workload(&half.part(), secrets);
            (
                Halves {
                    workload: Some(half),
                    env: None,
                },
                preflight,
            )
        }
        Section::Env => {
            let half = Half::read(document, &mut findings);
            let preflight = preflight::of_env(&half.part(), secrets, horizon);
            (
                Halves {
                    workload: None,
                    env: Some(half),
                },
                preflight,
            )
        }
    };
    let beyond = planning::beyond(product, &halves, &findings);
    findings.extend(beyond);
    findings.extend(preflight);
    once(findings)
}

/// Nothing twice: neither the same words about the same place, nor that a value is weak or a placeholder where it is
/// refused for that very reason.
pub(crate) fn once(findings: Vec<Finding>) -> Vec<Finding> {
    let is_refused = |finding: &Finding| {
        findings.iter().any(|other| match finding.code {
            messages::WEAK_SEED => other.stops() && other.place.is_same(&finding.place),
            messages::PLACEHOLDER => {
                other.code != finding.code && other.place.is_same(&finding.place)
            }
            _ => false,
        })
    };
    let refused: Vec<bool> = findings.iter().map(is_refused).collect();
    let mut told: Vec<Finding> = Vec::with_capacity(findings.len());
    for (finding, is_refused) in findings.into_iter().zip(refused) {
        if !is_refused && !told.contains(&finding) {
            told.push(finding);
        }
    }
    told
}
