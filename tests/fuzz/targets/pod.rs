//! A Pod or a ConfigMap, as a resource and as a template.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| hpcr_contract::fuzzing::pod(bytes));
