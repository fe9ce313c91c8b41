//! A manifest, an index or an image configuration, as the registry sends it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_container::fuzzing::manifest(bytes));
