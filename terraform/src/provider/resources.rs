//! The calls about resources.

use super::{Provider, known, object, optional, sent, state_file, told, wire};
use crate::diagnostic::{Diagnostic, Stage, at, stops};
use crate::protocol::{
    ApplyRequest, ApplyResponse, Diagnostics, ImportRequest, ImportResponse, Imported, MoveRequest,
    MoveResponse, PlanRequest, PlanResponse, RawState, ReadRequest, ReadResponse, UpgradeRequest,
    UpgradeResponse, ValidateRequest,
};
use crate::resource::{Change, Failed, Outcome};
use crate::schema::Schema;
use crate::value::path::Path;
use crate::value::{Object, Value};

/// What every provider for these containers is called, wherever it comes from.
const NAME: &str = "hpcr";

impl Provider {
    pub(crate) fn validate_resource(&self, request: &ValidateRequest) -> Diagnostics {
        let check = || {
            let resource = known(&request.name)?;
            let schema = resource.schema();
            let config = schema.meant(object(request.config.as_ref())?);
            let mut found = resource.check(&config, &self.context());
            let client = request.client.as_ref();
            if !client.is_some_and(|client| client.write_only) {
                found.extend(too_new(&schema, &config));
            }
            // Warnings are told by the plan, once; that a change will be refused is told even where there is none, unless
            // the provider is configured, since a plan follows then.
            let until = match self.context().provider {
                Some(_) => Stage::Validate,
                None => Stage::Plan,
            };
            found.retain(|diagnostic| diagnostic.is_error && diagnostic.since <= until);
            Ok(at(Stage::Validate, found))
        };
        Diagnostics {
            diagnostics: told(check().unwrap_or_else(|failed: Failed| failed)),
        }
    }

    pub(crate) fn upgrade(&self, request: &UpgradeRequest) -> UpgradeResponse {
        let (state, diagnostics) = sent(of_other_days(&request.name, request.state.as_ref()));
        UpgradeResponse { state, diagnostics }
    }

    /// A `moved` block takes over what another provider of this one's name left, such as the published one.
    pub(crate) fn take_over(&self, request: &MoveRequest) -> MoveResponse {
        let name = request.provider.rsplit('/').next();
        let moved = if name == Some(NAME) && request.from == request.to {
            of_other_days(&request.to, request.state.as_ref())
        } else {
            let detail = format!(
                "{} of {} is another kind of thing. Take over resources of the same kind, or make a new one.",
                request.from, request.provider
            );
            let summary = format!("There is no way to a {} from it", request.to);
            Err(vec![Diagnostic::error(Path::default(), &summary, detail)])
        };
        let (state, diagnostics) = sent(moved);
        MoveResponse {
            state,
            diagnostics,
            private: request.private.clone(),
        }
    }

    pub(crate) fn read(&self, request: &ReadRequest) -> ReadResponse {
        let mut private = request.private.clone();
        let mut read = || match optional(request.state.as_ref())? {
            None => Ok(Value::Null),
            Some(state) => {
                let resource = known(&request.name)?;
                let state = resource.read(state)?;
                if let Some(state) = &state {
                    private = resource.keep(state, request.private.clone(), &self.context());
                }
                Ok(state.map_or(Value::Null, Value::Map))
            }
        };
        let (state, diagnostics) = sent(read());
        ReadResponse {
            state,
            diagnostics,
            private,
        }
    }

    pub(crate) fn plan(&self, request: &PlanRequest) -> PlanResponse {
        match self.planned(request) {
            Err(failed) => PlanResponse {
                diagnostics: told(failed),
                ..Default::default()
            },
            // A resource that goes needs no plan.
            Ok(None) => PlanResponse {
                planned: Some(wire(&Value::Null)),
                private: request.private.clone(),
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
        let Some(mut proposed) = optional(request.proposed.as_ref())? else {
            return Ok(None);
        };
        let config = object(request.config.as_ref())?;
        let schema = resource.schema();
        schema.fill(&config, &mut proposed);
        schema.forget(&mut proposed);
        resource
            .plan(&Change {
                prior: optional(request.prior.as_ref())?.as_ref(),
                planned: &proposed,
                config: &config,
                private: &request.private,
                context: &self.context(),
            })
            .map(Some)
    }

    pub(crate) fn apply(&self, request: &ApplyRequest) -> ApplyResponse {
        match self.applied(request) {
            // What was there before is there still.
            Err(failed) => ApplyResponse {
                state: request.prior.clone(),
                private: request.private.clone(),
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
        let prior = optional(request.prior.as_ref())?;
        let Some(planned) = optional(request.planned.as_ref())? else {
            let found = prior
                .map(|prior| resource.delete(&prior))
                .unwrap_or_default();
            return if stops(&found) { Err(found) } else { Ok(None) };
        };
        resource
            .apply(&Change {
                prior: prior.as_ref(),
                planned: &planned,
                config: &object(request.config.as_ref())?,
                private: &request.private,
                context: &self.context(),
            })
            .map(Some)
    }

    pub(crate) fn import(&self, request: &ImportRequest) -> ImportResponse {
        let import = || {
            let resource = known(&request.name)?;
            let state = resource.import(&request.id)?;
            Ok(Value::Map(resource.schema().complete(state)))
        };
        let (state, diagnostics) = sent(import());
        let imported = state.map(|state| Imported {
            name: request.name.clone(),
            state: Some(state),
            private: Vec::new(),
        });
        ImportResponse {
            imported: imported.into_iter().collect(),
            diagnostics,
        }
    }
}

/// What a state file holds of a resource, from here or from a provider of the same schema.
fn of_other_days(name: &str, raw: Option<&RawState>) -> Result<Value, Failed> {
    let schema = known(name)?.schema();
    let mut state = state_file(raw.map_or(&[][..], |state| &state.json), &schema)?;
    // It may lack what has a default by now.
    if let Value::Map(state) = &mut state {
        schema.fill(&state.clone(), state);
    }
    Ok(state)
}

/// That write-only attributes are given to a Terraform which would write them into the plan.
fn too_new(schema: &Schema, config: &Object) -> Vec<Diagnostic> {
    let given = |name: &String| config.get(name).is_some_and(|value| !value.is_null());
    let names = schema.attributes.iter().filter(|one| one.write_only);
    let names = names.map(|one| &one.name).filter(|name| given(name));
    names
        .map(|name| {
            let detail = format!(
                "{name} is write-only, which needs Terraform 1.11 or later. Use that, or give the attribute that the state keeps: {name} without _wo, or with _yaml instead."
            );
            let summary = "This Terraform knows no write-only attributes";
            Diagnostic::error(Path::of(name), summary, detail)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ClientCapabilities;

    #[test]
    fn an_older_terraform_is_told_that_it_knows_no_write_only_attributes() {
        let text = |name: &str, text: &str| (name.to_owned(), Value::text(text));
        let config = [text("env_wo", "type: env"), text("recipient", "nobody")];
        let told = |client| {
            let told = Provider::default().validate_resource(&ValidateRequest {
                name: "hpcr_contract".into(),
                config: Some(wire(&Value::Map(config.clone().into()))),
                client,
            });
            let mut told = told.diagnostics.into_iter();
            told.any(|one| one.detail.contains("env_wo is write-only"))
        };
        let client = |write_only| Some(ClientCapabilities { write_only });
        assert!(told(None) && told(client(false)));
        assert!(!told(client(true)));
    }
}
