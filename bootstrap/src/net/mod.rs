//! The guest's network: what it should be (the contract crate's `network`, and `settings`), and the kernel made so (`links`, `dhcp`).

pub(crate) mod dhcp;
pub(crate) mod links;
pub(crate) mod settings;
