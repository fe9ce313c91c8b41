//! The calls about data sources.

use super::{Provider, object, sent, told, unknown};
use crate::catalogue;
use crate::data_source::DataSource;
use crate::diagnostic::{Diagnostic, stops};
use crate::protocol::{Diagnostics, ReadDataRequest, ReadDataResponse, ValidateRequest};
use crate::resource::Failed;
use crate::schema::{Attribute, Schema};
use crate::value::kind::Kind;
use crate::value::{Object, Value};

/// The schema of a data source, with the `id` that each has.
pub(super) fn schema(source: &dyn DataSource) -> Schema {
    let mut schema = source.schema();
    let id = Attribute::computed("id", Kind::Text, "A random name (UUID) of this reading.");
    schema.attributes.push(id);
    schema
}

impl Provider {
    pub(crate) fn validate_data(&self, request: &ValidateRequest) -> Diagnostics {
        let check = || {
            let source = known(&request.name)?;
            let config = source.schema().meant(object(request.config.as_ref())?);
            let mut found = source.check(&config);
            found.retain(|diagnostic| diagnostic.is_error);
            Ok(found)
        };
        Diagnostics {
            diagnostics: told(check().unwrap_or_else(|failed: Failed| failed)),
        }
    }

    pub(crate) fn read_data(&self, request: &ReadDataRequest) -> ReadDataResponse {
        match self.data(request) {
            Ok((state, warnings)) => ReadDataResponse {
                state: sent(Ok(Value::Map(state))).0,
                diagnostics: told(warnings),
            },
            Err(failed) => ReadDataResponse {
                state: None,
                diagnostics: told(failed),
            },
        }
    }

    fn data(&self, request: &ReadDataRequest) -> Result<(Object, Vec<Diagnostic>), Failed> {
        let source = known(&request.name)?;
        let config = object(request.config.as_ref())?;
        let meant = source.schema().meant(config.clone());
        let found = source.check(&meant);
        if stops(&found) {
            return Err(found);
        }
        let (outputs, warnings) = source.read(&meant, &self.context())?;
        let mut state = config;
        state.extend(outputs);
        let id = uuid::Uuid::new_v4().to_string();
        state.insert("id".to_owned(), Value::text(id));
        Ok((schema(source).complete(state), warnings))
    }
}

fn known(name: &str) -> Result<&'static dyn DataSource, Failed> {
    catalogue::data_source(name).ok_or_else(|| unknown(name))
}
