//! Reads env files: those that `env_file` names, and `.env` at the archive's top.
//!
//! A line may refer to the variables of the contract and to the lines before it. Nothing here reads a file system or the
//! process's own environment.

use zeroize::Zeroizing;

use super::super::interpolation::{Problem, Variables};
use super::super::room::Whole;
use super::super::values;
use crate::secret::SecretString;

/// The most bytes of one: Linux takes no larger environment.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// What to do about a line that is wrong.
pub(super) const REMEDY: &str = "write NAME=value, with quotes closed on the same line";

/// A line that is wrong, from 1, and why.
pub(super) struct Wrong {
    pub(super) line: u32,
    pub(super) cause: String,
}

/// The variables of an env file, as far as they fit into one environment, and what is wrong with it. `interpolate` replaces
/// the variables of a text, where those of the lines before serve for what the contract lacks; it gives nothing where one is
/// not known here.
pub(super) fn read(
    text: &str,
    known: &Variables,
    mut interpolate: impl FnMut(&str, &Variables) -> Result<Option<Zeroizing<String>>, Problem>,
) -> (Variables, Vec<Wrong>) {
    // A line may refer to those before it, but not to another file's.
    let (mut earlier, mut wrong) = (Variables::new(), Vec::new());
    let mut whole = Whole::default();
    let mut room = whole.room();
    // Some editors begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        if room.is_full() {
            break;
        }
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, written)) = line.split_once('=') else {
            match (values::is_variable_name(line), known.get(line)) {
                (Ok(()), Some(value)) => drop(earlier.insert(line.to_owned(), value.clone())),
                (Ok(()), None) => {}
                (Err(cause), _) => wrong.push(Wrong {
                    line: number,
                    cause: cause.to_owned(),
                }),
            }
            continue;
        };
        let name = name.trim_end();
        let value = values::is_variable_name(name).map_err(str::to_owned);
        let value = value.and_then(|()| unquote(written.trim_start()));
        let value = value.and_then(|(value, literal)| {
            if literal {
                return Ok(Some(value));
            }
            interpolate(&value, &earlier).map_err(|problem| problem.to_string())
        });
        match value {
            Ok(None) => {}
            Ok(Some(value)) => {
                // What does not fit is told where the service takes it.
                let _ = room.variable(name, &value);
                earlier.insert(name.to_owned(), SecretString::from(value.as_str()));
            }
            Err(cause) => wrong.push(Wrong {
                line: number,
                cause,
            }),
        }
    }
    (earlier, wrong)
}

/// The value of a line without its quotes and comment, and whether it is literal (in single quotes).
fn unquote(written: &str) -> Result<(Zeroizing<String>, bool), String> {
    let (value, rest, literal) = if let Some(quoted) = written.strip_prefix('\'') {
        let (value, rest) = quoted.split_once('\'').ok_or("a quote is not closed")?;
        (Zeroizing::new(value.to_owned()), rest, true)
    } else if let Some(quoted) = written.strip_prefix('"') {
        let (value, rest) = double_quoted(quoted)?;
        (value, rest, false)
    } else {
        let value = written
            .find(" #")
            .map_or(written, |comment| &written[..comment]);
        (Zeroizing::new(value.trim_end().to_owned()), "", false)
    };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        Ok((value, literal))
    } else {
        Err("text follows a closed quote".into())
    }
}

/// Up to the closing quote, with escapes resolved; an escaped dollar sign stays one through interpolation.
fn double_quoted(quoted: &str) -> Result<(Zeroizing<String>, &str), String> {
    // No value grows beyond its text: a doubled dollar replaces a backslash and a dollar.
    let mut value = Zeroizing::new(String::with_capacity(quoted.len()));
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, '$')) => value.push_str("$$"),
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some((_, plain)) => value.extend(['\\', plain]),
                None => break,
            },
            plain => value.push(plain),
        }
    }
    Err("a quote is not closed".into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::secret::ExposeSecret as _;

    #[test]
    fn a_mark_at_the_beginning_is_no_part_of_a_name_and_names_have_no_spaces() {
        let text = "\u{feff}A=1\nA B=hunter2\n=hunter2\nC=$A\nhunter2 x\n";
        let (read, wrong) = read(text, &Variables::new(), |text, known| {
            let a = known.get("A").map_or("", |a| a.expose_secret());
            Ok(Some(Zeroizing::new(text.replace("$A", a))))
        });
        let read: Vec<_> = read
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret()))
            .collect();
        assert_eq!(read, [("A", "1"), ("C", "1")]);
        let lines: Vec<_> = wrong.iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, [2, 3, 5]);
        assert!(wrong.iter().all(|wrong| !wrong.cause.contains("hunter2")));
    }

    #[test]
    fn values_of_an_env_file_lose_quotes_and_comments() {
        for (written, expected, literal) in [
            ("plain value # comment", "plain value", false),
            ("no#comment", "no#comment", false),
            ("'$literal' # comment", "$literal", true),
            (r#""a\tb\"c\$d\x""#, "a\tb\"c$$d\\x", false),
            ("", "", false),
        ] {
            let (value, is_literal) = unquote(written).unwrap();
            assert_eq!(
                (value.as_str(), is_literal),
                (expected, literal),
                "{written}"
            );
        }
        for written in ["'open", "\"open", "\"open\\", "'a'b"] {
            assert!(unquote(written).is_err(), "{written}");
        }
    }
}
