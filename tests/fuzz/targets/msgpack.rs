//! Values as Terraform sends them: what is read is written so that it is read again as the same.
#![no_main]
#![allow(dead_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../../../terraform/src"]
mod provider {
    pub mod value;
}

use provider::value::msgpack::{decode, encode};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = decode(bytes) {
        let written = encode(&value);
        assert_eq!(decode(&written).map(|again| encode(&again)), Ok(written));
    }
});
