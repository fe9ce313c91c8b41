//! The rig: a whole world for one guest, made of real programs in a network of its own.
//!
//! `make run`, the guest tests and the benchmarks share it. It starts a name server, a registry and a collector, writes
//! a contract as its users do, boots the appliance and watches its console. It never reaches out of its namespace,
//! and it never decides what is right: that is the tests' part.

#![forbid(unsafe_code)]

pub mod certificates;
pub mod collector;
pub mod command;
pub mod contract;
pub mod daemon;
pub mod dns;
mod error;
pub mod namespace;
pub mod registry;
pub mod report;
pub mod wait;
pub mod workload;
pub mod world;

pub use error::{Error, Result};
