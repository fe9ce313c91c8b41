//! `provider::hpcr::attestation_verify`: the hashes of a record, once its signature is good.

use crate::attestation;
use crate::context::Context;
use crate::function::{Function, Refused};
use crate::schema::{Parameter, Signature};
use crate::value::Value;
use crate::value::kind::Kind;

/// See the module.
pub(crate) struct AttestationVerify;

impl Function for AttestationVerify {
    fn name(&self) -> &'static str {
        "attestation_verify"
    }

    fn signature(&self) -> Signature {
        let text = |name, description| Parameter {
            name,
            kind: Kind::Text,
            description,
            nullable: false,
        };
        Signature {
            summary: "The hashes of an attestation record, by name. A record that the certificate's key has not signed is an error.",
            parameters: vec![
                text("record", "The record in the clear (se-checksums.txt)."),
                text(
                    "cert",
                    "The image's attestation certificate, or its public key (PEM).",
                ),
                text(
                    "signature",
                    "The signature: filebase64(\"se-signature.bin\").",
                ),
            ],
            variadic: None,
            result: Kind::map(Kind::Text),
        }
    }

    fn call(&self, arguments: &[Value], _: &Context) -> Result<Value, Refused> {
        let text = |index: usize| {
            let argument = arguments.get(index);
            argument.and_then(Value::as_text).unwrap_or_default()
        };
        attestation::verify(text(0), text(1), text(2)).map_err(|error| {
            let argument = match error {
                hpcr_contract::error::ContractError::PublicKey(_) => 1,
                _ => 2,
            };
            (Some(argument), error.to_string())
        })?;
        let (hashes, _) =
            attestation::checksums(text(0)).map_err(|error| (Some(0), error.to_string()))?;
        Ok(Value::Map(hashes))
    }
}
