//! `hpcr-check explain`: what a message code means, from the page of the book that lists them all.

use clap::Args;
use serde_json::json;

use crate::Verdict;
use crate::arguments::Shape;
use crate::failure::Failure;
use crate::output::Output;

const BOOK: &str = include_str!("../../../../../docs/messages.md");

/// Explain a message code
///
/// What the message says, why it comes, and what to do. Without a code, all of them are listed.
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
            output.coloured(
                &found
                    .iter()
                    .map(|message| format!("{}  {}\n", message.code, message.text))
                    .collect::<String>(),
            )?;
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
        let Self {
            family,
            code,
            text,
            why,
            remedy,
        } = self;
        let severity = self.severity();
        format!("\x1b[1m{code}: {text}\x1b[0m\n\n  {family}; {severity}.\n\n  why: {why}\n  what to do: {remedy}\n").replace('`', "")
    }

    fn json(&self) -> serde_json::Value {
        json!({"code": self.code, "text": self.text, "family": self.family, "why": self.why, "remedy": self.remedy})
    }
}

/// The rows of the tables, each under the heading of its family.
fn messages() -> impl Iterator<Item = Message> {
    let mut family = "";
    BOOK.lines().filter_map(move |line| {
        if let Some(heading) = line.strip_prefix("## ") {
            family = heading;
        }
        let row = line.strip_prefix("| HPL")?;
        let cells: Vec<&str> = line[2..]
            .trim_end_matches('|')
            .split(" | ")
            .map(str::trim)
            .collect();
        let (text, why, remedy) = match cells[1..] {
            [text, why, remedy] => (text, why, remedy),
            [text, remedy] => (text, "", remedy),
            _ => return None,
        };
        Some(Message {
            family,
            code: &line[2..2 + "HPL".len() + row.find(' ')?],
            text,
            why,
            remedy,
        })
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
            assert!(
                !message.family.is_empty() && !message.remedy.is_empty(),
                "{code}"
            );
        }
        assert_eq!(messages().count(), CATALOGUE.len());
    }
}
