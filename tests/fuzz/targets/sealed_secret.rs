//! A sealed secret: as it comes, and with a payload behind a good signature.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_contract::fuzzing::sealed_secret(bytes));
