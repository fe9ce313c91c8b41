//! The calls of the plugin protocol, carried out on the catalogue. Messages come in, values go to a resource, a data
//! source or a function, and what these say goes back; nothing here knows what any of them does.

#![allow(
    clippy::unused_self,
    reason = "every call of the protocol has the same shape"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::catalogue::{self, DATA_SOURCES, FUNCTIONS, RESOURCES};
use crate::context::{self, Context};
use crate::diagnostic::Diagnostic;
use crate::protocol::{
    self, ConfigureRequest, Diagnostics, DynamicValue, Empty, MetadataResponse, Name,
    SchemaResponse, ServerCapabilities, ValidateProviderRequest, ValidateProviderResponse,
};
use crate::resource::{Failed, Resource};
use crate::schema::Schema;
use crate::value::path::Path;
use crate::value::{Object, Value, json, msgpack};

mod data;
mod functions;
mod resources;
mod settings;

/// The provider of one run of Terraform.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    config: RwLock<Option<Object>>,
    interrupted: Arc<AtomicBool>,
}

impl Provider {
    pub(crate) fn context(&self) -> Context {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        Context {
            provider: config.clone(),
            now: context::now(),
            interrupted: self.interrupted.clone(),
        }
    }

    /// Terraform was interrupted: calls that wait for something see it, and end.
    pub(crate) fn stop(&self, _: &Empty) -> Empty {
        self.interrupted.store(true, Ordering::Relaxed);
        Empty {}
    }

    pub(crate) fn metadata(&self, _: &Empty) -> MetadataResponse {
        let name = |name: &str| Name {
            name: name.to_owned(),
        };
        MetadataResponse {
            capabilities: Some(CAPABILITIES),
            data_sources: DATA_SOURCES.iter().map(|one| name(one.name())).collect(),
            resources: RESOURCES.iter().map(|one| name(one.name())).collect(),
            functions: FUNCTIONS.iter().map(|one| name(one.name())).collect(),
        }
    }

    pub(crate) fn schemas(&self, request: &Empty) -> SchemaResponse {
        SchemaResponse {
            provider: Some((&settings::schema()).into()),
            resources: RESOURCES
                .iter()
                .map(|one| (one.name().to_owned(), (&one.schema()).into()))
                .collect(),
            data_sources: DATA_SOURCES
                .iter()
                .map(|one| (one.name().to_owned(), (&data::schema(*one)).into()))
                .collect(),
            functions: self.functions(request).functions,
            capabilities: Some(CAPABILITIES),
        }
    }

    pub(crate) fn validate_provider(
        &self,
        request: &ValidateProviderRequest,
    ) -> ValidateProviderResponse {
        let found =
            settings(request.config.as_ref()).map_or_else(|failed| failed, |c| settings::check(&c));
        ValidateProviderResponse {
            diagnostics: told(found),
        }
    }

    pub(crate) fn configure(&self, request: &ConfigureRequest) -> Diagnostics {
        let found = match settings(request.config.as_ref()) {
            Err(failed) => failed,
            Ok(config) => {
                let found = settings::check(&config);
                let mut kept = self.config.write().unwrap_or_else(PoisonError::into_inner);
                *kept = Some(config);
                found
            }
        };
        Diagnostics {
            diagnostics: told(found),
        }
    }
}

const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: false,
    schema_optional: true,
    move_state: true,
};

fn known(name: &str) -> Result<&'static dyn Resource, Failed> {
    catalogue::resource(name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Failed {
    let detail = "Check the name, and the version of the provider.";
    let summary = format!("There is no {name} in this provider");
    vec![Diagnostic::error(Path::default(), &summary, detail)]
}

/// What Terraform sent as a value.
fn value(sent: &DynamicValue) -> Result<Value, Failed> {
    msgpack::decode(&sent.msgpack).map_err(|error| {
        let detail = format!("{error}: report this as a bug of the provider or of Terraform.");
        let summary = "Terraform sent a value that cannot be read";
        vec![Diagnostic::error(Path::default(), summary, detail)]
    })
}

/// An object, or nothing.
fn optional(sent: Option<&DynamicValue>) -> Result<Option<Object>, Failed> {
    match sent.map(value).transpose()? {
        Some(Value::Map(object)) => Ok(Some(object)),
        _ => Ok(None),
    }
}

/// An object; one without attributes where nothing was sent.
fn object(sent: Option<&DynamicValue>) -> Result<Object, Failed> {
    Ok(optional(sent)?.unwrap_or_default())
}

/// The provider's own configuration, as it is meant.
fn settings(sent: Option<&DynamicValue>) -> Result<Object, Failed> {
    Ok(settings::schema().meant(object(sent)?))
}

/// What a state file holds of a resource.
fn state_file(raw: &[u8], schema: &Schema) -> Result<Value, Failed> {
    let state: serde_json::Value = serde_json::from_slice(raw).map_err(|error| {
        let summary = "The state of the resource cannot be read";
        let detail = format!(
            "It is not JSON at line {}, column {}. Restore the state file from a backup.",
            error.line(),
            error.column()
        );
        vec![Diagnostic::error(Path::default(), summary, detail)]
    })?;
    Ok(json::decode(&state, &schema.kind()))
}

fn wire(value: &Value) -> DynamicValue {
    DynamicValue {
        msgpack: msgpack::encode(value),
        json: Vec::new(),
    }
}

fn told(found: Vec<Diagnostic>) -> Vec<protocol::Diagnostic> {
    found.into_iter().map(Into::into).collect()
}

/// A value or what is wrong, as responses carry them.
fn sent(outcome: Result<Value, Failed>) -> (Option<DynamicValue>, Vec<protocol::Diagnostic>) {
    match outcome {
        Ok(value) => (Some(wire(&value)), Vec::new()),
        Err(failed) => (None, told(failed)),
    }
}
