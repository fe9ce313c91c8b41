//! What goes into the guest image, and how it is run and deployed.
//!
//! Files chosen out of Debian packages, the appliance's own `hpcr-init` and a kernel become `vmlinuz` and `initramfs`;
//! the same inputs give the same bytes. The same library starts the image in QEMU, for the tests and the benchmarks as
//! for `hpcr-image run`. It never needs root and never puts a production key into an image that a host can read.

#![forbid(unsafe_code)]

pub mod assemble;
pub mod closure;
pub mod deploy;
pub mod initramfs;
pub mod keys;
pub mod lock;
pub mod manifest;
pub mod modules;
pub mod packages;
pub mod qemu;
pub mod seed;
pub mod userland;

mod error;
mod files;

pub use error::{Error, Result};
