//! A compose archive, from inside of its base64 and gzip.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_contract::fuzzing::compose_archive(bytes));
