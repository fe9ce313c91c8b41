//! What a resource, a data source or a function takes and gives, as one table of attributes each.

use serde_json::Value as Json;

use crate::protocol;
pub(crate) use crate::protocol::Nesting;
use crate::value::kind::Kind;
use crate::value::{Object, Value};

/// The attributes of a resource, of a data source, or of the provider.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    pub(crate) description: &'static str,
    pub(crate) attributes: Vec<Attribute>,
}

/// One attribute.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) use_: Use,
    pub(crate) description: String,
    pub(crate) sensitive: bool,
    /// Given at each run, and kept in no state.
    pub(crate) write_only: bool,
    /// What it is where a configuration does not say.
    pub(crate) default: Option<&'static str>,
    /// Empty text is a value like any other; elsewhere it is as good as none.
    pub(crate) takes_empty: bool,
}

/// Who says what an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Required,
    Optional,
    Computed,
}

/// What an attribute holds.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    Value(Kind),
    Nested(Nesting, Vec<Attribute>),
}

impl Attribute {
    fn new(name: &str, kind: Kind, use_: Use, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            form: Form::Value(kind),
            use_,
            description: description.to_owned(),
            sensitive: false,
            write_only: false,
            default: None,
            takes_empty: false,
        }
    }

    /// What a configuration must say.
    pub(crate) fn required(name: &str, kind: Kind, description: &str) -> Self {
        Self::new(name, kind, Use::Required, description)
    }

    /// What a configuration may say.
    pub(crate) fn optional(name: &str, kind: Kind, description: &str) -> Self {
        Self::new(name, kind, Use::Optional, description)
    }

    /// What the provider says.
    pub(crate) fn computed(name: &str, kind: Kind, description: &str) -> Self {
        Self::new(name, kind, Use::Computed, description)
    }

    /// Hidden in plans and outputs.
    #[must_use]
    pub(crate) fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Kept in no state.
    #[must_use]
    pub(crate) fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Text where a configuration says nothing.
    #[must_use]
    pub(crate) fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// Empty text is a value like any other.
    #[must_use]
    pub(crate) fn taking_empty(mut self) -> Self {
        self.takes_empty = true;
        self
    }

    /// Whether a value is as good as none: null, or, as with the published provider, an optional text that is empty.
    fn is_none(&self, value: &Value) -> bool {
        let may_be_left_out = self.use_ == Use::Optional && !self.takes_empty;
        value.is_null() || may_be_left_out && value.as_text() == Some("")
    }

    /// The type of its value.
    pub(crate) fn kind(&self) -> Kind {
        match &self.form {
            Form::Value(kind) => kind.clone(),
            Form::Nested(nesting, attributes) => {
                let object = object(attributes);
                match nesting {
                    Nesting::List => Kind::list(object),
                    Nesting::Set => Kind::Set(Box::new(object)),
                    Nesting::Map => Kind::map(object),
                    Nesting::Single | Nesting::Invalid => object,
                }
            }
        }
    }
}

impl Schema {
    /// The type of the whole.
    pub(crate) fn kind(&self) -> Kind {
        object(&self.attributes)
    }

    /// An object with every attribute: what is not given is null.
    pub(crate) fn complete(&self, mut given: Object) -> Object {
        for attribute in &self.attributes {
            given.entry(attribute.name.clone()).or_insert(Value::Null);
        }
        given
    }

    /// What an object says: what is as good as none is none, or the default.
    pub(crate) fn meant(&self, mut said: Object) -> Object {
        for attribute in &self.attributes {
            if let Some(value) = said.get_mut(&attribute.name)
                && attribute.is_none(value)
            {
                *value = attribute.default.map_or(Value::Null, Value::text);
            }
        }
        said
    }

    /// Takes out what no state may hold.
    pub(crate) fn forget(&self, proposed: &mut Object) {
        for attribute in self.attributes.iter().filter(|one| one.write_only) {
            proposed.insert(attribute.name.clone(), Value::Null);
        }
    }

    /// Puts defaults where a configuration says nothing.
    pub(crate) fn fill(&self, config: &Object, proposed: &mut Object) {
        for attribute in &self.attributes {
            if let Some(default) = attribute.default
                && config.get(&attribute.name).is_none_or(Value::is_null)
            {
                proposed.insert(attribute.name.clone(), Value::text(default));
            }
        }
    }
}

fn object(attributes: &[Attribute]) -> Kind {
    let attributes = attributes.iter();
    Kind::Object(
        attributes
            .map(|attribute| (attribute.name.clone(), attribute.kind()))
            .collect(),
    )
}

/// What a function takes and gives.
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) summary: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    /// What may be given behind them, none or many times.
    pub(crate) variadic: Option<Parameter>,
    pub(crate) result: Kind,
}

/// One argument of a function.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) description: &'static str,
    pub(crate) nullable: bool,
}

fn bytes(json: &Json) -> Vec<u8> {
    json.to_string().into_bytes()
}

impl From<&Schema> for protocol::Schema {
    fn from(schema: &Schema) -> Self {
        Self {
            version: 0,
            block: Some(protocol::Block {
                version: 0,
                attributes: schema.attributes.iter().map(Into::into).collect(),
                description: schema.description.to_owned(),
            }),
        }
    }
}

impl From<&Attribute> for protocol::Attribute {
    fn from(from: &Attribute) -> Self {
        let (kind, nested) = match &from.form {
            Form::Value(kind) => (bytes(&kind.to_json()), None),
            Form::Nested(nesting, attributes) => {
                let nested = protocol::NestedObject {
                    attributes: attributes.iter().map(Into::into).collect(),
                    nesting: (*nesting).into(),
                };
                (Vec::new(), Some(nested))
            }
        };
        Self {
            name: from.name.clone(),
            kind,
            description: from.description.clone(),
            required: from.use_ == Use::Required,
            optional: from.use_ == Use::Optional,
            // What has a default is said by the provider where nobody else does.
            computed: from.use_ == Use::Computed || from.default.is_some(),
            sensitive: from.sensitive,
            nested,
            write_only: from.write_only,
        }
    }
}

impl From<&Signature> for protocol::Function {
    fn from(from: &Signature) -> Self {
        let parameter = |parameter: &Parameter| protocol::Parameter {
            name: parameter.name.to_owned(),
            kind: bytes(&parameter.kind.to_json()),
            allow_null: parameter.nullable,
            description: parameter.description.to_owned(),
        };
        Self {
            parameters: from.parameters.iter().map(parameter).collect(),
            variadic: from.variadic.as_ref().map(parameter),
            result: Some(protocol::Returned {
                kind: bytes(&from.result.to_json()),
            }),
            summary: from.summary.to_owned(),
            description: from.summary.to_owned(),
        }
    }
}
