//! What watches over a running guest and may ask for its end. A guard never ends the guest itself; it asks.

pub(crate) mod power_button;
pub(crate) mod signals;
