//! `provider::hpcr::encrypt`: a text, sealed.
//!
//! Terraform asks that a function gives the same for the same arguments, so this token's randomness is made of them. What
//! somebody could guess as a whole, such as a password on its own, belongs into a resource.

use hpcr_contract::certificate::{Expiry, PublicKey, expiry};
use hpcr_contract::error::ContractError;
use hpcr_contract::token::openssl::{Prefix, seal_alike};

use crate::context::Context;
use crate::function::{Function, Refused};
use crate::schema::{Parameter, Signature};
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
        let key = PublicKey::parse(text(1).as_bytes()).map_err(refused)?;
        let end = key.validity().map(|validity| validity.not_after);
        if end.is_some_and(|end| expiry(end, context.now) == Expiry::Expired) {
            let why = "the encryption certificate has expired; give that of a current image";
            return Err((Some(1), why.into()));
        }
        seal_alike(text(0).as_bytes(), &key, Prefix::HyperProtectBasic)
            .map(Value::text)
            .map_err(refused)
    }
}
