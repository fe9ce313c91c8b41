//! `provider::hpcr::attestation_open`: a record that was sealed to its auditor, in the clear. The arguments of a function
//! stand in no state, so the auditor's key does not either.

use hpcr_contract::error::ContractError;
use hpcr_contract::private_key::PrivateKey;
use hpcr_contract::token::openssl::is_token;

use crate::attestation::{self, Closed};
use crate::context::Context;
use crate::function::{Function, Refused};
use crate::schema::{Parameter, Signature};
use crate::value::Value;
use crate::value::kind::Kind;

/// See the module.
pub(crate) struct AttestationOpen;

impl Function for AttestationOpen {
    fn name(&self) -> &'static str {
        "attestation_open"
    }

    fn signature(&self) -> Signature {
        let text = |name, description| Parameter {
            name,
            kind: Kind::Text,
            description,
            nullable: false,
        };
        Signature {
            summary: "A sealed attestation record in the clear. The key stands in no state and no plan.",
            parameters: vec![
                text("record", "The record as it is (se-checksums.txt.enc)."),
                text(
                    "key",
                    "The auditor's private key (PEM, without a passphrase).",
                ),
            ],
            variadic: None,
            result: Kind::Text,
        }
    }

    fn call(&self, arguments: &[Value], _: &Context) -> Result<Value, Refused> {
        let [record, key] = arguments else {
            return Err((None, "It takes a record and a key.".to_owned()));
        };
        let record = record.as_text().unwrap_or_default();
        if !is_token(record) {
            let text =
                "The record is not sealed. Give se-checksums.txt.enc, or read this one as it is.";
            return Err((Some(0), text.to_owned()));
        }
        let pem = key.as_text().unwrap_or_default();
        let key = PrivateKey::from_pem(pem.as_bytes()).map_err(|error| {
            let text = match error {
                ContractError::PassphraseMissing => {
                    "The private key is encrypted. Give it in the clear, as `openssl pkey` prints it."
                        .to_owned()
                }
                other => other.to_string(),
            };
            (Some(1), text)
        })?;
        let record = attestation::open(record, Some(key)).map_err(|closed| match closed {
            Closed::Record(cause, remedy) => (Some(0), format!("{cause}. {remedy}")),
            Closed::Key(cause, remedy) => (Some(1), format!("{cause}. {remedy}")),
        })?;
        Ok(Value::text(record.as_str()))
    }
}
