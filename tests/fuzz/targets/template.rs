//! A template in a value of a Pod.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_contract::fuzzing::template(bytes));
