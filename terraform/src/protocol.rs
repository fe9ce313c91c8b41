//! The messages of the Terraform plugin protocol, version 6, as far as this provider reads or writes them
//! (HashiCorp, "Terraform plugin protocol", `tfplugin6` of Terraform 1.11). Fields that are not listed are left alone.
//!
//! Numbers and types are the protocol's; the names and shapes here are ours.

use std::collections::BTreeMap;

use prost::{Enumeration, Message, Oneof};

/// A value, in one of two forms.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct DynamicValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) msgpack: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) json: Vec<u8>,
}

/// State as it lies in a state file.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(crate) struct RawState {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) json: Vec<u8>,
}

/// Values are secrets until proven otherwise.
macro_rules! hidden {
    ($($name:ident),+) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        })+
    };
}
hidden!(DynamicValue, RawState);

#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(crate) enum Severity {
    Invalid = 0,
    Error = 1,
    Warning = 2,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Diagnostic {
    #[prost(enumeration = "Severity", tag = "1")]
    pub(crate) severity: i32,
    #[prost(string, tag = "2")]
    pub(crate) summary: String,
    #[prost(string, tag = "3")]
    pub(crate) detail: String,
    #[prost(message, optional, tag = "4")]
    pub(crate) attribute: Option<AttributePath>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AttributePath {
    #[prost(message, repeated, tag = "1")]
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Step {
    #[prost(oneof = "Selector", tags = "1, 2, 3")]
    pub(crate) selector: Option<Selector>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(crate) enum Selector {
    #[prost(string, tag = "1")]
    Attribute(String),
    #[prost(string, tag = "2")]
    Key(String),
    #[prost(int64, tag = "3")]
    Index(i64),
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Schema {
    #[prost(int64, tag = "1")]
    pub(crate) version: i64,
    #[prost(message, optional, tag = "2")]
    pub(crate) block: Option<Block>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Block {
    #[prost(int64, tag = "1")]
    pub(crate) version: i64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) attributes: Vec<Attribute>,
    #[prost(string, tag = "4")]
    pub(crate) description: String,
}

#[derive(Clone, PartialEq, Message)]
#[allow(clippy::struct_excessive_bools, reason = "the protocol has them")]
pub(crate) struct Attribute {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// The type as JSON; empty where `nested` says it.
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) kind: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(crate) description: String,
    #[prost(bool, tag = "4")]
    pub(crate) required: bool,
    #[prost(bool, tag = "5")]
    pub(crate) optional: bool,
    #[prost(bool, tag = "6")]
    pub(crate) computed: bool,
    #[prost(bool, tag = "7")]
    pub(crate) sensitive: bool,
    #[prost(message, optional, tag = "10")]
    pub(crate) nested: Option<NestedObject>,
    #[prost(bool, tag = "11")]
    pub(crate) write_only: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct NestedObject {
    #[prost(message, repeated, tag = "1")]
    pub(crate) attributes: Vec<Attribute>,
    #[prost(enumeration = "Nesting", tag = "3")]
    pub(crate) nesting: i32,
}

/// How objects are nested in an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord, Hash, Enumeration)]
#[repr(i32)]
pub(crate) enum Nesting {
    Invalid = 0,
    Single = 1,
    List = 2,
    Set = 3,
    Map = 4,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Function {
    #[prost(message, repeated, tag = "1")]
    pub(crate) parameters: Vec<Parameter>,
    #[prost(message, optional, tag = "2")]
    pub(crate) variadic: Option<Parameter>,
    #[prost(message, optional, tag = "3")]
    pub(crate) result: Option<Returned>,
    #[prost(string, tag = "4")]
    pub(crate) summary: String,
    #[prost(string, tag = "5")]
    pub(crate) description: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Parameter {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) kind: Vec<u8>,
    #[prost(bool, tag = "3")]
    pub(crate) allow_null: bool,
    #[prost(string, tag = "5")]
    pub(crate) description: String,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Returned {
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) kind: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ServerCapabilities {
    /// `PlanResourceChange` is called for a resource that goes, too.
    #[prost(bool, tag = "1")]
    pub(crate) plan_destroy: bool,
    /// Terraform may keep the schemas of another instance of this process.
    #[prost(bool, tag = "2")]
    pub(crate) schema_optional: bool,
    /// `MoveResourceState` is known here.
    #[prost(bool, tag = "3")]
    pub(crate) move_state: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct ClientCapabilities {
    /// Terraform knows attributes that stand in no state and no plan.
    #[prost(bool, tag = "2")]
    pub(crate) write_only: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Empty {}

/// A request or response that carries one field that is alike in several calls.
macro_rules! messages {
    ($($name:ident { $($tag:literal $field:ident: $kind:ty [$($form:tt)+]),* $(,)? })+) => {
        $(#[derive(Clone, PartialEq, Message)]
        pub(crate) struct $name {
            $(#[prost($($form)+, tag = $tag)]
            pub(crate) $field: $kind,)*
        })+
    };
}

messages! {
    MetadataResponse {
        "1" capabilities: Option<ServerCapabilities> [message, optional],
        "3" data_sources: Vec<Name> [message, repeated],
        "4" resources: Vec<Name> [message, repeated],
        "5" functions: Vec<Name> [message, repeated],
    }
    Name { "1" name: String [string] }
    SchemaResponse {
        "1" provider: Option<Schema> [message, optional],
        "2" resources: BTreeMap<String, Schema> [btree_map = "string, message"],
        "3" data_sources: BTreeMap<String, Schema> [btree_map = "string, message"],
        "6" capabilities: Option<ServerCapabilities> [message, optional],
        "7" functions: BTreeMap<String, Function> [btree_map = "string, message"],
    }
    ValidateProviderRequest { "1" config: Option<DynamicValue> [message, optional] }
    ValidateProviderResponse { "2" diagnostics: Vec<Diagnostic> [message, repeated] }
    ConfigureRequest { "2" config: Option<DynamicValue> [message, optional] }
    Diagnostics { "1" diagnostics: Vec<Diagnostic> [message, repeated] }
    ValidateRequest {
        "1" name: String [string],
        "2" config: Option<DynamicValue> [message, optional],
        "3" client: Option<ClientCapabilities> [message, optional],
    }
    UpgradeRequest {
        "1" name: String [string],
        "3" state: Option<RawState> [message, optional],
    }
    UpgradeResponse {
        "1" state: Option<DynamicValue> [message, optional],
        "2" diagnostics: Vec<Diagnostic> [message, repeated],
    }
    ReadRequest {
        "1" name: String [string],
        "2" state: Option<DynamicValue> [message, optional],
        "3" private: Vec<u8> [bytes = "vec"],
    }
    ReadResponse {
        "1" state: Option<DynamicValue> [message, optional],
        "2" diagnostics: Vec<Diagnostic> [message, repeated],
        "3" private: Vec<u8> [bytes = "vec"],
    }
    PlanRequest {
        "1" name: String [string],
        "2" prior: Option<DynamicValue> [message, optional],
        "3" proposed: Option<DynamicValue> [message, optional],
        "4" config: Option<DynamicValue> [message, optional],
        "5" private: Vec<u8> [bytes = "vec"],
    }
    PlanResponse {
        "1" planned: Option<DynamicValue> [message, optional],
        "2" requires_replace: Vec<AttributePath> [message, repeated],
        "3" private: Vec<u8> [bytes = "vec"],
        "4" diagnostics: Vec<Diagnostic> [message, repeated],
    }
    ApplyRequest {
        "1" name: String [string],
        "2" prior: Option<DynamicValue> [message, optional],
        "3" planned: Option<DynamicValue> [message, optional],
        "4" config: Option<DynamicValue> [message, optional],
        "5" private: Vec<u8> [bytes = "vec"],
    }
    ApplyResponse {
        "1" state: Option<DynamicValue> [message, optional],
        "2" private: Vec<u8> [bytes = "vec"],
        "3" diagnostics: Vec<Diagnostic> [message, repeated],
    }
    ImportRequest {
        "1" name: String [string],
        "2" id: String [string],
    }
    Imported {
        "1" name: String [string],
        "2" state: Option<DynamicValue> [message, optional],
        "3" private: Vec<u8> [bytes = "vec"],
    }
    ImportResponse {
        "1" imported: Vec<Imported> [message, repeated],
        "2" diagnostics: Vec<Diagnostic> [message, repeated],
    }
    MoveRequest {
        "1" provider: String [string],
        "2" from: String [string],
        "4" state: Option<RawState> [message, optional],
        "5" to: String [string],
        "6" private: Vec<u8> [bytes = "vec"],
    }
    MoveResponse {
        "1" state: Option<DynamicValue> [message, optional],
        "2" diagnostics: Vec<Diagnostic> [message, repeated],
        "3" private: Vec<u8> [bytes = "vec"],
    }
    ReadDataRequest {
        "1" name: String [string],
        "2" config: Option<DynamicValue> [message, optional],
    }
    ReadDataResponse {
        "1" state: Option<DynamicValue> [message, optional],
        "2" diagnostics: Vec<Diagnostic> [message, repeated],
    }
    FunctionsResponse { "1" functions: BTreeMap<String, Function> [btree_map = "string, message"] }
    CallRequest {
        "1" name: String [string],
        "2" arguments: Vec<DynamicValue> [message, repeated],
    }
    CallResponse {
        "1" result: Option<DynamicValue> [message, optional],
        "2" error: Option<CallError> [message, optional],
    }
    CallError {
        "1" text: String [string],
        "2" argument: Option<i64> [int64, optional],
    }
}
