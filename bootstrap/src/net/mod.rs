//! The guest's network: what it should be (`config`, `settings`), and the kernel made so (`links`, `dhcp`).

pub(crate) mod config;
pub(crate) mod dhcp;
pub(crate) mod links;
pub(crate) mod settings;
