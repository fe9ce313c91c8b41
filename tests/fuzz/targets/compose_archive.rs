//! A compose archive inside of its base64 and gzip: the tar reader's part is what matters, so it is wrapped here.
#![no_main]

use hpcr_contract::workload::archive;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = archive::unpack(text);
});
