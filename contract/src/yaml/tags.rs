//! Finds explicit tags (`!!binary`, `!!str`, `!`, ...), which change what a value is from one reader to the next.
//!
//! The parser carries the tags of YAML's own types out, so they are looked for in its events. This module never judges
//! anything else: what is no YAML is the parser's to tell.

use serde_saphyr::granit_parser::Parser;

use super::{MAX_NODES, narrow};

/// Line and column, from 1, of the first tag of a text.
pub(super) fn first(text: &str) -> Option<(u32, u32)> {
    // A mark that no tag can be without, and most texts are.
    if !text.contains('!') {
        return None;
    }
    let events = Parser::new_from_str(text).map_while(Result::ok);
    // No more than are ever read.
    let mut nodes = events.take(4 * MAX_NODES);
    let (_, span) = nodes.find(|(event, _)| event.tag().is_some())?;
    let begin = span.tag_start().unwrap_or(span.start);
    let narrow = |number: usize| narrow(u64::try_from(number).unwrap_or(u64::MAX));
    Some((narrow(begin.line()), narrow(begin.col() + 1)))
}
