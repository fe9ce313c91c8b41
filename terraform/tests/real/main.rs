//! The real Terraform drives the real provider. Where no `terraform` is installed, these tests say so and pass.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod bounds;
mod data;
mod desk;
mod folders;
mod handshake;
mod keys;
mod lifecycle;
mod personas;
mod published;
mod refusals;
mod secrets;
mod server;
mod states;
