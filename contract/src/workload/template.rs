//! Go's text/template in the string values of a Pod, as far as Helm users write it: fields of `.Env`, pipes, `if`, `with`,
//! `range`, variables, comparison and a few functions. Everything else is an error with its line and column.
//!
//! It works on values that have been parsed already, never on YAML text, and within budgets of steps, depth and output.
//! A variable that is not set is an error where it would be printed; `default`, `if` and their like may meet it. No
//! problem quotes a value: it may be a secret. Nothing here reads the process's own environment.

use zeroize::Zeroizing;

use crate::workload::interpolation::Variables;
use run::Run;

mod functions;
mod lexer;
mod parser;
mod run;
mod tree;

/// How many bytes all templates of one document may write, and how many steps they may take.
const OUTPUT: usize = 4 << 20;
const STEPS: usize = 1_000_000;

/// How deep blocks and parentheses may nest.
const DEPTH: usize = 32;

/// Why a template cannot be carried out, and where in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column} of the template: {cause}")]
pub(crate) struct Problem {
    /// Line of the value, from 1.
    pub(crate) line: usize,
    /// Column in characters, from 1.
    pub(crate) column: usize,
    /// What is wrong; variables and functions are told by name, values never.
    pub(crate) cause: String,
    /// What to do.
    pub(crate) remedy: &'static str,
}

/// A problem at a byte of the template.
#[derive(Debug)]
struct Fault {
    at: usize,
    cause: String,
    remedy: &'static str,
}

impl Fault {
    fn new(at: usize, cause: impl Into<String>, remedy: &'static str) -> Self {
        Self {
            at,
            cause: cause.into(),
            remedy,
        }
    }

    fn in_text(self, text: &str) -> Problem {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Problem {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
            cause: self.cause,
            remedy: self.remedy,
        }
    }
}

/// Carries out the templates of one document.
#[derive(Debug)]
pub(crate) struct Templates<'a> {
    variables: &'a Variables,
    is_open: bool,
    steps: usize,
    output: usize,
}

impl<'a> Templates<'a> {
    /// Templates whose `.Env` has these variables.
    pub(crate) fn new(variables: &'a Variables) -> Self {
        Self {
            variables,
            is_open: false,
            steps: STEPS,
            output: OUTPUT,
        }
    }

    /// The same, where `.Env` may have further variables.
    pub(crate) fn open(mut self, is_open: bool) -> Self {
        self.is_open = is_open;
        self
    }

    /// What a template writes; nothing where that takes a variable that is not known.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub(crate) fn render(&mut self, text: &str) -> Result<Option<Zeroizing<String>>, Problem> {
        let blocks = parser::parse(text).map_err(|fault| fault.in_text(text))?;
        let mut run = Run::new(self.variables, &mut self.steps, &mut self.output);
        let done = run.blocks(&blocks);
        if self.is_open && run.needs_all.get() {
            return Ok(None);
        }
        done.map_err(|fault| fault.in_text(text))?;
        Ok(Some(run.into_output()))
    }
}

#[cfg(test)]
mod tests;
