//! `provider::hpcr::tgz`: a folder as the archive of `compose.archive` and `play.archive`.

use crate::context::Context;
use crate::folder;
use crate::function::{Function, Refused};
use crate::schema::{Parameter, Signature};
use crate::value::Value;
use crate::value::kind::Kind;
use crate::value::path::Path;

/// See the module.
pub(crate) struct Tgz;

impl Function for Tgz {
    fn name(&self) -> &'static str {
        "tgz"
    }

    fn signature(&self) -> Signature {
        Signature {
            summary: "Base64 of a reproducible tar.gz of a folder: the same files give the same text.",
            parameters: vec![Parameter {
                name: "folder",
                kind: Kind::Text,
                description: "The folder, relative to where Terraform runs.",
                nullable: false,
            }],
            variadic: None,
            result: Kind::Text,
        }
    }

    fn call(&self, arguments: &[Value], _: &Context) -> Result<Value, Refused> {
        let folder = arguments
            .first()
            .and_then(Value::as_text)
            .unwrap_or_default();
        let refused = |found: crate::diagnostic::Diagnostic| {
            (Some(0), format!("{}. {}", found.summary, found.detail))
        };
        if let Some(found) = folder::missing(folder, Path::default()) {
            return Err(refused(found));
        }
        folder::pack(folder, Path::default())
            .map(Value::text)
            .map_err(refused)
    }
}
