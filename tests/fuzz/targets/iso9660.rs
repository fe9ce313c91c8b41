//! The seed disk's file system.
#![no_main]
#![allow(dead_code)]

use libfuzzer_sys::fuzz_target;

#[path = "../../../bootstrap/src/cidata/iso9660.rs"]
mod iso9660;

fuzz_target!(|bytes: &[u8]| {
    let _ = iso9660::volume_id(bytes);
    if let Ok(image) = iso9660::Image::parse(bytes) {
        let _ = image.file("user-data");
    }
});
