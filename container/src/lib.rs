//! Containers: images pulled, verified and unpacked; services started, watched and stopped.
//!
//! This crate carries out the `workload` part of a [`Plan`](hpcr_contract::plan::Plan). It never runs a byte that has
//! not been hashed first, never writes a line of a container to the console, and never puts a secret in the arguments
//! or the environment of a process of its own.
//!
//! Shape: pure decisions (`image`, `spec`, `network`, `unpack::name`, `order`, `health::next`, `service::next`) with thin effects around
//! them; mounts, namespaces and device nodes go through `acts::Acts`.

mod acts;
mod cgroup;
mod engine;
mod error;
mod fetch;
mod firewall;
#[cfg(fuzzing)]
pub mod fuzzing;
mod group;
mod health;
mod image;
mod layer;
mod life;
mod limits;
mod lines;
mod memory;
mod namespace;
mod network;
mod order;
mod probe;
mod registry;
mod running;
mod seccomp;
mod service;
mod setup;
mod spec;
mod stopping;
mod store;
mod token;
mod tool;
mod unpack;
mod user;
mod verify;

pub use engine::{Engine, Images, Paths, Shared};
pub use error::{ContainerError, Part, RegistryFault};
pub use fetch::Progress;
pub use lines::{Line, Stream};
pub use running::{Outcome, Running};
