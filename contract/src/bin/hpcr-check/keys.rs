//! Keys and certificates from files. A passphrase comes from a file or from a terminal, never from the command line or
//! the environment, where other processes could read it.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use hpcr_contract::authoring::Signer;
use hpcr_contract::certificate::{Certificate, PublicKey};
use hpcr_contract::contents::Contents;
use hpcr_contract::error::ContractError;
use hpcr_contract::private_key::{PrivateKey, is_encrypted};
use hpcr_contract::secret::SecretString;
use hpcr_contract::stages::Keys;
use hpcr_contract::token::openssl::DecryptionKey;
use hpcr_contract::token::{age, is_sealed};
use zeroize::Zeroizing;

use crate::arguments::{OptionalKey, Passphrase};
use crate::failure::Failure;
use crate::{input, output};

/// What opens sealed texts: a key for tokens, or one for age files.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    token: Option<DecryptionKey>,
    age: Option<age::Identity>,
}

impl Opening {
    /// With a key for tokens.
    pub(crate) fn of_token(key: DecryptionKey) -> Self {
        Self {
            token: Some(key),
            age: None,
        }
    }

    /// As the stages take it.
    pub(crate) fn keys(&self) -> Keys<'_> {
        Keys {
            token: self.token.as_ref(),
            age: self.age.as_ref(),
            everything: true,
        }
    }

    /// Whether this is of the kind that opens a sealed text; one in the clear takes none.
    pub(crate) fn suits(&self, text: &str) -> Result<(), Failure> {
        if is_sealed(text) {
            self.opens(age::is_age(text))
        } else {
            Ok(())
        }
    }

    /// The same of these parts of a contract. What cannot be read is told by who reads it.
    pub(crate) fn suits_parts(&self, contract: &str, parts: &[&str]) -> Result<(), Failure> {
        let contents = Contents::read(contract.as_bytes(), "", Keys::default());
        let contents = contents.iter().flat_map(Contents::parts);
        contents
            .filter(|part| part.sealed && parts.contains(&part.name))
            .try_for_each(|part| self.opens(part.form == "age"))
    }

    fn opens(&self, is_age: bool) -> Result<(), Failure> {
        Err(Failure::Usage(match (is_age, &self.token, &self.age) {
            (false, Some(_), _) | (true, _, Some(_)) => return Ok(()),
            (_, None, None) => "it is sealed; give the private key that opens it with --key",
            (false, None, _) => {
                "it is sealed as a token, and the key is one for age files; give the private RSA key with --key"
            }
            (true, _, None) => {
                "it is sealed as an age file, and the key is one for tokens; give the age key (AGE-SECRET-KEY-1...) with --key"
            }
        }))
    }
}

/// The key of a file, of either kind; none where none was named.
pub(crate) fn opening(arguments: &OptionalKey) -> Result<Opening, Failure> {
    match arguments.key.as_deref() {
        None => Ok(Opening::default()),
        Some(path) => opening_by(path, &arguments.passphrase),
    }
}

/// The key of a file, of either kind.
pub(crate) fn opening_by(path: &Path, passphrase: &Passphrase) -> Result<Opening, Failure> {
    KeyFile::read(path)?.opening(passphrase)
}

/// A private key.
pub(crate) fn private(path: &Path, passphrase: &Passphrase) -> Result<PrivateKey, Failure> {
    KeyFile::read(path)?.private(passphrase)
}

/// A private key as one that opens tokens.
pub(crate) fn decryption(path: &Path, key: PrivateKey) -> Result<DecryptionKey, Failure> {
    DecryptionKey::new(key).map_err(|source| unusable(path, source))
}

/// A file with a key of a kind that it shows itself. It is read once: standard input cannot be read again.
pub(crate) struct KeyFile<'p> {
    pub(crate) path: &'p Path,
    bytes: Zeroizing<Vec<u8>>,
}

impl<'p> KeyFile<'p> {
    pub(crate) fn read(path: &'p Path) -> Result<Self, Failure> {
        let bytes = input::key(path)?;
        Ok(Self { path, bytes })
    }

    /// Whether it holds a private key rather than a public one.
    pub(crate) fn is_private(&self) -> bool {
        self.holds(b"PRIVATE KEY-----")
    }

    /// Whether it holds a key for age files.
    pub(crate) fn is_age(&self) -> bool {
        self.holds(b"AGE-SECRET-KEY-")
    }

    fn holds(&self, mark: &[u8]) -> bool {
        self.bytes.windows(mark.len()).any(|window| window == mark)
    }

    /// What opens sealed texts.
    pub(crate) fn opening(&self, passphrase: &Passphrase) -> Result<Opening, Failure> {
        if self.is_age() {
            let text = Zeroizing::new(String::from_utf8_lossy(&self.bytes).into_owned());
            let age = age::Identity::from_text(&text).map_err(|source| self.unusable(source))?;
            return Ok(Opening {
                age: Some(age),
                token: None,
            });
        }
        let token = decryption(self.path, self.private(passphrase)?)?;
        Ok(Opening::of_token(token))
    }

    /// A private key.
    pub(crate) fn private(&self, passphrase: &Passphrase) -> Result<PrivateKey, Failure> {
        if is_encrypted(&self.bytes) {
            let secret = secret(self.path, passphrase)?;
            PrivateKey::from_pem_with_passphrase(&self.bytes, &secret)
        } else {
            PrivateKey::from_pem(&self.bytes)
        }
        .map_err(|source| self.unusable(source))
    }

    /// A public key or a certificate in PEM, or a certificate in DER, which begins as no text does.
    pub(crate) fn public(&self) -> Result<PublicKey, Failure> {
        if self.bytes.starts_with(&[0x30, 0x82]) {
            Certificate::parse(&self.bytes).and_then(|certificate| certificate.public_key())
        } else {
            PublicKey::parse(&self.bytes)
        }
        .map_err(|source| self.unusable(source))
    }

    fn unusable(&self, source: ContractError) -> Failure {
        unusable(self.path, source)
    }
}

/// A public key or a certificate.
pub(crate) fn public(path: &Path) -> Result<PublicKey, Failure> {
    KeyFile::read(path)?.public()
}

/// A certificate.
pub(crate) fn certificate(path: &Path) -> Result<Certificate, Failure> {
    Certificate::parse(&input::key(path)?).map_err(|source| unusable(path, source))
}

/// Who signs: a key, with the certificate that goes into the contract where there is one.
pub(crate) fn signer<'a>(
    key: &'a PrivateKey,
    certificate: Option<&'a Certificate>,
) -> Result<Signer<'a>, Failure> {
    Ok(match certificate {
        Some(certificate) => Signer::with_certificate(key, certificate)?,
        None => Signer::from(key),
    })
}

/// The passphrase that a file holds: its first line.
pub(crate) fn passphrase(path: &Path) -> Result<SecretString, Failure> {
    let bytes = input::key(path)?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line)
        .map_err(|_| Failure::Usage("the passphrase is not UTF-8 text; write it as such"))?;
    if text.is_empty() {
        return Err(Failure::Usage(
            "the passphrase is empty; write it in the first line of its file",
        ));
    }
    Ok(SecretString::from(text))
}

/// The passphrase of a key: nobody is asked where nobody could answer.
fn secret(path: &Path, given: &Passphrase) -> Result<SecretString, Failure> {
    if let Some(file) = &given.passphrase_file {
        return passphrase(file);
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::Usage(
            "the private key takes a passphrase; give the file that holds it with --passphrase-file",
        ));
    }
    let prompt = format!(
        "Passphrase of {}: ",
        output::plain(&path.display().to_string())
    );
    rpassword::prompt_password(prompt)
        .map(SecretString::from)
        .map_err(|source| Failure::Read {
            path: "the passphrase".into(),
            source,
        })
}

fn unusable(path: &Path, source: ContractError) -> Failure {
    Failure::Key {
        path: path.to_owned(),
        source,
    }
}
