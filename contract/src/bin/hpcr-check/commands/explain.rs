//! `hpcr-check explain`: what a message code means, from the pages of the book that list them all.

use clap::Args;
use serde_json::json;

use crate::Verdict;
use crate::arguments::Shape;
use crate::failure::Failure;
use crate::output::Output;

/// The codes of this appliance, then those that only the published images use.
const BOOK: [&str; 2] = [
    include_str!("../../../../../docs/messages.md"),
    include_str!("../../../../../docs/published-messages.md"),
];

/// Explain a message code
///
/// What the message says, why it comes, and what to do; also for codes that only the published images use. Without a
/// code, all of them are listed.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The code, as the console shows it (HPL08001E)
    code: Option<String>,
    /// How it is told
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Shape,
}

/// Explains one code, or lists all.
pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result<Verdict, Failure> {
    let wanted = arguments
        .code
        .as_deref()
        .map(|code| code.trim_end_matches(':').to_ascii_uppercase());
    let found: Vec<Message> = messages()
        .filter(|message| wanted.as_deref().is_none_or(|code| code == message.code))
        .collect();
    if found.is_empty() {
        return Err(Failure::Usage(
            "no message has this code; hpcr-check explain without a code lists them all",
        ));
    }
    match arguments.format {
        Shape::Json => output.json(&found.iter().map(Message::json).collect())?,
        Shape::Text if wanted.is_none() => {
            let line = |list: String, message: &Message| {
                list + message.code + "  " + &unmarked(message.text) + "\n"
            };
            output.coloured(&found.iter().fold(String::new(), line))?;
        }
        Shape::Text => output.coloured(&found.iter().map(Message::text).collect::<String>())?,
    }
    Ok(Verdict::Good)
}

/// A row of the page.
struct Message {
    family: &'static str,
    code: &'static str,
    text: &'static str,
    why: &'static str,
    remedy: &'static str,
}

impl Message {
    fn severity(&self) -> &'static str {
        match self.code.as_bytes().last() {
            Some(b'I') => "it is well",
            Some(b'W') => "it goes on, but someone should look",
            _ => "the appliance stops",
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "\x1b[1m{}: {}\x1b[0m\n\n  {}; {}.\n\n",
            self.code,
            self.text,
            self.family,
            self.severity()
        );
        for (label, value) in [("why", self.why), ("what to do", self.remedy)] {
            if !value.is_empty() {
                text += &["  ", label, ": ", value, "\n"].concat();
            }
        }
        unmarked(&text)
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "code": self.code,
            "text": unmarked(self.text),
            "family": self.family,
            "why": unmarked(self.why),
            "remedy": unmarked(self.remedy),
        })
    }
}

/// The text without the marks of Markdown; of a link, its words and the page in brackets.
fn unmarked(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, words, page, after)) = link(rest) {
        plain += before;
        plain += words;
        if words != page {
            plain += &[" (docs/", page, ")"].concat();
        }
        rest = after;
    }
    (plain + rest).replace('`', "")
}

/// The first link: what stands before it, its words, the page that it leads to, what comes after it.
fn link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let (head, tail) = text.split_once("](")?;
    let (before, words) = head.rsplit_once('[')?;
    let (target, after) = tail.split_once(')')?;
    let page = target.split('#').next().unwrap_or(target);
    Some((before, words, page, after))
}

/// The rows of the tables, each under the heading of its family.
fn messages() -> impl Iterator<Item = Message> {
    let mut family = "";
    BOOK.iter()
        .flat_map(|page| page.lines())
        .filter_map(move |line| {
            if let Some(heading) = line.strip_prefix("## ") {
                family = heading;
            }
            let row = line.strip_prefix("| ")?.strip_suffix('|')?;
            let mut cells = row.split(" | ").map(str::trim);
            let code = cells.next()?.trim_matches('`');
            let (text, why, remedy) = (cells.next()?, cells.next()?, cells.next()?);
            let message = Message {
                family,
                code,
                text,
                why,
                remedy,
            };
            code.starts_with("HPL").then_some(message)
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hpcr_contract::messages::CATALOGUE;

    #[test]
    fn every_code_of_the_catalogue_is_explained_in_full() {
        for entry in CATALOGUE {
            let code = entry.code.to_string();
            let message = messages().find(|message| message.code == code);
            let message = message.unwrap_or_else(|| panic!("{code} is not explained"));
            assert_eq!(message.text, entry.text);
            let parts = [message.family, message.why, message.remedy];
            assert!(parts.iter().all(|part| !part.is_empty()), "{code}");
        }
    }

    #[test]
    fn no_mark_of_markdown_is_shown() {
        assert_eq!(
            unmarked(
                "all runs: [what that means](operations.md#up), see [messages.md](messages.md) and `a[0]`"
            ),
            "all runs: what that means (docs/operations.md), see messages.md and a[0]"
        );
        for message in messages() {
            let told = message.text();
            assert!(!told.contains("](") && !told.contains('`'), "{told}");
        }
    }

    #[test]
    fn a_code_is_explained_once_and_on_the_page_that_it_belongs_to() {
        let mut codes: Vec<&str> = messages().map(|message| message.code).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all, "a code stands twice");
        assert!(all > CATALOGUE.len() && codes.binary_search(&"HPL08001E").is_ok());
    }
}
