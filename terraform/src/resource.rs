//! What a resource is to the provider: a schema, and what becomes of it in each phase of Terraform.

use crate::context::Context;
use crate::diagnostic::Diagnostic;
use crate::schema::Schema;
use crate::value::Object;
use crate::value::path::Path;

pub(crate) mod fingerprint;
pub(crate) mod kept;
pub(crate) mod recipe;

/// What went wrong; at least one error.
pub(crate) type Failed = Vec<Diagnostic>;

/// A resource.
///
/// Terraform calls `check` on each configuration, `read` before a plan, `plan`, and then `apply` or `delete`.
pub(crate) trait Resource: Sync {
    /// The name in configurations, `hpcr_` included.
    fn name(&self) -> &'static str;

    /// What it takes and gives.
    fn schema(&self) -> Schema;

    /// What is wrong with a configuration. Values may not be known yet: they are passed over.
    fn check(&self, config: &Object, context: &Context) -> Vec<Diagnostic>;

    /// What `apply` will do. Values of attributes that it decides are unknown.
    fn plan(&self, change: &Change<'_>) -> Result<Outcome, Failed>;

    /// Creates it or changes it, as planned: every value is known now.
    fn apply(&self, change: &Change<'_>) -> Result<Outcome, Failed>;

    /// What has become of it; none where it is gone.
    fn read(&self, state: Object) -> Result<Option<Object>, Failed> {
        Ok(Some(state))
    }

    /// What is kept beside a state that was read.
    fn keep(&self, _: &Object, private: Vec<u8>, _: &Context) -> Vec<u8> {
        private
    }

    /// Takes it away. Errors leave it in the state.
    fn delete(&self, _: &Object) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// The state of one that was made elsewhere.
    fn import(&self, _: &str) -> Result<Object, Failed> {
        let detail = "Leave it out of `import`: making it anew costs nothing but its outputs.";
        let summary = format!("{} cannot be imported", self.name());
        Err(vec![Diagnostic::error(Path::default(), &summary, detail)])
    }
}

/// A change that is planned or carried out.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// The state so far; none where it is new.
    pub(crate) prior: Option<&'a Object>,
    /// While planning: the configuration over the state so far. While applying: what was planned.
    pub(crate) planned: &'a Object,
    /// The configuration itself, the one place of write-only values.
    pub(crate) config: &'a Object,
    /// What the last outcome kept beside the state.
    pub(crate) private: &'a [u8],
    pub(crate) context: &'a Context,
}

/// What comes of a change.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The state.
    pub(crate) state: Object,
    /// Attributes that cannot change: it is taken away and made anew.
    pub(crate) replace: Vec<Path>,
    /// Kept beside the state, for the next change; users do not see it.
    pub(crate) private: Vec<u8>,
    /// What is to be told of it.
    pub(crate) warnings: Vec<Diagnostic>,
}
