//! Values that wipe themselves from memory and never print: the one vocabulary for every secret of the appliance.
//!
//! This module never offers a way to format, serialise or compare a secret by accident; a reader of a secret calls
//! [`ExposeSecret::expose_secret`] and is easy to find by that name.

pub use secrecy::{ExposeSecret, SecretSlice, SecretString};
