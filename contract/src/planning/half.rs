//! A section as far as it can be read: whole where it follows the schema, and what is left of it where it does not.
//!
//! What is left serves to find further faults; a plan is never made of it.

use serde::de::DeserializeOwned;

use super::Part;
use crate::finding::{Finding, keep};
use crate::sections::env::EnvSection;
use crate::sections::workload::WorkloadSection;
use crate::workload::archive::Unpacked;
use crate::yaml::Document;

/// A section that may not follow the schema.
pub(crate) trait Salvage: DeserializeOwned {
    /// What is left of it where it does not.
    fn salvaged(document: &Document) -> Self;
}

impl Salvage for WorkloadSection {
    fn salvaged(document: &Document) -> Self {
        Self::salvaged(document)
    }
}

impl Salvage for EnvSection {
    fn salvaged(document: &Document) -> Self {
        Self::salvaged(document)
    }
}

/// A section as its type, with the document that it was read from.
#[derive(Debug)]
pub(crate) struct Half<T> {
    pub(crate) section: T,
    pub(crate) document: Document,
    pub(crate) unpacked: Unpacked,
    /// It follows the schema.
    pub(crate) is_sound: bool,
}

impl<T> Half<T> {
    pub(crate) fn part(&self) -> Part<'_, T> {
        Part {
            section: &self.section,
            document: &self.document,
            unpacked: &self.unpacked,
        }
    }
}

impl<T: DeserializeOwned> Half<T> {
    /// A section that follows the schema: `told` is what that says of it. The document comes back of one that does not,
    /// and what is wrong beyond the schema joins what was told.
    pub(crate) fn sound(
        document: Document,
        told: &mut Vec<Finding>,
    ) -> Result<Self, Box<Document>> {
        if told.iter().any(Finding::stops) {
            return Err(Box::new(document));
        }
        match keep(told, document.read().map_err(|finding| vec![finding])) {
            Some(section) => Ok(Self {
                section,
                document,
                unpacked: Unpacked::default(),
                is_sound: true,
            }),
            None => Err(Box::new(document)),
        }
    }
}

impl<T: Salvage> Half<T> {
    /// The same, with what is left of a section that does not follow the schema.
    pub(crate) fn read(document: Document, told: &mut Vec<Finding>) -> Self {
        Self::sound(document, told).unwrap_or_else(|document| Self::left(*document))
    }

    /// What is left of a section that does not follow the schema.
    pub(crate) fn left(document: Document) -> Self {
        Self {
            section: T::salvaged(&document),
            document,
            unpacked: Unpacked::default(),
            is_sound: false,
        }
    }
}

/// Both sections, as far as they can be read; none where one is closed, or no YAML.
#[derive(Debug, Default)]
pub(crate) struct Halves {
    pub(crate) workload: Option<Half<WorkloadSection>>,
    pub(crate) env: Option<Half<EnvSection>>,
}
