//! `provider::hpcr::encrypt`: a text, sealed.
//!
//! Terraform asks that a function gives the same for the same arguments, so this token's randomness is made of them. What
//! somebody could guess as a whole, such as a password on its own, belongs into a resource.

use hpcr_contract::certificate::{Expiry, PublicKey, expiry};
use hpcr_contract::error::ContractError;
use hpcr_contract::token::openssl::seal_alike;

use crate::context::Context;
use crate::function::{Function, Refused};
use crate::schema::{Parameter, Signature};
use crate::sealing;
use crate::value::Value;
use crate::value::kind::Kind;

/// See the module.
pub(crate) struct Encrypt;

impl Function for Encrypt {
    fn name(&self) -> &'static str {
        "encrypt"
    }

    fn signature(&self) -> Signature {
        let text = |name, description| Parameter {
            name,
            kind: Kind::Text,
            description,
            nullable: false,
        };
        Signature {
            summary: "A text, sealed for an image: the same token for the same arguments. Seal what could be guessed as a whole with hpcr_text_encrypted.",
            parameters: vec![
                text("text", "The text."),
                text("cert", "The image's encryption certificate (PEM)."),
            ],
            variadic: Some(text(
                "platform",
                "The product that the token is for: hpvs (if not given), ccrt, ccrv or ccco. It says how the token begins.",
            )),
            result: Kind::Text,
        }
    }

    fn call(&self, arguments: &[Value], context: &Context) -> Result<Value, Refused> {
        let text = |index: usize| {
            arguments
                .get(index)
                .and_then(Value::as_text)
                .unwrap_or_default()
        };
        let refused = |error: ContractError| (Some(1), error.to_string());
        if arguments.len() > 3 {
            return Err((
                Some(3),
                "one platform is enough: leave the others out".into(),
            ));
        }
        let product = sealing::named(arguments.get(2).and_then(Value::as_text));
        let product = product.ok_or_else(|| {
            let text = format!("There is no such platform. {}", sealing::PLATFORMS);
            (Some(2), text)
        })?;
        let key = PublicKey::parse(text(1).as_bytes()).map_err(refused)?;
        let end = key.validity().map(|validity| validity.not_after);
        if end.is_some_and(|end| expiry(end, context.now) == Expiry::Expired) {
            let why = "the encryption certificate has expired; give that of a current image";
            return Err((Some(1), why.into()));
        }
        seal_alike(text(0).as_bytes(), &key, sealing::prefix(product))
            .map(Value::text)
            .map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hpcr_contract::private_key::PrivateKey;

    #[test]
    fn a_token_begins_as_the_images_of_its_platform_know_it() {
        let key = PrivateKey::generate(2048).unwrap();
        let pem = key.public_key().unwrap();
        let pem = String::from_utf8(pem.pem().to_vec()).unwrap();
        let call = |platforms: &[&str]| {
            let given = ["hello", &pem].into_iter().chain(platforms.iter().copied());
            let given: Vec<_> = given.map(Value::text).collect();
            Encrypt.call(&given, &Context::default())
        };
        for (platforms, prefix) in [
            (&[][..], "hyper-protect-basic."),
            (&["hpvs"], "hyper-protect-basic."),
            (&["ccco"], "hyper-protect-basic."),
            (&["ccrt"], "contract-basic."),
            (&["ccrv"], "contract-basic."),
            (&["hpcr-rhvs"], "contract-basic."),
        ] {
            let token = call(platforms).unwrap();
            assert!(
                token.as_text().unwrap().starts_with(prefix),
                "{platforms:?}"
            );
            assert!(token == call(platforms).unwrap(), "another token");
        }
        assert_eq!(call(&["hpvc"]).unwrap_err().0, Some(2));
        assert_eq!(call(&["ccrt", "ccrv"]).unwrap_err().0, Some(3));
    }
}
