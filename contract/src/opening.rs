//! The one place where a sealed text becomes a clear one.
//!
//! A text that is no token is its own clear text. Everything that goes wrong with a token is one finding at the token's
//! place; who may see it, `disclosure` decides.

use zeroize::Zeroizing;

use crate::error::ContractError;
use crate::finding::{Finding, Place};
use crate::messages;
use crate::token::openssl::{DecryptionKey, Token};
use crate::user_data::Text;

/// The clear text of what stands at a place.
pub(crate) fn clear(
    read: &Text,
    key: Option<&DecryptionKey>,
    place: &Place,
) -> Result<Zeroizing<String>, Finding> {
    if !read.is_token() {
        return Ok(read.0.clone());
    }
    let Some(key) = key else {
        let remedy = "give the private key, or the contract in the clear";
        return Err(Finding::new(
            messages::INVALID_CONTRACT,
            place.clone(),
            "a token needs a key to be opened",
            remedy,
        ));
    };
    Token::parse(&read.0)
        .and_then(|token| token.open(key))
        .and_then(|plain| {
            std::str::from_utf8(&plain)
                .map(|text| Zeroizing::new(text.to_owned()))
                .map_err(|_| ContractError::TokenSealed)
        })
        .map_err(|error| error.at(place.clone()))
}
