//! Everything that the provider offers: one line each.
//!
//! A resource, data source or function is a file of its own and a line here; nothing else names it.

use crate::resource::Resource;
#[cfg(unix)]
use crate::resources::guest;
use crate::resources::{cidata, text};

/// What configurations create.
pub(crate) const RESOURCES: &[&dyn Resource] = &[
    &cidata::CIDATA,
    // Where QEMU's control socket and processes are those of Unix.
    #[cfg(unix)]
    &guest::Guest,
    &text::TEXT,
    &text::TEXT_ENCRYPTED,
];

/// The resource of a name.
pub(crate) fn resource(name: &str) -> Option<&'static dyn Resource> {
    RESOURCES.iter().copied().find(|one| one.name() == name)
}
