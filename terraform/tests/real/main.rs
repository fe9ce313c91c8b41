//! The real Terraform drives the real provider. Where no `terraform` is installed, these tests say so and pass.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod bounds;
mod data;
mod desk;
mod keys;
mod lifecycle;
mod published;
mod refusals;
mod secrets;
mod server;
