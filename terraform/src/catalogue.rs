//! Everything that the provider offers: one line each.
//!
//! A resource, data source or function is a file of its own and a line here; nothing else names it.

use crate::resource::Resource;
use crate::resources::text;

/// What configurations create.
pub(crate) const RESOURCES: &[&dyn Resource] = &[&text::TEXT, &text::TEXT_ENCRYPTED];

/// The resource of a name.
pub(crate) fn resource(name: &str) -> Option<&'static dyn Resource> {
    RESOURCES.iter().copied().find(|one| one.name() == name)
}
