//! The calls about resources.

use super::{Provider, known, object, optional, sent, state_file, told, wire};
use crate::diagnostic::stops;
use crate::protocol::{
    ApplyRequest, ApplyResponse, Diagnostics, ImportRequest, ImportResponse, Imported, PlanRequest,
    PlanResponse, ReadRequest, ReadResponse, UpgradeRequest, UpgradeResponse, ValidateRequest,
};
use crate::resource::{Change, Failed, Outcome};
use crate::value::Value;

impl Provider {
    pub(crate) fn validate_resource(&self, request: &ValidateRequest) -> Diagnostics {
        let check = || {
            let resource = known(&request.name)?;
            // Warnings are told by the plan, once.
            let mut found = resource.check(&object(request.config.as_ref())?, &self.context());
            found.retain(|diagnostic| diagnostic.is_error);
            Ok(found)
        };
        Diagnostics {
            diagnostics: told(check().unwrap_or_else(|failed: Failed| failed)),
        }
    }

    pub(crate) fn upgrade(&self, request: &UpgradeRequest) -> UpgradeResponse {
        let raw = request.state.as_ref().map_or(&[][..], |state| &state.json);
        let (state, diagnostics) =
            sent(known(&request.name).and_then(|resource| state_file(raw, &resource.schema())));
        UpgradeResponse { state, diagnostics }
    }

    pub(crate) fn read(&self, request: &ReadRequest) -> ReadResponse {
        let read = || match optional(request.state.as_ref())? {
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
            private: request.private.clone(),
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
