//! Sections sealed as an `age` file in ASCII armour (age-encryption.org/v1): X25519, HKDF-SHA-256 and
//! ChaCha20-Poly1305. Unlike the older token it is authenticated: a changed one does not open.
//!
//! Taken are files for X25519 recipients alone. Passphrases, SSH keys and plugins mean nothing in an image, and the
//! library's post-quantum recipients cannot be opened by the library itself. Files are bounded before any key is tried.

use std::fmt;
use std::io::{self, Read as _};
use std::iter;

use age::armor::ArmoredReader;
use age::{Decryptor, x25519};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::ContractError;
use crate::secret::{ExposeSecret as _, SecretString};

pub(crate) const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
/// The largest clear text that is opened.
const MAX_PLAIN: usize = 32 << 20;
/// The largest armoured text that is read: base64 of the above with its line ends, and room for header and tags.
const MAX_TEXT: usize = MAX_PLAIN / 3 * 4 + (1 << 20);
/// The longest header that is read; each recipient takes some 150 bytes of it.
const MAX_HEADER: usize = 16 << 10;
/// The most recipients that are tried: each costs a multiplication on the curve.
const MAX_RECIPIENTS: usize = 32;

/// Whether a text claims to be an age file in armour: it may still be malformed.
pub fn is_age(text: &str) -> bool {
    text.trim_ascii_start().starts_with(BEGIN)
}

/// A key that opens sections: `AGE-SECRET-KEY-1…`.
pub struct Identity(x25519::Identity);

impl Identity {
    /// Reads a key, or the file that `age-keygen` writes: comments, and one key on a line of its own.
    pub fn from_text(text: &str) -> Result<Self, ContractError> {
        let mut keys = text
            .lines()
            .map(str::trim_ascii)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let key = match (keys.next(), keys.next()) {
            (Some(key), None) => key,
            (None, _) => return Err(ContractError::AgeKey("there is no key in it")),
            (Some(_), Some(_)) => return Err(ContractError::AgeKey("it has more than one line")),
        };
        key.parse().map(Self).map_err(ContractError::AgeKey)
    }

    /// Makes a key.
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// The key in its one line.
    pub fn to_text(&self) -> SecretString {
        self.0.to_string()
    }

    /// Whom to seal to, so that this key opens it.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity([REDACTED])")
    }
}

/// Whom a section is sealed to: `age1…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient(x25519::Recipient);

impl Recipient {
    /// Reads a recipient.
    pub fn from_text(text: &str) -> Result<Self, ContractError> {
        text.trim_ascii()
            .parse()
            .map(Self)
            .map_err(ContractError::AgeKey)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The file `age-keygen` would write for a new key: the recipient in a comment, then the key.
pub fn key_file(identity: &Identity) -> SecretString {
    let mut text = format!(
        "# public key: {}\n{}\n",
        identity.recipient(),
        identity.to_text().expose_secret()
    );
    let file = SecretString::from(text.as_str());
    text.zeroize();
    file
}

/// Seals data to a recipient; the result ends with a newline.
pub fn seal(plain: &[u8], recipient: &Recipient) -> Result<String, ContractError> {
    if plain.len() > MAX_PLAIN {
        return Err(ContractError::AgeForm("it would be larger than 32 MiB"));
    }
    age::encrypt_and_armor(&recipient.0, plain).map_err(|_| ContractError::AgeSeal)
}

/// Opens an age file.
pub fn open(text: &str, identity: &Identity) -> Result<Zeroizing<Vec<u8>>, ContractError> {
    if text.len() > MAX_TEXT {
        return Err(ContractError::AgeForm("it is larger than 32 MiB"));
    }
    let file = unarmoured(text)?;
    check_header(&file)?;
    let decryptor = Decryptor::new_buffered(file.as_slice())
        .map_err(|_| ContractError::AgeForm("its header cannot be read"))?;
    if decryptor.is_scrypt() {
        return Err(ContractError::AgeForm("it is sealed with a passphrase"));
    }
    // From here on, why it does not open is the key holder's business.
    let mut reader = decryptor
        .decrypt(iter::once(&identity.0 as _))
        .map_err(|_| ContractError::TokenSealed)?;
    // Never larger than what was read: a text that grew would leave copies behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(file.len()));
    reader
        .read_to_end(&mut plain)
        .map_err(|_| ContractError::TokenSealed)?;
    if plain.len() > MAX_PLAIN {
        return Err(ContractError::AgeForm("it is larger than 32 MiB"));
    }
    Ok(plain)
}

/// The file without its armour; white space around it is none of it.
fn unarmoured(text: &str) -> Result<Vec<u8>, ContractError> {
    let text = text.trim_ascii();
    if !is_age(text) {
        return Err(ContractError::AgeForm("it has no armour"));
    }
    let mut file = Vec::new();
    ArmoredReader::new(text.as_bytes())
        .read_to_end(&mut file)
        .map(|_| file)
        .map_err(|_: io::Error| ContractError::AgeForm("its armour is broken"))
}

/// Bounds the header before the library sees it.
fn check_header(file: &[u8]) -> Result<(), ContractError> {
    let head = &file[..file.len().min(MAX_HEADER)];
    let count = |mark: &[u8]| {
        head.windows(mark.len())
            .filter(|found| *found == mark)
            .count()
    };
    if count(b"\n---") == 0 {
        return Err(ContractError::AgeForm(
            "its header has no end within 16 KiB",
        ));
    }
    if count(b"\n-> ") > MAX_RECIPIENTS {
        return Err(ContractError::AgeForm("it has more than 32 recipients"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
