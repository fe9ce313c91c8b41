//! What a template is once it has been read: blocks, and the pipelines that their values come from. Nothing here is
//! evaluated.

use zeroize::Zeroizing;

/// A part of what a template writes.
#[derive(Debug)]
pub(super) enum Block<'t> {
    Text(&'t str),
    /// The value of a pipeline, or a variable that it sets.
    Action(Pipeline<'t>),
    /// The first arm whose condition holds, or what stands after `else`.
    If(Vec<(Pipeline<'t>, Vec<Block<'t>>)>, Vec<Block<'t>>),
    With(Pipeline<'t>, Vec<Block<'t>>, Vec<Block<'t>>),
    Range(Pipeline<'t>, Vec<Block<'t>>, Vec<Block<'t>>),
}

/// Commands, each given the value of the one before; and the variables that the last value goes to.
#[derive(Debug)]
pub(super) struct Pipeline<'t> {
    pub(super) at: usize,
    pub(super) names: Vec<&'t str>,
    pub(super) is_declaration: bool,
    pub(super) commands: Vec<Command<'t>>,
}

/// A value, or a function with its arguments.
#[derive(Debug)]
pub(super) struct Command<'t> {
    pub(super) function: Option<(&'t str, usize)>,
    pub(super) operands: Vec<Operand<'t>>,
}

/// A value and the fields asked of it.
#[derive(Debug)]
pub(super) struct Operand<'t> {
    pub(super) at: usize,
    pub(super) base: Base<'t>,
    pub(super) fields: Vec<&'t str>,
}

/// Where a value comes from.
#[derive(Debug)]
pub(super) enum Base<'t> {
    Dot,
    Variable(&'t str),
    Text(Zeroizing<String>),
    Number(i64),
    Bool(bool),
    Nil,
    /// A function without arguments as the argument of another.
    Call(&'t str),
    Pipeline(Box<Pipeline<'t>>),
}
