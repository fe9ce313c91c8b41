//! A finding: what is wrong with an input, how bad that is, where exactly, and what to do about it.
//!
//! A finding names places and keys, never a value: a contract's values are secrets until proven otherwise. It never
//! decides who may see it; `disclosure` does.

use std::fmt;

use crate::messages::Code;

/// The most findings that one part of a contract is worth, of those that stop and of the others: a hostile one must not
/// make us tell a hundred thousand.
pub const MOST: usize = 100;

/// Where in the input a finding lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it (`contract.yaml`), or the part of the contract (`env`, `docker-compose.yaml`).
    pub file: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
    /// How many characters the value takes, where it is known; it may go on over further lines.
    pub length: Option<u32>,
    /// The key path, dotted (`env.volumes.data.seed`); empty for the whole.
    pub path: String,
    /// What holds the file, where it is no file of its own: a token, or an archive.
    pub outer: Option<Box<Place>>,
}

impl Place {
    /// The place of a key path in a named part of the input.
    pub fn at(file: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            path: path.into(),
            ..Self::default()
        }
    }

    /// The same place with a line and a column, both from 1.
    #[must_use]
    pub fn with_position(mut self, line: u32, column: u32) -> Self {
        self.line = Some(line);
        self.column = Some(column);
        self
    }

    /// The same place with the length of its value in characters; 0 says nothing.
    #[must_use]
    pub fn with_length(mut self, length: u32) -> Self {
        self.length = (length > 0).then_some(length);
        self
    }

    /// Whether both are the same line and column of the same file, whatever key they are told by.
    pub fn is_same(&self, other: &Self) -> bool {
        let spot = |place: &Self| (place.file.clone(), place.line, place.column);
        let outer = match (&self.outer, &other.outer) {
            (Some(one), Some(other)) => one.is_same(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        outer && self.line.is_some() && spot(self) == spot(other)
    }

    /// The same place inside of what lies at another: the outermost file of this place is what that holds.
    #[must_use]
    pub fn inside(mut self, outer: Self) -> Self {
        let outer = match self.outer.take() {
            Some(between) => between.inside(outer),
            None => outer,
        };
        self.outer = Some(Box::new(outer));
        self
    }

    /// The place and all that hold it, outermost first.
    pub fn chain(&self) -> Vec<&Self> {
        let mut chain: Vec<_> =
            std::iter::successors(Some(self), |place| place.outer.as_deref()).collect();
        chain.reverse();
        chain
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        Ok(())
    }
}

/// `contract.yaml:9:14 at workload.compose.archive → docker-compose.yaml:7:5 at services.web`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, place) in self.chain().into_iter().enumerate() {
            if index > 0 {
                f.write_str(" → ")?;
            }
            place.write(f)?;
        }
        Ok(())
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing, and as it should be where a contract is being written.
    Note,
    /// Worth a look; nothing stops.
    Warning,
    /// The contract is good, but the guest of this version does not run it: it stops with the finding's code.
    Limit,
    /// The contract is bad: no guest runs it.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// The message code.
    pub code: Code,
    /// Where.
    pub place: Place,
    /// What is wrong, without any value of the contract.
    pub cause: Box<str>,
    /// What to do.
    pub remedy: Box<str>,
}

impl Finding {
    /// An error; cause and remedy without any value of the contract.
    pub fn new(
        code: Code,
        place: Place,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            level: Level::Error,
            code,
            place,
            cause: cause.into().into_boxed_str(),
            remedy: remedy.into().into_boxed_str(),
        }
    }

    /// What the guest of this version does not do, and the contract asks for.
    pub fn limit(
        code: Code,
        place: Place,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(code, place, cause, remedy).with_level(Level::Limit)
    }

    /// What is worth a look.
    pub fn warning(
        code: Code,
        place: Place,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(code, place, cause, remedy).with_level(Level::Warning)
    }

    /// The same finding at another level.
    #[must_use]
    pub fn with_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The same finding inside of what lies at a place.
    #[must_use]
    pub fn inside(mut self, outer: &Place) -> Self {
        self.place = self.place.inside(outer.clone());
        self
    }

    /// Whether it keeps the guest from running the contract.
    pub fn stops(&self) -> bool {
        self.level > Level::Warning
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}: {}; {}",
            self.code, self.place, self.cause, self.remedy
        )
    }
}

/// Both results, or the findings of both.
pub(crate) fn both<A, B>(
    first: Result<A, Vec<Finding>>,
    second: Result<B, Vec<Finding>>,
) -> Result<(A, B), Vec<Finding>> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (first, second) => Err([first.err(), second.err()]
            .into_iter()
            .flatten()
            .flatten()
            .collect()),
    }
}

/// Whether one more finding is worth telling. What stops is never crowded out by what does not.
pub(crate) fn has_room(findings: &[Finding], level: Level) -> bool {
    let stops = level > Level::Warning;
    findings.iter().filter(|one| one.stops() == stops).count() < MOST
}

/// Leaves out what is more than anybody reads.
pub(crate) fn bound(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept = Vec::with_capacity(findings.len().min(2 * MOST));
    for finding in findings {
        if has_room(&kept, finding.level) {
            kept.push(finding);
        }
    }
    kept
}

/// The value, or nothing: what is wrong goes to the findings.
pub(crate) fn keep<T>(findings: &mut Vec<Finding>, outcome: Result<T, Vec<Finding>>) -> Option<T> {
    outcome.map_err(|found| findings.extend(found)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_tells_what_holds_it_from_the_outside_in() {
        let file = Place::at("docker-compose.yaml", "services.web").with_position(7, 5);
        let archive = Place::at("env", "compose.archive").with_position(2, 3);
        let contract = Place::at("contract.yaml", "workload").with_position(9, 14);
        let place = file.inside(archive).inside(contract);
        assert_eq!(
            place.to_string(),
            "contract.yaml:9:14 at workload → env:2:3 at compose.archive → docker-compose.yaml:7:5 at services.web"
        );
        let files: Vec<_> = place.chain().iter().map(|one| one.file.as_str()).collect();
        assert_eq!(files, ["contract.yaml", "env", "docker-compose.yaml"]);
    }
}
