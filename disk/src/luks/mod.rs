//! LUKS2, with a header that a hostile host wrote.
//!
//! `header` reads and checks the form, `copy` holds what was read, `keys` makes and unlocks volume keys from a copy in
//! memory, `record` proves that the header is the one that this appliance left. None of them writes to a device.

use std::ffi::{c_char, c_int, c_void};

pub(crate) mod copy;
pub(crate) mod header;
pub(crate) mod json;
pub(crate) mod keys;
pub(crate) mod parameters;
pub(crate) mod record;

/// Keeps libcryptsetup from writing to the console, which is public; its errors come back as results.
pub(crate) fn silence() {
    extern "C" fn nothing(_: c_int, _: *const c_char, _: *mut c_void) {}
    libcryptsetup_rs::set_log_callback::<()>(Some(nothing), None);
}
