//! The rig: a whole world for one guest, made of real programs in a network of its own.
//!
//! `make run`, the guest tests and the benchmarks share it. It starts a name server, a registry and a collector, writes
//! a contract as its users do, boots the appliance and watches its console. It never reaches out of its namespace,
//! and it never decides what is right: that is the tests' part.

#![forbid(unsafe_code)]

pub mod accelerator;
pub mod certificates;
pub mod collector;
pub mod command;
pub mod console;
pub mod contract;
pub mod daemon;
pub mod disk;
pub mod dns;
mod error;
pub mod floor;
pub mod guest;
pub mod http;
pub mod namespace;
pub mod oci;
pub mod own_kernel;
pub mod peer;
pub mod place;
pub mod recipe;
pub mod registry;
pub mod report;
pub mod slots;
pub mod terraform;
pub mod timeline;
pub mod wait;
pub mod workload;
pub mod world;

use std::sync::{Mutex, PoisonError};

use hpcr_image::manifest;

pub use error::{Error, Result};

/// Sees to what has to be there, and known, before a namespace is entered: the guest image, its accelerator, the workload
/// image. Done once in the life of a program.
///
/// # Errors
/// Where a package cannot be had, or there is no guest image.
pub fn prepare() -> Result<()> {
    static DONE: Mutex<bool> = Mutex::new(false);
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !*done {
        let image = place::image();
        if !image.join(manifest::INITRAMFS).is_file() {
            return Err(Error::NoImage(image));
        }
        accelerator::working()?;
        workload::prepare()?;
        *done = true;
    }
    Ok(())
}
