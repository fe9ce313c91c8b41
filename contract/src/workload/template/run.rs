//! Carries out the blocks of a template within the budgets of its document.

use std::cell::Cell;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Fault;
use super::functions;
use super::tree::{Base, Block, Command, Operand, Pipeline};
use crate::secret::ExposeSecret as _;
use crate::workload::interpolation::Variables;
use crate::workload::wiped;

/// A value in a template.
#[derive(Clone)]
pub(super) enum Value<'v> {
    /// The top: has `.Env` alone.
    Root,
    /// `.Env`.
    Env,
    Text(Text<'v>),
    Number(i64),
    Bool(bool),
    /// `nil`.
    Nil,
    /// A variable that is not set, by its name.
    Missing(&'v str),
}

/// Text of the contract or of a template, or one that was made here: one copy, however often it is used.
#[derive(Clone)]
pub(super) enum Text<'v> {
    Borrowed(&'v str),
    Made(Arc<Zeroizing<String>>),
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

/// One run of a template.
pub(super) struct Run<'v, 'b> {
    pub(super) variables: &'v Variables,
    steps: &'b mut usize,
    budget: &'b mut usize,
    scope: Vec<(&'v str, Value<'v>)>,
    dot: Value<'v>,
    output: Zeroizing<String>,
    /// A variable was asked for that is not there, or how many there are: what is written depends on there being no more.
    pub(super) needs_all: Cell<bool>,
}

impl<'v, 'b> Run<'v, 'b> {
    pub(super) fn new(
        variables: &'v Variables,
        steps: &'b mut usize,
        budget: &'b mut usize,
    ) -> Self {
        Self {
            variables,
            steps,
            budget,
            scope: vec![("", Value::Root)],
            dot: Value::Root,
            output: Zeroizing::new(String::new()),
            needs_all: Cell::new(false),
        }
    }

    pub(super) fn into_output(self) -> Zeroizing<String> {
        self.output
    }

    pub(super) fn blocks(&mut self, blocks: &'v [Block<'v>]) -> Result<(), Fault> {
        for block in blocks {
            self.block(block)?;
        }
        Ok(())
    }

    fn block(&mut self, block: &'v Block<'v>) -> Result<(), Fault> {
        let scope = self.scope.len();
        match block {
            Block::Text(text) => return self.write(text, 0),
            Block::Action(pipeline) => {
                let value = self.pipeline(pipeline)?;
                if pipeline.names.is_empty() {
                    let text = functions::printed(&value, pipeline.at)?;
                    self.write(text.as_str(), pipeline.at)?;
                }
                // What an action declares lives until its block ends.
                return Ok(());
            }
            Block::If(arms, otherwise) => {
                let mut chosen = otherwise;
                for (condition, body) in arms {
                    let value = self.pipeline(condition)?;
                    if self.is_true(&value) {
                        chosen = body;
                        break;
                    }
                }
                self.scoped(chosen)?;
            }
            Block::With(pipeline, body, otherwise) => {
                let value = self.pipeline(pipeline)?;
                if self.is_true(&value) {
                    self.with_dot(value, body)?;
                } else {
                    self.scoped(otherwise)?;
                }
            }
            Block::Range(pipeline, body, otherwise) => self.range(pipeline, body, otherwise)?,
        }
        self.scope.truncate(scope);
        Ok(())
    }

    /// Blocks whose own variables end with them.
    fn scoped(&mut self, blocks: &'v [Block<'v>]) -> Result<(), Fault> {
        let scope = self.scope.len();
        self.blocks(blocks)?;
        self.scope.truncate(scope);
        Ok(())
    }

    fn with_dot(&mut self, dot: Value<'v>, blocks: &'v [Block<'v>]) -> Result<(), Fault> {
        let before = std::mem::replace(&mut self.dot, dot);
        self.scoped(blocks)?;
        self.dot = before;
        Ok(())
    }

    /// `range` over `.Env`, in the order of the names; everything else has nothing to go through.
    fn range(
        &mut self,
        pipeline: &'v Pipeline<'v>,
        body: &'v [Block<'v>],
        otherwise: &'v [Block<'v>],
    ) -> Result<(), Fault> {
        let value = self.commands(pipeline)?;
        if matches!(value, Value::Env) {
            self.needs_all.set(true);
        }
        match value {
            Value::Env if !self.variables.is_empty() => {}
            Value::Env | Value::Missing(_) | Value::Nil => return self.scoped(otherwise),
            _ => {
                return Err(Fault::new(
                    pipeline.at,
                    "range cannot go through this value",
                    "let it go through `.Env`",
                ));
            }
        }
        for (name, value) in self.variables {
            let scope = self.scope.len();
            let name = Value::Text(Text::Borrowed(name));
            let value = Value::Text(Text::Borrowed(value.expose_secret()));
            match pipeline.names.as_slice() {
                [one] => self.set(one, value.clone(), pipeline),
                [key, one] => {
                    self.set(key, name, pipeline);
                    self.set(one, value.clone(), pipeline);
                }
                _ => {}
            }
            self.step(pipeline.at)?;
            self.with_dot(value, body)?;
            self.scope.truncate(scope);
        }
        Ok(())
    }

    fn set(&mut self, name: &'v str, value: Value<'v>, pipeline: &Pipeline<'_>) {
        let known = self
            .scope
            .iter_mut()
            .rev()
            .find(|(known, _)| *known == name);
        match known {
            Some((_, known)) if !pipeline.is_declaration => *known = value,
            _ => self.scope.push((name, value)),
        }
    }

    /// The value of a pipeline, after its variables have been set.
    fn pipeline(&mut self, pipeline: &'v Pipeline<'v>) -> Result<Value<'v>, Fault> {
        let value = self.commands(pipeline)?;
        for name in &pipeline.names {
            self.set(name, value.clone(), pipeline);
        }
        Ok(value)
    }

    fn commands(&mut self, pipeline: &'v Pipeline<'v>) -> Result<Value<'v>, Fault> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value)?);
        }
        Ok(value.unwrap_or(Value::Nil))
    }

    fn command(
        &mut self,
        command: &'v Command<'v>,
        last: Option<Value<'v>>,
    ) -> Result<Value<'v>, Fault> {
        let Some((name, at)) = command.function else {
            return match command.operands.first() {
                Some(operand) => self.operand(operand),
                None => Ok(Value::Nil),
            };
        };
        self.step(at)?;
        let mut arguments = Vec::new();
        for operand in &command.operands {
            let value = self.operand(operand)?;
            // `and` and `or` look at no more than they need.
            if (name == "and" && !self.is_true(&value)) || (name == "or" && self.is_true(&value)) {
                return Ok(value);
            }
            arguments.push(value);
        }
        arguments.extend(last);
        // Before it is made: what a function writes or looks at is no more than a few times its arguments.
        let texts = arguments.iter().filter_map(|value| match value {
            Value::Text(text) => Some(text.as_str().len()),
            _ => None,
        });
        let size = texts.fold(0, usize::saturating_add);
        self.spend(size, at)?;
        functions::call(self, name, at, &arguments)
    }

    fn operand(&mut self, operand: &'v Operand<'v>) -> Result<Value<'v>, Fault> {
        self.step(operand.at)?;
        let mut value = match &operand.base {
            Base::Dot => self.dot.clone(),
            Base::Variable(name) => {
                let known = self.scope.iter().rev().find(|(known, _)| known == name);
                known.map_or(Value::Nil, |(_, value)| value.clone())
            }
            Base::Text(text) => Value::Text(Text::Borrowed(text)),
            Base::Number(number) => Value::Number(*number),
            Base::Bool(value) => Value::Bool(*value),
            Base::Nil => Value::Nil,
            Base::Call(name) => functions::call(self, name, operand.at, &[])?,
            Base::Pipeline(pipeline) => self.commands(pipeline)?,
        };
        for field in &operand.fields {
            value = match value {
                Value::Root if *field == "Env" => Value::Env,
                Value::Env => self.variable(field),
                Value::Root => {
                    return Err(Fault::new(
                        operand.at,
                        format!("there is no `.{field}`"),
                        "`.Env` alone is there: `.Env.NAME`; within `with` and `range`, `$.Env.NAME`",
                    ));
                }
                _ => {
                    return Err(Fault::new(
                        operand.at,
                        format!("this value has no field `{field}`"),
                        "ask fields of `.Env` alone; within `with` and `range`, of `$.Env`",
                    ));
                }
            };
        }
        Ok(value)
    }

    /// A variable of `.Env`.
    pub(super) fn variable(&self, name: &'v str) -> Value<'v> {
        if let Some(text) = self.variables.get(name) {
            return Value::Text(Text::Borrowed(text.expose_secret()));
        }
        self.needs_all.set(true);
        Value::Missing(name)
    }

    /// Go's truth: what is empty, zero or not there is false.
    pub(super) fn is_true(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Root => true,
            Value::Env => {
                self.needs_all.set(true);
                !self.variables.is_empty()
            }
            Value::Text(text) => !text.as_str().is_empty(),
            Value::Number(number) => *number != 0,
            Value::Bool(value) => *value,
            Value::Nil | Value::Missing(_) => false,
        }
    }

    fn step(&mut self, at: usize) -> Result<(), Fault> {
        *self.steps = self.steps.checked_sub(1).ok_or_else(|| {
            Fault::new(
                at,
                "the templates of this document take too many steps",
                "make them simpler",
            )
        })?;
        Ok(())
    }

    fn spend(&mut self, bytes: usize, at: usize) -> Result<(), Fault> {
        *self.budget = self.budget.checked_sub(bytes).ok_or_else(|| {
            Fault::new(
                at,
                "the templates of this document write too much",
                "write less",
            )
        })?;
        Ok(())
    }

    fn write(&mut self, text: &str, at: usize) -> Result<(), Fault> {
        self.spend(text.len(), at)?;
        wiped::push(&mut self.output, text);
        Ok(())
    }
}
