//! The seed disk's `user-data`: from bytes to a plan.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_contract::fuzzing::user_data(bytes));
