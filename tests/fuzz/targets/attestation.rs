//! An attestation record, as tools read it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = hpcr_contract::attestation::parse(text);
});
