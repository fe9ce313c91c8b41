//! The line that a finding lies on, without what may be secret in it.
//!
//! A value of a contract is a secret until proven otherwise: it is shown only where `public` lists the key path.
//! Everything else that is no key becomes `<hidden>`: comments, lines of block scalars, flow mappings, what nobody can
//! parse. Keys are shown, as findings name them anyway.

use hpcr_contract::finding::Place;
use hpcr_contract::public::{HIDDEN, is_public, shown_key};

use crate::output::plain;

/// The most characters of a line that are shown.
const WIDEST: usize = 160;
/// How many of them stand before the part that is meant, where the line is cut in front.
const LEAD: usize = 40;

/// A line that may be shown, and which part of it is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snippet {
    /// The line.
    pub(super) text: String,
    /// How many characters stand before the part that is meant.
    pub(super) before: usize,
    /// How many characters that part takes, one at least.
    pub(super) width: usize,
}

/// Makes the snippet of a line at a place.
pub(super) fn of(line: &str, place: &Place) -> Snippet {
    let line = Line::parse(line);
    let column = place.column.map_or(0, |column| column.saturating_sub(1)) as usize;
    let value = line.value(place);
    let lead = line.lead();
    let key = line.key.map_or(0, |key| shown_key(key).chars().count());
    let is_item = line.opening.chars().nth(column) == Some('-');
    let (before, width) = if is_item && line.key.is_none() {
        (column, 1)
    } else if line.key.is_some() && column < lead + key {
        (column.max(lead), lead + key - column.max(lead))
    } else {
        let start = line.before_value();
        let (offset, length) = if value == HIDDEN {
            (0, HIDDEN.len())
        } else {
            let offset = column.saturating_sub(start);
            let rest = value.chars().count().saturating_sub(offset);
            (
                offset,
                place
                    .length
                    .map_or(rest, |length| rest.min(length as usize)),
            )
        };
        (start + offset, length)
    };
    Snippet {
        text: plain(&format!("{}{}{value}", line.indent(), line.shown_key())),
        before,
        width: width.max(1),
    }
    .cut()
}

impl Snippet {
    /// The part of a long line that is around what is meant.
    fn cut(self) -> Self {
        let length = self.text.chars().count();
        if length <= WIDEST {
            return self;
        }
        let from = if self.before + self.width <= WIDEST {
            0
        } else {
            self.before.saturating_sub(LEAD).min(length - 1)
        };
        let shown: String = self.text.chars().skip(from).take(WIDEST).collect();
        let before = if from > 0 { "…" } else { "" };
        let behind = if length > from + WIDEST { "…" } else { "" };
        let place = self.before - from;
        Self {
            text: format!("{before}{shown}{behind}"),
            before: place + before.chars().count(),
            width: self.width.min(WIDEST.saturating_sub(place)).max(1),
        }
    }
}

/// A line of YAML, taken apart without a parser: it may be the line that no parser takes.
struct Line<'a> {
    /// White space and the dashes of list items.
    opening: &'a str,
    key: Option<&'a str>,
    /// What stands between key and value: the colon and white space.
    between: &'a str,
    value: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Self {
        let mut rest = line.trim_start();
        while let Some(item) = rest.strip_prefix("- ") {
            rest = item.trim_start();
        }
        let opening = &line[..line.len() - rest.len()];
        let rest = rest.trim_end();
        let bare = Self {
            opening,
            key: None,
            between: "",
            value: rest,
        };
        let Some(key) = key_of(rest) else {
            return bare;
        };
        let after = &rest[key.len() + 1..];
        let value = after.trim_start();
        let between = &rest[key.len()..rest.len() - value.len()];
        Self {
            opening,
            key: Some(key),
            between,
            value,
        }
    }

    /// White space of any kind as spaces, so that the mark below meets the place.
    fn indent(&self) -> String {
        self.opening
            .chars()
            .map(|letter| if letter == '-' { '-' } else { ' ' })
            .collect()
    }

    fn shown_key(&self) -> String {
        self.key.map_or_else(String::new, |key| {
            format!("{}{}", shown_key(key), self.between.replace('\t', " "))
        })
    }

    fn lead(&self) -> usize {
        self.opening.chars().count()
    }

    fn before_value(&self) -> usize {
        self.lead() + self.shown_key().chars().count()
    }

    /// The value as it may be shown.
    fn value(&self, place: &Place) -> String {
        let value = self.value;
        let is_header = value.starts_with(['|', '>'])
            && value[1..]
                .chars()
                .all(|letter| matches!(letter, '+' | '-' | '0'..='9'));
        if value.is_empty() || (self.key.is_some() && is_header) {
            return value.to_owned();
        }
        let (path, is_item) = match place.path.strip_suffix(']') {
            Some(item) => (item.rsplit_once('[').map_or("", |(list, _)| list), true),
            None => (place.path.as_str(), false),
        };
        let names: Vec<&str> = path
            .split('.')
            .map(|name| name.split('[').next().unwrap_or(name))
            .collect();
        let is_meant = match self.key {
            Some(key) => names
                .last()
                .is_some_and(|name| *name == key.trim_matches(['"', '\''])),
            None => is_item,
        };
        let is_type = self.key == Some("type") && is_public(&["type"], value);
        if is_type || (is_meant && is_public(&names, value)) {
            let bare = value.split(" #").next().unwrap_or(value).trim_end();
            return bare.to_owned();
        }
        HIDDEN.to_owned()
    }
}

/// What stands before the first colon that ends a key, where it looks like one: a secret with a colon in it may not.
fn key_of(text: &str) -> Option<&str> {
    let quote = text
        .chars()
        .next()
        .filter(|first| matches!(first, '"' | '\''));
    let end = match quote {
        Some(quote) => text[1..].find(quote)? + 2,
        None => text.match_indices(':').map(|(at, _)| at).find(|at| {
            text[at + 1..]
                .chars()
                .next()
                .is_none_or(char::is_whitespace)
        })?,
    };
    let key = &text[..end];
    let rest = text[end..].strip_prefix(':')?;
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_-./:@$".contains(letter);
    let is_key = key.len() <= 80 && key.trim_matches(['"', '\'']).chars().all(is_word);
    (is_key && rest.chars().next().is_none_or(char::is_whitespace)).then_some(key)
}

#[cfg(test)]
mod tests;
