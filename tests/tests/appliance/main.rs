//! The whole appliance in a guest: a real kernel, a real registry, a real collector. One file a subject; a test's name
//! is the sentence that it checks.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod boot;
mod common;
mod disk;
mod refusals;
mod shutdown;
mod terraform;
mod workload;
