//! The recipe that users have followed since the format exists, with the openssl command line: `rand`, `pkeyutl`, `enc`
//! and `dgst`. Nothing of the project's own cryptography is used here.

use std::{fs, path::Path, process::Command};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{Error, Result, certificates::Identity, command};

/// The token's first word.
const PREFIX: &str = "hyper-protect-basic";

/// Makes an RSA key for signing, PEM.
///
/// # Errors
/// Where openssl fails.
pub fn signing_key(path: &Path) -> Result<()> {
    command::run(
        Command::new("openssl")
            .args(["genrsa", "-out"])
            .arg(path)
            .arg("2048"),
        b"",
    )
    .map(drop)
}

/// Makes a key pair that contracts can be sealed for, as an image's is: RSA, with a certificate that nobody vouches for.
///
/// # Errors
/// Where openssl fails.
pub fn receiver(folder: &Path, name: &str) -> Result<Identity> {
    let [certificate, key] = ["pem", "key"].map(|kind| folder.join(name).with_extension(kind));
    let mut command = Command::new("openssl");
    command
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:4096",
            "-nodes",
            "-subj",
            &format!("/CN={name}"),
            "-keyout",
        ])
        .arg(&key);
    command::run(command.arg("-out").arg(&certificate), b"")?;
    Ok(Identity { certificate, key })
}

/// Seals a section: a random password under the RSA key, the text under the password.
///
/// # Errors
/// Where openssl fails.
pub fn seal(text: &[u8], certificate: &Path) -> Result<String> {
    let password = password()?;
    let mut wrap = Command::new("openssl");
    wrap.args([
        "pkeyutl",
        "-encrypt",
        "-certin",
        "-pkeyopt",
        "rsa_padding_mode:pkcs1",
        "-inkey",
    ])
    .arg(certificate);
    let wrapped = command::run(&mut wrap, &password)?;
    let folder = tempfile::tempdir().map_err(Error::io("making a folder for a section"))?;
    let plain = folder.path().join("section.yaml");
    fs::write(&plain, text).map_err(Error::io("writing a section"))?;
    let mut encrypt = Command::new("openssl");
    encrypt
        .args(["enc", "-aes-256-cbc", "-pbkdf2", "-pass", "stdin", "-in"])
        .arg(plain);
    let sealed = command::run(&mut encrypt, &password)?;
    Ok(format!(
        "{PREFIX}.{}.{}",
        BASE64_STANDARD.encode(wrapped),
        BASE64_STANDARD.encode(sealed)
    ))
}

/// 32 random bytes. openssl refuses a password that starts with NUL; its users try again, and so does this.
fn password() -> Result<Vec<u8>> {
    loop {
        let password = command::run(Command::new("openssl").args(["rand", "32"]), b"")?;
        if password.first() != Some(&0) {
            return Ok(password);
        }
    }
}

/// Opens a section: the documented way back.
///
/// # Errors
/// Where it is not a token, or openssl fails.
pub fn open(token: &str, key: &Path) -> Result<Vec<u8>> {
    let broken = || Error::Broken("that is no token".into());
    let part = |part: &str| BASE64_STANDARD.decode(part).map_err(|_| broken());
    let [_, password, sealed] = token.split('.').collect::<Vec<_>>()[..] else {
        return Err(broken());
    };
    let mut unwrap = Command::new("openssl");
    unwrap
        .args(["pkeyutl", "-decrypt", "-pkeyopt"])
        .args(["rsa_padding_mode:pkcs1", "-inkey"])
        .arg(key);
    let password = command::run(&mut unwrap, &part(password)?)?;
    let file = tempfile::NamedTempFile::new().map_err(Error::io("making a file for a token"))?;
    fs::write(&file, part(sealed)?).map_err(Error::io("writing a token"))?;
    let mut decrypt = Command::new("openssl");
    decrypt
        .args(["enc", "-d", "-aes-256-cbc", "-pbkdf2"])
        .args(["-pass", "stdin", "-in"])
        .arg(file.path());
    command::run(&mut decrypt, &password)
}

/// Signs both sections as they stand in the contract, the workload first.
///
/// # Errors
/// Where openssl fails.
pub fn sign(key: &Path, workload: &str, env: &str) -> Result<String> {
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-sign"]).arg(key);
    let signature = command::run(&mut command, format!("{workload}{env}").as_bytes())?;
    Ok(BASE64_STANDARD.encode(signature))
}

/// The token with one byte of its ciphertext changed.
///
/// # Errors
/// Where it is not a token.
pub fn flip(token: &str) -> Result<String> {
    let broken = || Error::Broken("that is no token".into());
    let (head, data) = token.rsplit_once('.').ok_or_else(broken)?;
    let mut bytes = BASE64_STANDARD.decode(data).map_err(|_| broken())?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    Ok(format!("{head}.{}", BASE64_STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_sealed_section_opens_with_the_documented_recipe() {
        let folder = tempfile::tempdir().unwrap();
        let receiver = receiver(folder.path(), "receiver").unwrap();
        let token = seal(b"type: env\n", &receiver.certificate).unwrap();
        assert_eq!(open(&token, &receiver.key).unwrap(), b"type: env\n");
        let flipped = flip(&token).unwrap();
        assert_eq!(flipped.len(), token.len());
        assert_ne!(
            open(&flipped, &receiver.key).unwrap_or_default(),
            b"type: env\n"
        );
    }
}
