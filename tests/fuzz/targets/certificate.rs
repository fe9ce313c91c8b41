//! `signingKey` in all its forms.
#![no_main]

use hpcr_contract::certificate::PublicKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = PublicKey::parse(bytes);
});
