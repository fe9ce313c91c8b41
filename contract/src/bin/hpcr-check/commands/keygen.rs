//! `hpcr-check keygen`: key pairs for those who sign, for auditors, and for trials.

use std::path::{Path, PathBuf};

use clap::Args;
use hpcr_contract::private_key::PrivateKey;
use hpcr_contract::secret::ExposeSecret as _;
use hpcr_contract::token::age;

use crate::failure::Failure;
use crate::output::{self, Output, Readers};
use crate::{Verdict, keys};

/// Make a key pair
///
/// Prints the private key; a file that it is written to is readable by its owner alone. RSA keys sign contracts, open
/// tokens and attestation records; age keys open sections that were sealed with encrypt --recipient.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Write the public half to this file
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
    /// The length of the RSA modulus
    #[arg(long, value_name = "BITS", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(2048..=8192))]
    bits: u32,
    /// Make an age key instead
    #[arg(long, conflicts_with_all = ["bits", "passphrase_file"])]
    age: bool,
    /// Encrypt the RSA key under the passphrase in the first line of this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Makes a key pair.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    if arguments.public.as_deref() == Some(Path::new("-")) {
        return Err(Failure::Usage(
            "standard output takes the private half; name a file with --public",
        ));
    }
    let both = arguments.public.as_deref().zip(output.path());
    if both.is_some_and(|(public, private)| output::is_same(public, private)) {
        return Err(Failure::Usage(
            "--out and --public name the same file; the public half would take the place of the private one",
        ));
    }
    if arguments.age {
        let identity = age::Identity::generate();
        public(arguments, format!("{}\n", identity.recipient()).as_bytes())?;
        let private = age::key_file(&identity);
        output.write(private.expose_secret().as_bytes(), Readers::Owner)?;
        return Ok(Verdict::Good);
    }
    let passphrase = arguments.passphrase_file.as_deref();
    let passphrase = passphrase.map(keys::passphrase).transpose()?;
    let key = PrivateKey::generate(arguments.bits)?;
    public(arguments, key.public_key()?.pem())?;
    match &passphrase {
        Some(passphrase) => {
            output.write(&key.to_pem_with_passphrase(passphrase)?, Readers::Owner)?;
        }
        None => output.write(&key.to_pem()?, Readers::Owner)?,
    }
    Ok(Verdict::Good)
}

/// Before the private half: nothing that is written after that can take its place.
fn public(arguments: &Arguments, public: &[u8]) -> Result<(), Failure> {
    match &arguments.public {
        Some(path) => output::file(path, public, Readers::Anyone),
        None => Ok(()),
    }
}
