//! `provider::hpcr::derive_seed`: one root secret becomes a seed for each volume of each guest.
//!
//! HKDF-SHA-256 (RFC 5869) without a salt; the name is the context. The same root and name give the same seed, so a guest
//! that is made again finds its data, and no seed tells anything of another or of the root.

use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::pkey::Id;
use openssl::pkey_ctx::PkeyCtx;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::function::{Function, Refused};
use crate::schema::{Parameter, Signature};
use crate::value::Value;
use crate::value::kind::Kind;

/// A root that is shorter can be guessed.
const LEAST_ROOT: usize = 32;
const SEED: usize = 32;
/// Keeps these seeds apart from whatever else somebody derives from the same root.
const USE: &[u8] = b"hpcr volume seed\0";

/// See the module.
pub(crate) struct DeriveSeed;

impl Function for DeriveSeed {
    fn name(&self) -> &'static str {
        "derive_seed"
    }

    fn signature(&self) -> Signature {
        let text = |name, description| Parameter {
            name,
            kind: Kind::Text,
            description,
            nullable: false,
        };
        Signature {
            summary: "A seed of 64 hexadecimal digits, derived from a root secret for one name (HKDF-SHA-256).",
            parameters: vec![
                text(
                    "root",
                    "The root secret, 32 characters at least, as of `openssl rand -hex 32`.",
                ),
                text("name", "What the seed is for, as in web-0/data."),
            ],
            variadic: None,
            result: Kind::Text,
        }
    }

    fn call(&self, arguments: &[Value], _: &Context) -> Result<Value, Refused> {
        let [root, name] = arguments else {
            return Err((None, "It takes a root and a name.".to_owned()));
        };
        let (root, name) = (
            root.as_text().unwrap_or_default(),
            name.as_text().unwrap_or_default(),
        );
        if root.len() < LEAST_ROOT {
            let text = format!(
                "The root secret is shorter than {LEAST_ROOT} characters, so it can be guessed. Make one with `openssl rand -hex 32`."
            );
            return Err((Some(0), text));
        }
        if name.is_empty() {
            return Err((
                Some(1),
                "The name is empty. Name the guest and its volume.".to_owned(),
            ));
        }
        let seed = derive(root.as_bytes(), name.as_bytes()).map_err(|error| {
            let text = format!("The cryptographic library failed: {error}. Report this as a bug.");
            (None, text)
        })?;
        Ok(Value::text(hex::encode(*seed)))
    }
}

fn derive(root: &[u8], name: &[u8]) -> Result<Zeroizing<[u8; SEED]>, ErrorStack> {
    let mut seed = Zeroizing::new([0; SEED]);
    let mut context = PkeyCtx::new_id(Id::HKDF)?;
    context.derive_init()?;
    context.set_hkdf_md(Md::sha256())?;
    context.set_hkdf_key(root)?;
    context.add_hkdf_info(USE)?;
    context.add_hkdf_info(name)?;
    context.derive(Some(&mut *seed))?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::process::Command;

    use super::*;

    const ROOT: &str = "0123456789abcdef0123456789abcdef";

    fn seed(root: &str, name: &str) -> Result<String, Refused> {
        let arguments = [Value::text(root), Value::text(name)];
        let seed = DeriveSeed.call(&arguments, &Context::default())?;
        Ok(seed.as_text().unwrap().to_owned())
    }

    #[test]
    fn a_seed_is_what_openssl_derives() {
        let info = hex::encode([USE, b"web-0/data"].concat());
        let output = Command::new("openssl")
            .args(["kdf", "-keylen", "32", "-kdfopt", "digest:SHA256"])
            .args([
                "-kdfopt",
                &format!("key:{ROOT}"),
                "-kdfopt",
                &format!("hexinfo:{info}"),
                "HKDF",
            ])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let derived = said.trim().replace(':', "").to_lowercase();
        assert_eq!(
            derived.len(),
            64,
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(seed(ROOT, "web-0/data").unwrap(), derived);
    }

    #[test]
    fn every_name_and_root_has_seeds_of_its_own() {
        let other = ROOT.replace('0', "1");
        let seeds = [
            seed(ROOT, "web-0/data"),
            seed(ROOT, "web-1/data"),
            seed(&other, "web-0/data"),
        ];
        let seeds = seeds.map(Result::unwrap);
        assert!(seeds[0] != seeds[1] && seeds[0] != seeds[2] && seeds[1] != seeds[2]);
    }

    #[test]
    fn a_root_that_can_be_guessed_and_a_name_that_says_nothing_are_refused() {
        assert_eq!(seed(&ROOT[1..], "web").unwrap_err().0, Some(0));
        assert_eq!(seed(ROOT, "").unwrap_err().0, Some(1));
    }
}
