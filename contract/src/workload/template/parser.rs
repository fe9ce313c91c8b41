//! From the parts of a template to its blocks. Functions and variables that do not exist are found here, in every
//! branch, whether it will be taken or not.

use std::collections::VecDeque;

use super::lexer::{self, Kind, Part, Token};
use super::tree::{Base, Block, Command, Operand, Pipeline};
use super::{DEPTH, Fault, functions};

/// How many variables a template may have at once.
const VARIABLES: usize = 256;

/// Reads a template.
pub(super) fn parse(text: &str) -> Result<Vec<Block<'_>>, Fault> {
    let mut parser = Parser {
        parts: lexer::parts(text)?.into_iter(),
        variables: vec![""],
        depth: 0,
    };
    match parser.blocks()? {
        (blocks, End::Text) => Ok(blocks),
        (_, End::Else(_, at) | End::Close(at)) => Err(Fault::new(
            at,
            "nothing is open that this could belong to",
            "remove it, or write the `if`, `with` or `range` before it",
        )),
    }
}

/// What ends a list of blocks.
enum End<'t> {
    Text,
    /// `else`, with what follows it.
    Else(Vec<Token<'t>>, usize),
    Close(usize),
}

struct Parser<'t> {
    parts: std::vec::IntoIter<Part<'t>>,
    variables: Vec<&'t str>,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn blocks(&mut self) -> Result<(Vec<Block<'t>>, End<'t>), Fault> {
        let mut blocks = Vec::new();
        while let Some(part) = self.parts.next() {
            let (mut tokens, at) = match part {
                Part::Text("") => continue,
                Part::Text(text) => {
                    blocks.push(Block::Text(text));
                    continue;
                }
                Part::Action(tokens, at) => (tokens, at),
            };
            let word = match tokens.first().map(|token| &token.kind) {
                Some(Kind::Word(word)) => *word,
                _ => "",
            };
            match word {
                "end" if tokens.len() == 1 => return Ok((blocks, End::Close(at))),
                "else" => {
                    tokens.remove(0);
                    return Ok((blocks, End::Else(tokens, at)));
                }
                "if" | "with" | "range" => {
                    tokens.remove(0);
                    let block = self.nested(at, |parser| parser.block(word, tokens, at))?;
                    blocks.push(block);
                }
                "define" | "template" | "block" | "break" | "continue" | "end" => {
                    return Err(Fault::new(
                        at,
                        format!("`{word}` is not supported here"),
                        "use if, with, range, variables and functions",
                    ));
                }
                _ => blocks.push(Block::Action(self.pipeline(tokens, at, 1)?)),
            }
        }
        Ok((blocks, End::Text))
    }

    /// Reads the rest of a block that has just been opened.
    fn block(&mut self, word: &str, tokens: Vec<Token<'t>>, at: usize) -> Result<Block<'t>, Fault> {
        let scope = self.variables.len();
        let most = if word == "range" { 2 } else { 1 };
        let pipeline = self.pipeline(tokens, at, most)?;
        let (body, mut end) = self.blocks()?;
        let mut arms = vec![(pipeline, body)];
        let mut otherwise = Vec::new();
        loop {
            match end {
                End::Close(_) => break,
                End::Text => {
                    return Err(Fault::new(
                        at,
                        format!("`{word}` has no `end`"),
                        "write `{{ end }}` after it",
                    ));
                }
                End::Else(tokens, _) if tokens.is_empty() => {
                    let (body, last) = self.blocks()?;
                    if let End::Else(_, at) = last {
                        let remedy = "let the last `else` stand alone";
                        return Err(Fault::new(at, "an `else` follows an `else`", remedy));
                    }
                    otherwise = body;
                    end = last;
                }
                End::Else(mut tokens, at) => {
                    let first = tokens.remove(0);
                    if word != "if" || !matches!(first.kind, Kind::Word("if")) {
                        let cause = format!("only `else` alone is supported after `{word}`");
                        return Err(Fault::new(
                            at,
                            cause,
                            "write `else`, or `else if` after `if`",
                        ));
                    }
                    let condition = self.pipeline(tokens, at, 1)?;
                    let (body, next) = self.blocks()?;
                    arms.push((condition, body));
                    end = next;
                }
            }
        }
        self.variables.truncate(scope);
        Ok(match (word, arms.pop()) {
            ("with", Some((pipeline, body))) => Block::With(pipeline, body, otherwise),
            ("range", Some((pipeline, body))) => Block::Range(pipeline, body, otherwise),
            (_, last) => {
                arms.extend(last);
                Block::If(arms, otherwise)
            }
        })
    }

    fn nested<T>(
        &mut self,
        at: usize,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth == DEPTH {
            return Err(Fault::new(
                at,
                format!("the template is nested more than {DEPTH} deep"),
                "make it simpler",
            ));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Reads a whole action, which may set so many variables.
    fn pipeline(
        &mut self,
        tokens: Vec<Token<'t>>,
        at: usize,
        most: usize,
    ) -> Result<Pipeline<'t>, Fault> {
        let at = tokens.first().map_or(at, |token| token.at);
        let mut tokens = Tokens::from(tokens);
        let pipeline = self.pipe(&mut tokens, at, true)?;
        if pipeline.names.len() > most {
            return Err(Fault::new(
                at,
                "there are too many variables",
                "write one, or two for `range`",
            ));
        }
        match tokens.pop_front() {
            None => Ok(pipeline),
            Some(token) => Err(Fault::new(
                token.at,
                "a closing parenthesis has no opening one",
                "remove it",
            )),
        }
    }

    /// Reads commands up to the end or a closing parenthesis.
    fn pipe(
        &mut self,
        tokens: &mut Tokens<'t>,
        at: usize,
        may_declare: bool,
    ) -> Result<Pipeline<'t>, Fault> {
        let mut pipeline = Pipeline {
            at,
            names: Vec::new(),
            is_declaration: false,
            commands: Vec::new(),
        };
        if may_declare {
            self.names(tokens, &mut pipeline)?;
        }
        loop {
            let is_first = pipeline.commands.is_empty();
            pipeline.commands.push(self.command(tokens, at, is_first)?);
            match tokens.front().map(|token| &token.kind) {
                Some(Kind::Pipe) => drop(tokens.pop_front()),
                _ => break,
            }
        }
        if pipeline.is_declaration {
            self.variables.extend(&pipeline.names);
            if self.variables.len() > VARIABLES {
                return Err(Fault::new(
                    at,
                    format!("there are more than {VARIABLES} variables"),
                    "make the template simpler",
                ));
            }
        }
        Ok(pipeline)
    }

    /// Reads `$x :=`, `$x =` or `$i, $x :=`, where the pipeline begins so.
    fn names(&mut self, tokens: &mut Tokens<'t>, pipeline: &mut Pipeline<'t>) -> Result<(), Fault> {
        let mut names = Vec::new();
        let mut ahead = tokens.iter();
        loop {
            let Some(Kind::Variable(name)) = ahead.next().map(|token| &token.kind) else {
                return Ok(());
            };
            names.push(*name);
            match ahead.next().map(|token| (&token.kind, token.at)) {
                Some((Kind::Comma, _)) => {}
                Some((Kind::Declare, _)) => {
                    pipeline.is_declaration = true;
                    break;
                }
                Some((Kind::Assign, at)) => {
                    if let Some(name) = names.iter().find(|name| !self.variables.contains(name)) {
                        return Err(unknown_variable(name, at));
                    }
                    break;
                }
                _ => return Ok(()),
            }
        }
        tokens.drain(..2 * names.len());
        pipeline.names = names;
        Ok(())
    }

    fn command(
        &mut self,
        tokens: &mut Tokens<'t>,
        at: usize,
        is_first: bool,
    ) -> Result<Command<'t>, Fault> {
        let mut command = Command {
            function: None,
            operands: Vec::new(),
        };
        if let Some(token) = tokens.front()
            && let Kind::Word(word) = token.kind
            && !matches!(word, "true" | "false" | "nil")
        {
            command.function = Some((known(word, token.at)?, token.at));
            tokens.pop_front();
        }
        let mut end = at;
        while let Some(token) = tokens.front() {
            if matches!(token.kind, Kind::Pipe | Kind::Close) {
                break;
            }
            end = token.at;
            let is_later = command.function.is_some() || !command.operands.is_empty();
            if is_later && !token.is_apart {
                let remedy = "write a space between two values";
                return Err(Fault::new(
                    token.at,
                    "this follows a value directly",
                    remedy,
                ));
            }
            let operand = self.operand(tokens)?;
            command.operands.push(operand);
        }
        match (&command.function, command.operands.as_slice()) {
            (Some(_), _) => Ok(command),
            (None, []) => Err(Fault::new(end, "a value is missing", "write one")),
            (None, [operand]) if matches!(operand.base, Base::Nil) => Err(Fault::new(
                operand.at,
                "nil alone is no value",
                "write it as an argument of a function",
            )),
            (None, [_]) if is_first => Ok(command),
            (None, [operand, ..]) => Err(Fault::new(
                operand.at,
                "this is no function, and takes no value",
                "begin with the name of a function",
            )),
        }
    }

    fn operand(&mut self, tokens: &mut Tokens<'t>) -> Result<Operand<'t>, Fault> {
        let Some(Token { kind, at, .. }) = tokens.pop_front() else {
            return Err(Fault::new(0, "a value is missing", "write one"));
        };
        let mut fields = Vec::new();
        let base = match kind {
            Kind::Dot => Base::Dot,
            Kind::Field(name) => {
                fields.push(name);
                Base::Dot
            }
            Kind::Variable(name) if self.variables.contains(&name) => Base::Variable(name),
            Kind::Variable(name) => return Err(unknown_variable(name, at)),
            Kind::Text(text) => Base::Text(text),
            Kind::Number(number) => Base::Number(number),
            Kind::Word("true") => Base::Bool(true),
            Kind::Word("false") => Base::Bool(false),
            Kind::Word("nil") => Base::Nil,
            Kind::Word(word) => Base::Call(known(word, at)?),
            Kind::Open => {
                let pipeline = self.nested(at, |parser| parser.pipe(tokens, at, false))?;
                if !matches!(
                    tokens.pop_front().map(|token| token.kind),
                    Some(Kind::Close)
                ) {
                    let remedy = "write `)` after it";
                    return Err(Fault::new(at, "a parenthesis is not closed", remedy));
                }
                Base::Pipeline(Box::new(pipeline))
            }
            Kind::Pipe | Kind::Close | Kind::Comma | Kind::Declare | Kind::Assign => {
                return Err(Fault::new(
                    at,
                    "a value is expected here",
                    "write a field, a variable, a text or a number",
                ));
            }
        };
        while let Some(token) = tokens.front()
            && !token.is_apart
            && let Kind::Field(name) = token.kind
        {
            fields.push(name);
            tokens.pop_front();
        }
        Ok(Operand { at, base, fields })
    }
}

type Tokens<'t> = VecDeque<Token<'t>>;

fn known(word: &str, at: usize) -> Result<&str, Fault> {
    if functions::NAMES.contains(&word) {
        Ok(word)
    } else {
        Err(Fault::new(
            at,
            format!("there is no function `{word}`"),
            functions::KNOWN,
        ))
    }
}

fn unknown_variable(name: &str, at: usize) -> Fault {
    Fault::new(
        at,
        format!("there is no variable `${name}`"),
        "declare it before (`$name := ...`), in the same block or around it",
    )
}
