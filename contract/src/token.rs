//! Sealed sections: text that only the holder of a private key can read.
//!
//! One file a form. Nothing here says why a token did not open more finely than its bytes alone, without the key,
//! would tell anyone.

pub mod openssl;
