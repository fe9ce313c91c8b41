//! `provider::hpcr::encrypt`: a text, sealed.
//!
//! Sealing gives another token each time, on purpose: nobody may see whether two texts are the same. What must not
//! change from one run to the next is sealed by a resource, which keeps it in the state.

use hpcr_contract::certificate::{Expiry, PublicKey, expiry};
use hpcr_contract::error::ContractError;
use hpcr_contract::token::openssl::Prefix;
use hpcr_contract::token::{Audience, age};

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
            summary: "A text, sealed for an image. Each call gives another token: keep what must stay with hpcr_text_encrypted.",
            parameters: vec![
                text("text", "The text."),
                text(
                    "to",
                    "The image's encryption certificate (PEM), or its age recipient (age1...).",
                ),
            ],
            result: Kind::Text,
        }
    }

    fn call(&self, arguments: &[Value], context: &Context) -> Result<Value, Refused> {
        let [text, to] = arguments else {
            return Err((None, "two arguments are needed: text and to".into()));
        };
        let text = text.as_text().unwrap_or_default();
        let to = to.as_text().unwrap_or_default();
        let refused = |error: ContractError| (Some(1), error.to_string());
        let sealed = if to.trim_start().starts_with("age1") {
            let recipient = age::Recipient::from_text(to).map_err(refused)?;
            Audience::Recipient(&recipient).seal(text.as_bytes())
        } else {
            let key = PublicKey::parse(to.as_bytes()).map_err(refused)?;
            let end = key.validity().map(|validity| validity.not_after);
            if end.is_some_and(|end| expiry(end, context.now) == Expiry::Expired) {
                let why = "the encryption certificate has expired; give that of a current image";
                return Err((Some(1), why.into()));
            }
            Audience::Certificate(&key, Prefix::HyperProtectBasic).seal(text.as_bytes())
        };
        sealed.map(Value::text).map_err(refused)
    }
}
