//! What a function is to the provider: a signature, and what it gives.

use crate::context::Context;
use crate::schema::Signature;
use crate::value::Value;

/// Why a call fails: which argument, counted from 0, and cause and remedy.
pub(crate) type Refused = (Option<usize>, String);

/// A function, which gives the same for the same arguments as far as their use allows.
pub(crate) trait Function: Sync {
    /// The name behind `provider::hpcr::`.
    fn name(&self) -> &'static str;

    /// What it takes and gives.
    fn signature(&self) -> Signature;

    /// Its result; arguments are known, as many as the signature asks for, and of its types.
    fn call(&self, arguments: &[Value], context: &Context) -> Result<Value, Refused>;
}
