//! What a data source is to the provider: a schema, and what it reads.

use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::resource::Failed;
use crate::schema::Schema;
use crate::value::Object;

/// What was read, and what is to be told of it.
pub(crate) type Read = Result<(Object, Vec<Diagnostic>), Failed>;

/// A data source.
pub(crate) trait DataSource: Sync {
    /// The name in configurations, `hpcr_` included.
    fn name(&self) -> &'static str;

    /// What it takes and gives; `id` comes by itself.
    fn schema(&self) -> Schema;

    /// What is wrong with a configuration, as far as it is known.
    fn check(&self, _: &Object) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// Its outputs. Every input is known and was checked.
    fn read(&self, config: &Object, context: &Context) -> Read;
}
