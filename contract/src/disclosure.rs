//! What may be told of a rejected contract, and to whom: the one rule that keeps the console from being an oracle.
//!
//! On a production image, a contract with tokens that nobody has vouched for gets one code and one text, whatever was
//! wrong with it. One whose signature held gets the codes and their texts, but no place and no key: the host can sign
//! its own env beside a stolen workload, and must not learn what stands in that. The kind explanations belong to `hpcr-check`, before sealing. No text here holds a value of a contract,
//! and none can move the cursor of the console that it is printed on.

use std::fmt;

use crate::finding::Finding;
use crate::image_config::ImageKind;
use crate::messages::{self, Code};
use crate::stages::Rejection;

/// The most findings that are told.
const MAX_LINES: usize = 20;
/// The most characters of one of them.
const MAX_CHARACTERS: usize = 1_000;

const FIXED: &str = "the contract is invalid; an image for production does not say why a sealed contract is rejected: \
                     check its sections in the clear with hpcr-check, and that they were sealed for this image";

/// A line for the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The message code.
    pub code: Code,
    /// The text, without control characters.
    pub text: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text)
    }
}

/// What an image of this kind may tell of a rejection: at least one line.
pub fn tell(rejection: &Rejection, kind: ImageKind) -> Vec<Told> {
    let hidden = kind == ImageKind::Production && rejection.sealed && !rejection.authenticated;
    let stops: Vec<_> = rejection
        .findings
        .iter()
        .filter(|one| one.stops())
        .collect();
    if hidden || stops.is_empty() {
        return vec![Told {
            code: messages::INVALID_CONTRACT,
            text: FIXED.into(),
        }];
    }
    let bare = kind == ImageKind::Production && rejection.sealed;
    let lines = stops.iter().copied().take(MAX_LINES);
    let mut told: Vec<_> = lines.map(if bare { code_alone } else { line }).collect();
    if bare {
        // Neither their order nor their number says anything of the sections.
        told.sort_by_key(|told| told.code);
        told.dedup();
        return told;
    }
    if let Some(more) = stops.len().checked_sub(MAX_LINES + 1) {
        told.push(Told {
            code: messages::INVALID_CONTRACT,
            text: format!("and {} more findings", more + 1),
        });
    }
    told
}

/// What the catalogue says, and nothing of the contract.
fn code_alone(finding: &Finding) -> Told {
    let text = finding.code.entry().map_or("", |entry| entry.text);
    Told {
        code: finding.code,
        text: format!("{text}; hpcr-check tells the place"),
    }
}

/// Key names of a hostile contract stand in a finding: they are cut, and their control characters replaced.
fn line(finding: &Finding) -> Told {
    let text = format!("{}: {}; {}", finding.place, finding.cause, finding.remedy);
    Told {
        code: finding.code,
        text: printable(&text, MAX_CHARACTERS),
    }
}

/// One line that cannot move a terminal's cursor: at most so many characters, none of them a control character.
pub fn printable(text: &str, most: usize) -> String {
    let shown = |letter: char| {
        if letter.is_control() {
            '\u{fffd}'
        } else {
            letter
        }
    };
    text.chars().take(most).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;

    fn rejection(sealed: bool, authenticated: bool, causes: &[&str]) -> Rejection {
        let findings = causes
            .iter()
            .map(|cause| {
                Finding::new(
                    messages::SCHEMA_VALIDATE_CONTRACT,
                    Place::at("env", "volumes"),
                    *cause,
                    "do it",
                )
            })
            .collect();
        Rejection {
            findings,
            sealed,
            authenticated,
        }
    }

    #[test]
    fn a_production_image_tells_one_text_of_a_sealed_contract_until_it_is_authenticated() {
        use ImageKind::{Development, Production};
        for (kind, sealed, authenticated, hidden) in [
            (Production, true, false, true),
            (Production, true, true, false),
            (Production, false, false, false),
            (Development, true, false, false),
            (Development, false, false, false),
        ] {
            let one = tell(&rejection(sealed, authenticated, &["a"]), kind);
            let other = tell(&rejection(sealed, authenticated, &["b", "c"]), kind);
            let same = kind == Production && sealed;
            assert_eq!(one == other, same, "{kind:?} {sealed} {authenticated}");
            let expected = match (hidden, same) {
                (true, _) => format!("HPL11001E: {FIXED}"),
                (false, true) => {
                    "HPL05001E: the contract does not follow its schema; hpcr-check tells the place"
                        .to_owned()
                }
                (false, false) => "HPL05001E: env at volumes: a; do it".to_owned(),
            };
            assert_eq!(one[0].to_string(), expected);
        }
    }

    #[test]
    fn a_hostile_contract_can_neither_flood_the_console_nor_move_its_cursor() {
        let causes = vec!["\u{1b}[2J\r\nHPL10001I: all is well"; 100_000];
        let told = tell(&rejection(false, false, &causes), ImageKind::Production);
        assert_eq!(told.len(), MAX_LINES + 1);
        assert!(
            told.iter()
                .all(|line| !line.text.contains(char::is_control))
        );
        assert_eq!(told[MAX_LINES].text, "and 99980 more findings");
        let long = "x".repeat(1 << 20);
        assert_eq!(
            tell(&rejection(false, false, &[&long]), ImageKind::Production)[0]
                .text
                .chars()
                .count(),
            MAX_CHARACTERS
        );
    }
}
