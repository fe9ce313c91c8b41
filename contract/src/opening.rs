//! The one place where a sealed text becomes a clear one.
//!
//! A text that is not sealed is its own clear text. Everything that goes wrong with a sealed one is one finding at its
//! place; who may see it, `disclosure` decides.

use zeroize::Zeroizing;

use crate::error::ContractError;
use crate::finding::{Finding, Place};
use crate::messages;
use crate::token::age::{self, Identity};
use crate::token::openssl::{DecryptionKey, Password, Token};
use crate::user_data::Text;

/// What opens sealed texts; a contract in the clear needs none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Keys<'a> {
    /// The image's key for tokens.
    pub token: Option<&'a DecryptionKey>,
    /// The image's key for age files.
    pub age: Option<&'a Identity>,
    /// Tell everything that is wrong, also what only planning sees, before anybody vouches for the contract. A guest never
    /// does: the work would depend on what a sealed section says.
    pub everything: bool,
}

impl Keys<'_> {
    /// Whether the key for a text is there; one that is not sealed takes none.
    pub(crate) fn suffice_for(&self, text: &Text) -> bool {
        if text.is_token() {
            self.token.is_some()
        } else {
            !text.is_sealed() || self.age.is_some()
        }
    }
}

impl<'a> From<Option<&'a DecryptionKey>> for Keys<'a> {
    fn from(token: Option<&'a DecryptionKey>) -> Self {
        Self {
            token,
            age: None,
            everything: true,
        }
    }
}

/// A clear text, with what is to be said of the way that it was sealed.
pub(crate) struct Clear {
    pub(crate) text: Zeroizing<String>,
    pub(crate) warning: Option<Finding>,
}

/// The clear text of what stands at a place.
pub(crate) fn clear(read: &Text, keys: Keys<'_>, place: &Place) -> Result<Clear, Finding> {
    if read.is_token() {
        let told = |error: ContractError| error.at(place.clone());
        // Its form shows what is wrong with it also to those who have no key.
        let token = Token::parse(&read.0).map_err(told)?;
        let key = keys.token.ok_or_else(|| needs_key(place))?;
        let plain = token.open(key).map_err(told)?;
        let text = utf8(&plain).map_err(told)?;
        let warning = weakness(plain.password(), place);
        return Ok(Clear { text, warning });
    }
    let text = if read.is_sealed() {
        let key = keys.age.ok_or_else(|| needs_key(place))?;
        age::open(&read.0, key)
            .and_then(|plain| utf8(&plain))
            .map_err(|error| error.at(place.clone()))?
    } else {
        read.0.clone()
    };
    Ok(Clear {
        text,
        warning: None,
    })
}

fn utf8(plain: &[u8]) -> Result<Zeroizing<String>, ContractError> {
    let text = std::str::from_utf8(plain).map_err(|_| ContractError::TokenSealed)?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn needs_key(place: &Place) -> Finding {
    Finding::new(
        messages::INVALID_CONTRACT,
        place.clone(),
        "a sealed text needs a key of its kind to be opened",
        "give the private key, or the contract in the clear",
    )
}

fn weakness(password: Password, place: &Place) -> Option<Finding> {
    let cause = match password {
        Password::Whole => return None,
        Password::Cut => "the token's password is cut short by a newline or NUL in it",
        Password::Empty => "the token's password is empty: anybody can open it without a key",
    };
    Some(Finding::warning(
        messages::WEAK_TOKEN,
        place.clone(),
        cause,
        "seal it again with a printable password, as hpcr-check does",
    ))
}
