//! The definitions of our schema as code: made of its text when this crate is compiled, so that nothing is compiled when
//! a contract is checked. Patterns run on the linear engine: a hostile value cannot make them backtrack.

use jsonschema::ErrorIterator;
use serde_json::Value;

/// What finds the errors of an instance.
pub(super) type Check = fn(&Value) -> ErrorIterator<'_>;

macro_rules! definition {
    ($name:ident, $reference:literal) => {
        #[jsonschema::validator(
                    schema = $reference,
                    draft = Draft202012,
                    resources = { "urn:hpcr:contract" => { path = "schema/contract.json" } },
                    pattern_options = { engine = regex },
                    methods = { is_valid = false, validate = false, iter_errors = true }
                )]
        pub(super) struct $name;
    };
}

definition!(
    CcrtWorkload,
    r##"{"$ref": "urn:hpcr:contract#/$defs/ccrtWorkload"}"##
);
definition!(
    CcrvWorkload,
    r##"{"$ref": "urn:hpcr:contract#/$defs/ccrvWorkload"}"##
);
definition!(
    CccoWorkload,
    r##"{"$ref": "urn:hpcr:contract#/$defs/cccoWorkload"}"##
);
definition!(CcrtEnv, r##"{"$ref": "urn:hpcr:contract#/$defs/ccrtEnv"}"##);
definition!(
    CcrtContractEnv,
    r##"{"$ref": "urn:hpcr:contract#/$defs/ccrtContractEnv"}"##
);
definition!(CccoEnv, r##"{"$ref": "urn:hpcr:contract#/$defs/cccoEnv"}"##);
