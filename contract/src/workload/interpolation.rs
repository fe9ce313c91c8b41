//! Compose's interpolation: `$NAME`, `${NAME}`, `${NAME:-default}` and their kin, in one scalar at a time.
//!
//! It works on scalars that have been parsed already, never on YAML text: a value can therefore not grow into a key, a
//! list or a second service. A variable that is not set is empty, as in Compose. Nothing here reads the process's own
//! environment.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::wiped;
use crate::disclosure::printable;
use crate::secret::{ExposeSecret, SecretString};

/// The variables of a contract: the merged `env` of both sections.
pub type Variables = BTreeMap<String, SecretString>;

/// How deep defaults may nest.
const DEPTH: usize = 16;

/// How many bytes all scalars of one compose file may grow to together.
const BUDGET: usize = 4 << 20;

/// The most characters of an author's message that are shown.
const MESSAGE: usize = 200;

/// Why a scalar cannot be interpolated. Variables are told by name, and the author's message as it is written; a value never
/// is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A `$` that begins no variable.
    #[error("a `$` is not followed by a variable")]
    Malformed,
    /// `${` without its `}`.
    #[error("a `${{` is not closed")]
    Unclosed,
    /// `${NAME?}` or `${NAME:?}` and no such variable.
    #[error("the variable {name} is required and has no value{}{message}", if message.is_empty() { "" } else { ": " })]
    Required {
        /// The variable.
        name: String,
        /// What its author says to that, variables in it left as they are; empty where nothing.
        message: String,
    },
    /// A variable that only the other party could set: nothing is wrong, and nothing is known.
    #[error("the variable {0} is not known here")]
    Unknown(String),
    /// Too deep.
    #[error("variables are nested more than {DEPTH} deep")]
    TooDeep,
    /// Too long.
    #[error("the interpolated file would be larger than {} MiB", BUDGET >> 20)]
    TooLarge,
}

impl Problem {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Malformed | Self::Unclosed => "write `${NAME}`, or `$$` for a dollar sign",
            Self::Required { .. } | Self::Unknown(_) => {
                "set it in the `env` of the workload or the env section"
            }
            Self::TooDeep | Self::TooLarge => "write the value out",
        }
    }
}

/// What is told of a variable that is taken and not set: cause and remedy.
pub(super) fn unset(name: &str) -> (String, String) {
    (
        format!("the variable {name} is not set, and is empty here"),
        format!(
            "set it in the `env` of the workload or the env section, or write `${{{name}:-}}` where that is meant"
        ),
    )
}

/// Interpolates the scalars of one compose file.
#[derive(Debug)]
pub struct Interpolator<'a> {
    variables: &'a Variables,
    is_open: bool,
    left: usize,
    /// What was taken and is not set.
    unset: Vec<String>,
}

impl<'a> Interpolator<'a> {
    /// One for a file.
    pub fn new(variables: &'a Variables) -> Self {
        Self {
            variables,
            is_open: false,
            left: BUDGET,
            unset: Vec::new(),
        }
    }

    /// The variables that texts took since this was asked last, that are not set, and for which nothing else stands.
    pub fn take_unset(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unset)
    }

    /// One that does not know all variables.
    #[must_use]
    pub fn open(mut self, is_open: bool) -> Self {
        self.is_open = is_open;
        self
    }

    /// The scalar with every variable replaced.
    ///
    /// # Errors
    /// A [`Problem`] where the scalar is malformed, asks for a variable that is not set, or grows too large.
    pub fn interpolate(&mut self, scalar: &str) -> Result<Zeroizing<String>, Problem> {
        self.interpolate_with(scalar, &Variables::new())
    }

    /// The same, where `further` variables (those of an env file, so far) serve for those that the contract lacks.
    ///
    /// # Errors
    /// As of [`Self::interpolate`].
    pub fn interpolate_with(
        &mut self,
        scalar: &str,
        further: &Variables,
    ) -> Result<Zeroizing<String>, Problem> {
        let mut output = Zeroizing::new(String::with_capacity(scalar.len()));
        let unset = self.unset.len();
        let mut reader = Reader {
            rest: scalar,
            interpolator: self,
            further,
            unknown: None,
        };
        let read = reader.text(&mut output, 0, false);
        let outcome = match (read, reader.unknown) {
            (Ok(()) | Err(Problem::Required { .. }), Some(name)) => {
                Err(Problem::Unknown(name.to_owned()))
            }
            (read, _) => read.map(|()| output),
        };
        if outcome.is_err() {
            self.unset.truncate(unset);
        }
        outcome
    }
}

/// What stands between a variable's name and its argument.
#[derive(Clone, Copy)]
enum Operator {
    /// `-`: the argument where the variable is missing.
    Default,
    /// `+`: the argument where it is not missing.
    Replacement,
    /// `?`: an error where it is missing.
    Required,
}

struct Reader<'s, 'v> {
    rest: &'s str,
    interpolator: &'s mut Interpolator<'v>,
    further: &'s Variables,
    /// A variable that is not known.
    unknown: Option<&'s str>,
}

impl<'s> Reader<'s, '_> {
    /// Reads up to the end, or within braces up to the brace that closes them.
    fn text(
        &mut self,
        output: &mut Zeroizing<String>,
        depth: usize,
        braced: bool,
    ) -> Result<(), Problem> {
        let mut open = 0_usize;
        while let Some(next) = self.rest.chars().next() {
            match next {
                '$' => {
                    self.rest = &self.rest[1..];
                    self.variable(output, depth)?;
                    continue;
                }
                '}' if braced && open == 0 => return Ok(()),
                '}' => open = open.saturating_sub(1),
                '{' => open += 1,
                _ => {}
            }
            self.rest = &self.rest[next.len_utf8()..];
            self.push(output, next.encode_utf8(&mut [0; 4]))?;
        }
        if braced {
            Err(Problem::Unclosed)
        } else {
            Ok(())
        }
    }

    /// Reads what follows a `$`.
    fn variable(&mut self, output: &mut Zeroizing<String>, depth: usize) -> Result<(), Problem> {
        if self.skip('$') {
            return self.push(output, "$");
        }
        let braced = self.skip('{');
        let name = self.name()?;
        let value = self
            .interpolator
            .variables
            .get(name)
            .or_else(|| self.further.get(name));
        // The folder that Compose runs in is the archive's.
        let folder = (name == "PWD").then_some(".");
        let text = value.map(ExposeSecret::expose_secret).or(folder);
        let is_set = text.is_some();
        if !is_set && self.interpolator.is_open {
            self.unknown = Some(name);
        }
        let text = text.unwrap_or_default();
        if !braced || self.skip('}') {
            if !is_set && !self.interpolator.is_open {
                self.interpolator.unset.push(name.to_owned());
            }
            return self.push(output, text);
        }
        // With a colon, an empty value counts as none.
        let missing = if self.skip(':') {
            text.is_empty()
        } else {
            !is_set
        };
        let operator = match self.rest.chars().next() {
            Some('-') => Operator::Default,
            Some('+') => Operator::Replacement,
            Some('?') => Operator::Required,
            Some(_) => return Err(Problem::Malformed),
            None => return Err(Problem::Unclosed),
        };
        self.rest = &self.rest[1..];
        if depth == DEPTH {
            return Err(Problem::TooDeep);
        }
        let mut argument = Zeroizing::new(String::new());
        let written = self.rest;
        let unset = self.interpolator.unset.len();
        self.text(&mut argument, depth + 1, true)?;
        let written = &written[..written.len() - self.rest.len()];
        self.rest = &self.rest[1..];
        match (operator, missing) {
            (Operator::Default, true) | (Operator::Replacement, false) => {
                self.push(output, &argument)
            }
            (operator, is_missing) => {
                // An argument that is not taken asks for nothing.
                self.interpolator.unset.truncate(unset);
                match (operator, is_missing) {
                    (Operator::Replacement, _) => Ok(()),
                    (_, false) => self.push(output, text),
                    (_, true) => Err(Problem::Required {
                        name: name.to_owned(),
                        message: printable(written, MESSAGE),
                    }),
                }
            }
        }
    }

    /// Takes a variable's name.
    fn name(&mut self) -> Result<&'s str, Problem> {
        let end = self
            .rest
            .find(|c: char| !(c == '_' || c.is_ascii_alphanumeric()))
            .unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(Problem::Malformed);
        }
        self.rest = rest;
        Ok(name)
    }

    /// Steps over a character if it comes next.
    fn skip(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Writes, within the budget.
    fn push(&mut self, output: &mut Zeroizing<String>, text: &str) -> Result<(), Problem> {
        self.interpolator.left = self
            .interpolator
            .left
            .checked_sub(text.len())
            .ok_or(Problem::TooLarge)?;
        wiped::push(output, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
