//! The seed disk's `user-data`: from bytes to a plan, as the guest does it with a contract that has no tokens.
#![no_main]

use hpcr_contract::product::Product;
use hpcr_contract::stages::Sealed;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(verified) = Sealed::parse(bytes, "user-data")
        .and_then(|sealed| sealed.open(None))
        .and_then(|opened| opened.verify(Product::default()))
    {
        let _ = verified.redacted();
        let _ = verified.plan();
    }
});
