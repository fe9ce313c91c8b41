//! A layer of an image, unpacked into a folder that is thrown away.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_container::fuzzing::layer(bytes));
