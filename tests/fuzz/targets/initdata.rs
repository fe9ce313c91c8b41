//! Initdata of confidential containers: the annotation, and the document inside of it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_contract::fuzzing::initdata(bytes));
