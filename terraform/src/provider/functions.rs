//! The calls about functions.

use super::{Provider, value, wire};
use crate::catalogue::{self, FUNCTIONS};
use crate::diagnostic::sentence;
use crate::function::Refused;
use crate::protocol::{CallError, CallRequest, CallResponse, Empty, FunctionsResponse};
use crate::resource::Failed;
use crate::value::Value;

impl Provider {
    pub(crate) fn functions(&self, _: &Empty) -> FunctionsResponse {
        FunctionsResponse {
            functions: FUNCTIONS
                .iter()
                .map(|one| (one.name().to_owned(), (&one.signature()).into()))
                .collect(),
        }
    }

    pub(crate) fn call(&self, request: &CallRequest) -> CallResponse {
        match self.result(request) {
            Ok(result) => CallResponse {
                result: Some(wire(&result)),
                error: None,
            },
            Err((argument, text)) => CallResponse {
                result: None,
                error: Some(CallError {
                    text: said(&text),
                    argument: argument.and_then(|index| i64::try_from(index).ok()),
                }),
            },
        }
    }

    fn result(&self, request: &CallRequest) -> Result<Value, Refused> {
        let function = catalogue::function(&request.name).ok_or_else(|| {
            (
                None,
                "there is no such function in this provider".to_owned(),
            )
        })?;
        let arguments: Result<Vec<_>, Failed> = request.arguments.iter().map(value).collect();
        let arguments = arguments.map_err(|_| (None, "an argument cannot be read".to_owned()))?;
        let signature = function.signature();
        let least = signature.parameters.len();
        if arguments.len() < least || (arguments.len() > least && signature.variadic.is_none()) {
            return Err((None, "the number of arguments is wrong".to_owned()));
        }
        function.call(&arguments, &self.context())
    }
}

/// The text of an error, to which Terraform puts a full stop.
fn said(text: &str) -> String {
    sentence(text).trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_begins_with_a_capital_and_leaves_the_full_stop_to_terraform() {
        assert_eq!(
            said("`seed` is missing. Give a text."),
            "`seed` is missing. Give a text"
        );
        assert_eq!(
            said("the key is short; give another"),
            "The key is short; give another"
        );
    }
}
