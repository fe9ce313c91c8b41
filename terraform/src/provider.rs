//! The calls of the plugin protocol, carried out on the catalogue. Messages come in, values go to a resource, a data
//! source or a function, and what these say goes back; nothing here knows what any of them does.

use std::sync::{PoisonError, RwLock};

use crate::catalogue::{self, RESOURCES};
use crate::context::{self, Context};
use crate::diagnostic::{Diagnostic, stops};
use crate::protocol::{
    ApplyRequest, ApplyResponse, ConfigureRequest, Diagnostics, DynamicValue, ImportRequest,
    ImportResponse, Imported, MetadataResponse, Name, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, SchemaResponse, ServerCapabilities, UpgradeRequest, UpgradeResponse,
    ValidateProviderRequest, ValidateProviderResponse, ValidateRequest,
};
use crate::resource::{Change, Failed, Outcome, Resource};
use crate::schema::Schema;
use crate::value::path::Path;
use crate::value::{Object, Value, json, msgpack};

mod settings;

/// The provider of one run of Terraform.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    config: RwLock<Option<Object>>,
}

impl Provider {
    fn context(&self) -> Context {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        Context {
            provider: config.clone(),
            now: context::now(),
        }
    }

    pub(crate) fn metadata(&self) -> MetadataResponse {
        let name = |name: &str| Name {
            name: name.to_owned(),
        };
        MetadataResponse {
            capabilities: Some(CAPABILITIES),
            resources: RESOURCES.iter().map(|one| name(one.name())).collect(),
            ..Default::default()
        }
    }

    pub(crate) fn schemas(&self) -> SchemaResponse {
        SchemaResponse {
            provider: Some((&settings::schema()).into()),
            resources: RESOURCES
                .iter()
                .map(|one| (one.name().to_owned(), (&one.schema()).into()))
                .collect(),
            capabilities: Some(CAPABILITIES),
            ..Default::default()
        }
    }

    pub(crate) fn validate_provider(
        &self,
        request: ValidateProviderRequest,
    ) -> ValidateProviderResponse {
        let found = object(request.config).map_or_else(|failed| failed, |c| settings::check(&c));
        ValidateProviderResponse {
            diagnostics: told(found),
        }
    }

    pub(crate) fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        let found = match object(request.config) {
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

    pub(crate) fn validate_resource(&self, request: ValidateRequest) -> Diagnostics {
        let check = || {
            let resource = known(&request.name)?;
            // Warnings are told by the plan, once.
            let mut found = resource.check(&object(request.config)?, &self.context());
            found.retain(|diagnostic| diagnostic.is_error);
            Ok(found)
        };
        Diagnostics {
            diagnostics: told(check().unwrap_or_else(|failed: Failed| failed)),
        }
    }

    pub(crate) fn upgrade(&self, request: UpgradeRequest) -> UpgradeResponse {
        let raw = request.state.unwrap_or_default().json;
        let (state, diagnostics) =
            sent(known(&request.name).and_then(|resource| state_file(&raw, &resource.schema())));
        UpgradeResponse { state, diagnostics }
    }

    pub(crate) fn read(&self, request: ReadRequest) -> ReadResponse {
        let read = || match optional(request.state)? {
            None => Ok(Value::Null),
            Some(state) => {
                let state = known(&request.name)?.read(state)?;
                Ok(state.map_or(Value::Null, Value::Map))
            }
        };
        let (state, diagnostics) = sent(read());
        ReadResponse {
            state,
            diagnostics,
            private: request.private,
        }
    }

    pub(crate) fn plan(&self, request: PlanRequest) -> PlanResponse {
        match self.planned(&request) {
            Err(failed) => PlanResponse {
                diagnostics: told(failed),
                ..Default::default()
            },
            // A resource that goes needs no plan.
            Ok(None) => PlanResponse {
                planned: Some(wire(&Value::Null)),
                private: request.private,
                ..Default::default()
            },
            Ok(Some(outcome)) => PlanResponse {
                planned: Some(wire(&Value::Map(outcome.state))),
                requires_replace: outcome.replace.into_iter().map(Into::into).collect(),
                private: outcome.private,
                diagnostics: told(outcome.warnings),
            },
        }
    }

    fn planned(&self, request: &PlanRequest) -> Result<Option<Outcome>, Failed> {
        let resource = known(&request.name)?;
        let Some(mut proposed) = optional(request.proposed.clone())? else {
            return Ok(None);
        };
        let config = object(request.config.clone())?;
        let schema = resource.schema();
        schema.fill(&config, &mut proposed);
        resource
            .plan(&Change {
                prior: optional(request.prior.clone())?.as_ref(),
                planned: &proposed,
                config: &config,
                private: &request.private,
                context: &self.context(),
            })
            .map(Some)
    }

    pub(crate) fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        match self.applied(&request) {
            // What was there before is there still.
            Err(failed) => ApplyResponse {
                state: request.prior,
                private: request.private,
                diagnostics: told(failed),
            },
            Ok(outcome) => ApplyResponse {
                state: Some(wire(
                    &outcome
                        .as_ref()
                        .map_or(Value::Null, |outcome| Value::Map(outcome.state.clone())),
                )),
                private: outcome
                    .as_ref()
                    .map(|o| o.private.clone())
                    .unwrap_or_default(),
                diagnostics: told(outcome.map(|outcome| outcome.warnings).unwrap_or_default()),
            },
        }
    }

    fn applied(&self, request: &ApplyRequest) -> Result<Option<Outcome>, Failed> {
        let resource = known(&request.name)?;
        let prior = optional(request.prior.clone())?;
        let Some(planned) = optional(request.planned.clone())? else {
            let found = prior
                .map(|prior| resource.delete(&prior))
                .unwrap_or_default();
            return if stops(&found) { Err(found) } else { Ok(None) };
        };
        resource
            .apply(&Change {
                prior: prior.as_ref(),
                planned: &planned,
                config: &object(request.config.clone())?,
                private: &request.private,
                context: &self.context(),
            })
            .map(Some)
    }

    pub(crate) fn import(&self, request: ImportRequest) -> ImportResponse {
        let import = || {
            let resource = known(&request.name)?;
            let state = resource.import(&request.id)?;
            Ok(Value::Map(resource.schema().complete(state)))
        };
        let (state, diagnostics) = sent(import());
        let imported = state.map(|state| Imported {
            name: request.name,
            state: Some(state),
            private: Vec::new(),
        });
        ImportResponse {
            imported: imported.into_iter().collect(),
            diagnostics,
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
fn optional(sent: Option<DynamicValue>) -> Result<Option<Object>, Failed> {
    match sent.as_ref().map(value).transpose()? {
        Some(Value::Map(object)) => Ok(Some(object)),
        _ => Ok(None),
    }
}

/// An object; one without attributes where nothing was sent.
fn object(sent: Option<DynamicValue>) -> Result<Object, Failed> {
    Ok(optional(sent)?.unwrap_or_default())
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

fn told(found: Vec<Diagnostic>) -> Vec<crate::protocol::Diagnostic> {
    found.into_iter().map(Into::into).collect()
}

/// A value or what is wrong, as responses carry them.
fn sent(
    outcome: Result<Value, Failed>,
) -> (Option<DynamicValue>, Vec<crate::protocol::Diagnostic>) {
    match outcome {
        Ok(value) => (Some(wire(&value)), Vec::new()),
        Err(failed) => (None, told(failed)),
    }
}
