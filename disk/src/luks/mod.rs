//! LUKS2, with a header that a hostile host wrote.
//!
//! `header` reads and checks the form, `copy` holds what was read, `keys` makes and unlocks volume keys from a copy in
//! memory, `record` proves that the header is the one that this appliance left. None of them writes to a device.

pub(crate) mod copy;
pub(crate) mod header;
pub(crate) mod json;
pub(crate) mod keys;
pub(crate) mod parameters;
pub(crate) mod record;
