//! Resources that are nothing but a result: text that is made of other text, and kept until what it is made of changes.
//!
//! Sealing gives other bytes each time, and other bytes make another instance of a guest. So outputs stay as they are
//! in the state as long as the inputs do; a plan without a change is empty, however often it is made.

use zeroize::Zeroizing;

use super::kept::Kept;
use super::{Change, Failed, Outcome, Resource, fingerprint};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Stage, at, stops};
use crate::schema::{Attribute, Schema, Use};
use crate::sealing::To;
use crate::value::kind::Kind;
use crate::value::path::Path;
use crate::value::{Object, Value, msgpack};

/// How a result is made. Attributes that are computed are its outputs; `id` is one of them and not the recipe's.
pub(crate) trait Recipe: Sync {
    /// The name in configurations, `hpcr_` included.
    fn name(&self) -> &'static str;

    /// What it takes and gives, without `id`.
    fn schema(&self) -> Schema;

    /// What is wrong with a configuration, as far as it is known.
    fn check(&self, config: &Object, context: &Context) -> Vec<Diagnostic>;

    /// Outputs that can be told before `apply`, since the same inputs always give the same.
    fn foresee(&self, config: &Object, context: &Context) -> Result<Object, Failed>;

    /// All outputs. Every input is known and was checked.
    fn make(&self, config: &Object, context: &Context) -> Result<Object, Failed>;

    /// What counts as an input and stands in no state: files, write-only values. None where there is nothing like that.
    fn unseen(&self, config: &Object) -> Result<Option<Zeroizing<Vec<u8>>>, Failed> {
        Ok(write_only(&self.schema(), config))
    }

    /// To whom it seals, which counts as an input in place of the attributes that name them.
    fn sealed_to(&self, _: &Object, _: &Context) -> Result<To, Failed> {
        Ok(To::Nobody)
    }

    /// Whether outputs that somebody else made can be of what counts as an input and stands in no state, as it is now.
    fn is_of_now(&self, _: &Object) -> bool {
        false
    }

    /// What is to be told of one that stays as it is.
    fn remarks(&self, _: &Object, _: &Context) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// The state of one that was made elsewhere, without `id`.
    fn import(&self, _: &str) -> Result<Object, Failed> {
        let detail = "Make it anew: nothing but its outputs is lost.";
        let summary = format!("{} cannot be imported", self.name());
        Err(vec![Diagnostic::error(Path::default(), &summary, detail)])
    }
}

/// A recipe as a resource.
pub(crate) struct Made<R>(pub(crate) R);

impl<R: Recipe> Resource for Made<R> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn schema(&self) -> Schema {
        let mut schema = self.0.schema();
        let id = Attribute::computed("id", Kind::Text, "A random name (UUID) of this resource.");
        schema.attributes.push(id);
        schema
    }

    fn check(&self, config: &Object, context: &Context) -> Vec<Diagnostic> {
        self.0.check(config, context)
    }

    fn plan(&self, change: &Change<'_>) -> Result<Outcome, Failed> {
        let schema = self.schema();
        let mut state = change.planned.clone();
        if self.is_unchanged(&schema, change)? {
            keep_names(change.prior, &mut state);
            return Ok(Outcome {
                warnings: self.0.remarks(&state, change.context),
                state,
                private: change.private.to_vec(),
                ..Outcome::default()
            });
        }
        let input = inputs(&schema, change);
        let warnings = at(Stage::Plan, self.0.check(&input, change.context));
        if stops(&warnings) {
            return Err(warnings);
        }
        let outputs = schema.attributes.iter();
        for output in outputs.filter(|attribute| attribute.use_ == Use::Computed) {
            if output.name != "id" || change.prior.is_none() {
                state.insert(output.name.clone(), Value::unknown());
            }
        }
        state.extend(self.0.foresee(&input, change.context)?);
        Ok(Outcome {
            state,
            warnings,
            ..Outcome::default()
        })
    }

    fn apply(&self, change: &Change<'_>) -> Result<Outcome, Failed> {
        let schema = self.schema();
        if is_made(&schema, change) {
            return Ok(Outcome {
                state: change.planned.clone(),
                private: change.private.to_vec(),
                ..Outcome::default()
            });
        }
        let input = inputs(&schema, change);
        let warnings = self.0.check(&input, change.context);
        if stops(&warnings) {
            return Err(warnings);
        }
        let mut state = change.planned.clone();
        state.extend(self.0.make(&input, change.context)?);
        if state
            .get("id")
            .is_none_or(|id| id.has_unknown() || id.is_null())
        {
            state.insert("id".into(), new_id());
        }
        let unseen = match self.0.unseen(&input)? {
            Some(unseen) => fingerprint::of(&unseen).map_err(|_| no_digest())?,
            None => Vec::new(),
        };
        let key = self.0.sealed_to(&input, change.context)?.key();
        let private = Kept { unseen, key }.write();
        // What was told while planning is not told again. An output that was not made is none.
        for value in state.values_mut().filter(|value| value.has_unknown()) {
            *value = Value::Null;
        }
        Ok(Outcome {
            state: schema.complete(state),
            private,
            ..Outcome::default()
        })
    }

    /// A state that was moved in, or imported, was made for the key that it names or that is lent now, and of what is seen now
    /// if it can be.
    fn keep(&self, state: &Object, private: Vec<u8>, context: &Context) -> Vec<u8> {
        let mut kept = Kept::read(&private);
        let state = self.schema().meant(state.clone());
        if kept.key.is_empty()
            && let Ok(to @ To::Key(_)) = self.0.sealed_to(&state, context)
        {
            kept.key = to.key();
        }
        if kept.unseen.is_empty()
            && self.0.is_of_now(&state)
            && let Ok(Some(unseen)) = self.0.unseen(&state)
            && let Ok(unseen) = fingerprint::of(&unseen)
        {
            kept.unseen = unseen;
        }
        kept.write()
    }

    fn import(&self, id: &str) -> Result<Object, Failed> {
        let mut state = self.0.import(id)?;
        self.schema().fill(&Object::new(), &mut state);
        state.insert("id".into(), new_id());
        Ok(state)
    }
}

fn new_id() -> Value {
    Value::text(uuid::Uuid::new_v4().to_string())
}

impl<R: Recipe> Made<R> {
    /// Whether every input is what it was when the outputs were made.
    fn is_unchanged(&self, schema: &Schema, change: &Change<'_>) -> Result<bool, Failed> {
        let Some(prior) = change.prior else {
            return Ok(false);
        };
        let (input, former) = (inputs(schema, change), schema.meant(prior.clone()));
        let inputs = schema.attributes.iter();
        let mut inputs = inputs.filter(|one| one.use_ != Use::Computed && !one.write_only);
        let is_same = |name: &str| former.get(name) == input.get(name);
        if !inputs.all(|one| NAMES.contains(&one.name.as_str()) || is_same(&one.name)) {
            return Ok(false);
        }
        let hidden = schema.attributes.iter().filter(|one| one.write_only);
        if hidden
            .filter_map(|one| change.config.get(&one.name))
            .any(Value::has_unknown)
        {
            return Ok(false);
        }
        let kept = Kept::read(change.private);
        let is_to_the_same = match self.0.sealed_to(&input, change.context)? {
            To::Nobody => true,
            To::Key(key) if !kept.key.is_empty() => kept.key == key,
            To::Key(_) | To::Nothing => NAMES.into_iter().all(is_same),
            To::Unknown => false,
        };
        if !is_to_the_same {
            return Ok(false);
        }
        match self.0.unseen(&input)? {
            None => Ok(kept.unseen.is_empty()),
            Some(unseen) => fingerprint::matches(&kept.unseen, &unseen).map_err(|_| no_digest()),
        }
    }
}

/// Attributes that name to whom is sealed: another name of the same key changes nothing.
const NAMES: [&str; 3] = ["cert", "version", "recipient"];

/// Keeps the former name of a key where there was one. Terraform takes that for the same value in another form.
fn keep_names(prior: Option<&Object>, state: &mut Object) {
    for name in NAMES {
        let former = prior.and_then(|prior| prior.get(name));
        if let (Some(former), Some(now)) = (former, state.get_mut(name))
            && !former.is_null()
            && !now.is_null()
        {
            *now = former.clone();
        }
    }
}

/// Whether the outputs stay, as it was planned.
fn is_made(schema: &Schema, change: &Change<'_>) -> bool {
    let outputs = schema.attributes.iter();
    let mut outputs = outputs.filter(|attribute| attribute.use_ == Use::Computed);
    change.prior.is_some_and(|prior| {
        outputs.all(|one| prior.get(&one.name) == change.planned.get(&one.name))
    })
}

/// What a recipe is given: the planned values as they are meant, and the write-only ones, which only the configuration has.
fn inputs(schema: &Schema, change: &Change<'_>) -> Object {
    let mut inputs = change.planned.clone();
    for attribute in schema.attributes.iter().filter(|one| one.write_only) {
        if let Some(value) = change.config.get(&attribute.name) {
            inputs.insert(attribute.name.clone(), value.clone());
        }
    }
    schema.meant(inputs)
}

/// All write-only values that are given; none where there is none.
pub(crate) fn write_only(schema: &Schema, config: &Object) -> Option<Zeroizing<Vec<u8>>> {
    let names = schema.attributes.iter().filter(|one| one.write_only);
    let given = names.filter_map(|one| {
        let value = config.get(&one.name).filter(|value| !value.is_null())?;
        Some((one.name.clone(), value.clone()))
    });
    let given: Object = given.collect();
    let is_there = !given.is_empty();
    is_there.then(|| Zeroizing::new(msgpack::encode(&Value::Map(given))))
}

fn no_digest() -> Failed {
    let summary = "A digest cannot be made";
    vec![Diagnostic::error(
        Path::default(),
        summary,
        "Report this as a bug.",
    )]
}
