//! The way from a resource to a value in it, as diagnostics carry it.

use std::fmt;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To an attribute of an object.
    Attribute(String),
    /// To an entry of a map.
    Key(String),
    /// To an item of a list.
    Index(i64),
}

/// A way, from the outside in; empty for the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path(pub(crate) Vec<Step>);

impl Path {
    /// An attribute of the resource.
    pub(crate) fn of(name: &str) -> Self {
        Self(vec![Step::Attribute(name.to_owned())])
    }

    /// The same way, one attribute further.
    #[must_use]
    pub(crate) fn attribute(mut self, name: &str) -> Self {
        self.0.push(Step::Attribute(name.to_owned()));
        self
    }

    /// The same way, to an entry of a map.
    #[must_use]
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    /// The same way, to an item of a list.
    #[must_use]
    pub(crate) fn index(mut self, index: usize) -> Self {
        let index = i64::try_from(index).unwrap_or(i64::MAX);
        self.0.push(Step::Index(index));
        self
    }
}

/// `env.volumes["data"].seed`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if number == 0 => f.write_str(name)?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
