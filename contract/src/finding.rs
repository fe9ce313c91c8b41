//! A finding: what is wrong with an input, where exactly, and what to do about it.
//!
//! A finding names places and keys, never a value: a contract's values are secrets until proven otherwise. It never
//! decides who may see it; `disclosure` does.

use std::fmt;

use crate::messages::Code;

/// Where in the input a finding lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file, as the user named it (`contract.yaml`), or the part of the contract (`env`, `docker-compose.yaml`).
    pub file: String,
    /// Line, from 1.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
    /// The key path, dotted (`env.volumes.data.seed`); empty for the whole.
    pub path: String,
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
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The message code.
    pub code: Code,
    /// Where.
    pub place: Place,
    /// What is wrong, without any value of the contract.
    pub cause: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// A finding; cause and remedy without any value of the contract.
    pub fn new(
        code: Code,
        place: Place,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code,
            place,
            cause: cause.into(),
            remedy: remedy.into(),
        }
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
