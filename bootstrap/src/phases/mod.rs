//! The phases of the boot, one file each, in the words of the table in `main.rs`.
// The table calls all of them alike, also those that wait for nothing.
#![allow(clippy::unused_async)]

pub(crate) mod attestation;
pub(crate) mod cidata;
pub(crate) mod contract;
pub(crate) mod disk;
pub(crate) mod early;
pub(crate) mod images;
pub(crate) mod key;
pub(crate) mod logging;
pub(crate) mod network;
pub(crate) mod platform;
pub(crate) mod supervise;
pub(crate) mod time;
pub(crate) mod workload;
