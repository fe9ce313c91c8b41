//! Cuts a template into text and actions, and an action into tokens.

use zeroize::Zeroizing;

use super::Fault;

/// What the trim markers take away.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A part of a template.
#[derive(Debug)]
pub(super) enum Part<'t> {
    /// Text that is written as it is, trimmed where a marker says so.
    Text(&'t str),
    /// What stands between the braces, and where it begins.
    Action(Vec<Token<'t>>, usize),
}

/// A word of an action.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    /// Its first byte in the template.
    pub(super) at: usize,
    /// Whether white space stands before it.
    pub(super) is_apart: bool,
}

/// What a word is.
#[derive(Debug, Clone)]
pub(super) enum Kind<'t> {
    /// A keyword, a function, `true`, `false` or `nil`.
    Word(&'t str),
    /// `.Name`.
    Field(&'t str),
    /// `.`.
    Dot,
    /// `$name`; empty for `$`.
    Variable(&'t str),
    Text(Zeroizing<String>),
    Number(i64),
    Pipe,
    Open,
    Close,
    Comma,
    Declare,
    Assign,
}

/// Cuts a template.
pub(super) fn parts(text: &str) -> Result<Vec<Part<'_>>, Fault> {
    let (mut parts, mut from, mut is_trimmed) = (Vec::new(), 0, false);
    loop {
        let rest = &text[from..];
        let open = rest.find("{{");
        let literal = &rest[..open.unwrap_or(rest.len())];
        let literal = if is_trimmed {
            literal.trim_start_matches(SPACE)
        } else {
            literal
        };
        let Some(open) = open.map(|open| from + open) else {
            parts.push(Part::Text(literal));
            return Ok(parts);
        };
        let mut start = open + 2;
        let marker = text[start..].strip_prefix('-');
        let trims_before = marker.is_some_and(|after| after.starts_with(SPACE));
        if trims_before {
            start += 1;
        }
        parts.push(Part::Text(if trims_before {
            literal.trim_end_matches(SPACE)
        } else {
            literal
        }));
        let mut lexer = Lexer {
            text,
            open,
            at: start,
            tokens: Vec::new(),
        };
        (from, is_trimmed) = lexer.action()?;
        if !lexer.tokens.is_empty() {
            parts.push(Part::Action(lexer.tokens, open));
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    open: usize,
    at: usize,
    tokens: Vec<Token<'t>>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) -> bool {
        let rest = self.rest();
        let trimmed = rest.trim_start_matches(SPACE);
        self.at += rest.len() - trimmed.len();
        trimmed.len() < rest.len()
    }

    /// The end of the action after its braces, and whether they trim what follows.
    fn closed(&self, is_apart: bool) -> Option<(usize, bool)> {
        let rest = self.rest();
        if is_apart && rest.starts_with("-}}") {
            return Some((self.at + 3, true));
        }
        rest.starts_with("}}").then_some((self.at + 2, false))
    }

    /// Reads up to the closing braces.
    fn action(&mut self) -> Result<(usize, bool), Fault> {
        let begin = self.at;
        loop {
            let is_apart = self.skip_space();
            if let Some(end) = self.closed(is_apart) {
                if self.tokens.is_empty() {
                    return Err(Fault::new(
                        self.open,
                        "an action is empty",
                        "write something between the braces",
                    ));
                }
                return Ok(end);
            }
            if self.rest().starts_with("/*") {
                return self.comment(begin);
            }
            let at = self.at;
            let kind = self.token()?;
            self.tokens.push(Token { kind, at, is_apart });
        }
    }

    /// A comment, which is alone in its action.
    fn comment(&mut self, begin: usize) -> Result<(usize, bool), Fault> {
        const REMEDY: &str = "write `{{/* text */}}`, without a space at the braces";
        // It begins at the braces, or after the one space of a trim marker, and ends so, as in Go.
        let trimmed = usize::from(begin > self.open + 2);
        let is_first = self.tokens.is_empty() && self.at - begin == trimmed;
        let length = self.rest().find("*/");
        let (true, Some(length)) = (is_first, length) else {
            return Err(Fault::new(
                self.at,
                "a comment is not closed, or something stands before it",
                REMEDY,
            ));
        };
        self.at += length + 2;
        let is_apart = self
            .rest()
            .strip_prefix(SPACE)
            .is_some_and(|rest| rest.starts_with("-}}"));
        self.at += usize::from(is_apart);
        self.closed(is_apart)
            .ok_or_else(|| Fault::new(self.at, "something follows a comment", REMEDY))
    }

    fn token(&mut self) -> Result<Kind<'t>, Fault> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Err(Fault::new(
                self.open,
                "an action is not closed",
                "write `}}` at its end",
            ));
        };
        let simple = match first {
            '|' => Some((Kind::Pipe, 1)),
            '(' => Some((Kind::Open, 1)),
            ')' => Some((Kind::Close, 1)),
            ',' => Some((Kind::Comma, 1)),
            '=' => Some((Kind::Assign, 1)),
            ':' if rest.starts_with(":=") => Some((Kind::Declare, 2)),
            _ => None,
        };
        if let Some((kind, length)) = simple {
            self.at += length;
            return Ok(kind);
        }
        match first {
            '.' => {
                self.at += 1;
                let name = self.name();
                Ok(if name.is_empty() {
                    Kind::Dot
                } else {
                    Kind::Field(name)
                })
            }
            '$' => {
                self.at += 1;
                Ok(Kind::Variable(self.name()))
            }
            '"' => self.quoted(),
            '`' => self.raw(),
            '0'..='9' | '-' | '+' => self.number(),
            first if first == '_' || first.is_alphabetic() => Ok(Kind::Word(self.name())),
            _ => Err(Fault::new(
                self.at,
                "an unexpected character stands here",
                "remove it, or quote the text",
            )),
        }
    }

    /// Letters, digits and underscores, as many as there are.
    fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c == '_' || c.is_alphanumeric()))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn number(&mut self) -> Result<Kind<'t>, Fault> {
        let (at, rest) = (self.at, self.rest());
        let end = rest[1..]
            .find(|c: char| !(c == '_' || c == '.' || c.is_alphanumeric()))
            .map_or(rest.len(), |end| end + 1);
        self.at += end;
        rest[..end].parse().map(Kind::Number).map_err(|_| {
            Fault::new(
                at,
                "this is no whole number",
                "write decimal digits; other numbers are not supported",
            )
        })
    }

    /// Text between double quotes, with Go's usual escapes.
    fn quoted(&mut self) -> Result<Kind<'t>, Fault> {
        let open = self.at;
        let rest = &self.rest()[1..];
        // No text grows beyond what is written up to its end, and a hostile value may hold a hundred thousand of them.
        let mut text = Zeroizing::new(String::with_capacity(quoted_length(rest)));
        let mut characters = rest.char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.at += index + 2;
                    return Ok(Kind::Text(text));
                }
                '\n' => break,
                '\\' => {
                    let at = open + 1 + index;
                    let escaped = characters.next().and_then(|(_, escaped)| match escaped {
                        'n' => Some('\n'),
                        't' => Some('\t'),
                        'r' => Some('\r'),
                        '\\' | '"' => Some(escaped),
                        _ => None,
                    });
                    text.push(escaped.ok_or_else(|| {
                        let remedy =
                            "use \\n, \\t, \\r, \\\\ and \\\", or write the text in back-ticks";
                        Fault::new(at, "an escape in a text is not supported", remedy)
                    })?);
                }
                plain => text.push(plain),
            }
        }
        Err(Fault::new(
            open,
            "a text is not closed",
            "write a quote at its end, on the same line",
        ))
    }

    /// Text between back-ticks, as it is.
    fn raw(&mut self) -> Result<Kind<'t>, Fault> {
        let rest = &self.rest()[1..];
        let Some(end) = rest.find('`') else {
            return Err(Fault::new(
                self.at,
                "a text is not closed",
                "write a back-tick at its end",
            ));
        };
        self.at += end + 2;
        Ok(Kind::Text(Zeroizing::new(rest[..end].replace('\r', ""))))
    }
}

/// How many bytes stand before the quote that closes a text, or before its line ends.
fn quoted_length(rest: &str) -> usize {
    let mut is_escaped = false;
    let end = rest.bytes().position(|byte| match byte {
        b'"' => !std::mem::take(&mut is_escaped),
        b'\n' => true,
        b'\\' => {
            is_escaped = !is_escaped;
            false
        }
        _ => {
            is_escaped = false;
            false
        }
    });
    end.unwrap_or(rest.len())
}
