//! From the compose archive of a contract to the containers of the plan.

pub mod archive;
pub mod compose;
mod environment;
mod image;
pub mod interpolation;
mod mounts;
mod options;
pub(crate) mod paths;
mod ports;
mod reader;
mod service;
mod words;

pub(crate) use image::canonical_registry;
