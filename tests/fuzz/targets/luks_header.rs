//! The header of a data volume.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_disk::fuzzing::luks_header(bytes));
