//! Versions of images, and ranges of them as configurations write them: `*`, `1.0.14`, `>=1.0.8 <1.0.12`, `~1.0.9`,
//! `1.0.8 - 1.0.10`, `^1 || 3.x`. A bare version means itself alone.

use semver::{Version, VersionReq};

/// Longer ranges are nobody's.
const MAX_LENGTH: usize = 256;

/// A range: one of several conjunctions.
#[derive(Debug)]
pub(crate) struct Range(Vec<Conjunction>);

#[derive(Debug, Default)]
struct Conjunction {
    all: Vec<VersionReq>,
    none: Vec<VersionReq>,
}

impl Range {
    /// Reads a range; none where it is no range.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        let parts = text.split("||").map(Conjunction::parse);
        parts.collect::<Option<_>>().map(Self)
    }

    /// Whether a version is in it.
    pub(crate) fn has(&self, version: &Version) -> bool {
        self.0.iter().any(|part| {
            part.all.iter().all(|one| one.matches(version))
                && !part.none.iter().any(|one| one.matches(version))
        })
    }
}

impl Conjunction {
    fn parse(text: &str) -> Option<Self> {
        let mut parsed = Self::default();
        let mut words = text
            .split(|letter: char| letter == ',' || letter.is_whitespace())
            .filter(|word| !word.is_empty())
            .peekable();
        words.peek()?;
        while let Some(word) = words.next() {
            // An operator may stand apart from its version.
            let operand = word.trim_start_matches(OPERATORS);
            let operator = &word[..word.len() - operand.len()];
            let operand = if operand.is_empty() {
                words.next()?
            } else {
                operand
            };
            let operand = operand.strip_prefix('v').unwrap_or(operand);
            if operator.is_empty() && words.next_if_eq(&"-").is_some() {
                parsed.all.push(requirement(">=", operand)?);
                parsed.all.push(requirement("<=", words.next()?)?);
            } else if operator == "!=" {
                parsed.none.push(requirement("=", operand)?);
            } else {
                parsed.all.push(requirement(operator, operand)?);
            }
        }
        Some(parsed)
    }
}

const OPERATORS: [char; 6] = ['=', '<', '>', '~', '^', '!'];

fn requirement(operator: &str, operand: &str) -> Option<VersionReq> {
    let operator = match operator {
        "" if operand.contains(['*', 'x', 'X']) => "",
        "" | "==" => "=",
        "=>" => ">=",
        "=<" => "<=",
        "~>" => "~",
        other => other,
    };
    VersionReq::parse(&format!("{operator}{operand}")).ok()
}

/// A version as people write it: `1.0.14`, `v1.0.14`, or `1.0`, which is `1.0.0`; none where it is none.
pub(crate) fn lenient(text: &str) -> Option<Version> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let missing = 2_usize.checked_sub(numbers.matches('.').count())?;
    Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(missing))).ok()
}

/// The highest of named things whose version is in a range.
pub(crate) fn highest<T>(
    named: impl IntoIterator<Item = (Version, T)>,
    range: &Range,
) -> Option<(Version, T)> {
    let within = named.into_iter().filter(|(version, _)| range.has(version));
    within.max_by(|(one, _), (other, _)| one.cmp(other))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranges_hold_what_their_writers_mean() {
        for (range, inside, outside) in [
            ("*", &["1.0.0", "9.9.9"][..], &[][..]),
            ("1.0.14", &["1.0.14"], &["1.0.15", "1.0.13"]),
            ("=1.0.14", &["1.0.14"], &["1.0.15"]),
            (
                ">=1.0.8 <1.0.12",
                &["1.0.8", "1.0.11"],
                &["1.0.7", "1.0.12"],
            ),
            (">= 1.0.8, < 1.0.12", &["1.0.8"], &["1.0.12"]),
            ("~1.0.9", &["1.0.9", "1.0.20"], &["1.0.8", "1.1.0"]),
            ("~> 1.0.9", &["1.0.20"], &["1.1.0"]),
            ("^1.0.0", &["1.9.0"], &["2.0.0"]),
            ("1.0.x", &["1.0.3"], &["1.1.0"]),
            ("1.0", &["1.0.3"], &["1.1.0"]),
            ("1.0.8 - 1.0.10", &["1.0.8", "1.0.10"], &["1.0.11"]),
            ("<1.0.3 || >1.0.5", &["1.0.2", "1.0.6"], &["1.0.4"]),
            (">1.0.0 !=1.0.2", &["1.0.1"], &["1.0.2"]),
            ("v1.0.2", &["1.0.2"], &["1.0.3"]),
        ] {
            let parsed = Range::parse(range).unwrap();
            for version in inside {
                assert!(
                    parsed.has(&Version::parse(version).unwrap()),
                    "{range}: {version}"
                );
            }
            for version in outside {
                assert!(
                    !parsed.has(&Version::parse(version).unwrap()),
                    "{range}: {version}"
                );
            }
        }
    }

    #[test]
    fn versions_are_read_as_people_write_them() {
        for (text, version) in [
            ("1.0.14", "1.0.14"),
            ("v1.0.14", "1.0.14"),
            ("1.0", "1.0.0"),
            ("v2", "2.0.0"),
            ("1.0-rc.1", "1.0.0-rc.1"),
        ] {
            assert_eq!(lenient(text), Version::parse(version).ok(), "{text}");
        }
        for text in ["", "x", "v", "1.", "1.0.0.0", "1.x", "-1"] {
            assert_eq!(lenient(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_range_is_none() {
        for text in [
            "",
            "  ",
            "latest",
            ">=",
            "1.0.8 -",
            "||",
            ">=1.0.0 ||",
            "1.0.0.0",
            "><1",
        ] {
            assert!(Range::parse(text).is_none(), "{text}");
        }
        assert!(Range::parse(&"1.0.0 ".repeat(100)).is_none());
    }
}
