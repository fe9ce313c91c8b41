//! The environment of a service: `env_file`, then `environment` over it.
//!
//! Only what the compose file names gets in. A name without a value takes the contract's variable of that name, where
//! there is one. Nothing of the appliance's own environment is ever seen here.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::super::interpolation::Variables;
use super::super::reader::{Reader, Value};
use super::super::room::Room;
use super::super::{Surroundings, paths};
use crate::secret::{ExposeSecret as _, SecretString};
use crate::yaml::Kind;

/// The most env files of one service, and the most bytes of one: Linux takes no larger environment.
const MOST_FILES: usize = 64;
const MOST_BYTES: usize = 1 << 20;

/// The environment of one service.
pub(super) fn read(
    reader: &mut Reader<'_>,
    files: Option<&Value<'_>>,
    own: Option<&Value<'_>>,
    surroundings: &Surroundings<'_>,
    room: &mut Room,
) -> BTreeMap<String, SecretString> {
    let mut environment = Environment {
        variables: Variables::new(),
        known: surroundings.variables,
        room,
    };
    if let Some(files) = files {
        for (number, file) in reader.one_or_many(files).iter().enumerate() {
            if number == MOST_FILES {
                reader.refuse(
                    file,
                    "a service has more than 64 env files",
                    "join some of them",
                );
                break;
            }
            env_file(reader, file, surroundings, &mut environment);
        }
    }
    match own {
        Some(own) if own.is_mapping() => mapping(reader, own, &mut environment),
        Some(own) => list(reader, own, &mut environment),
        None => {}
    }
    environment.variables
}

/// The environment as far as it has been read.
struct Environment<'a> {
    variables: Variables,
    /// The contract's.
    known: &'a Variables,
    room: &'a mut Room,
}

impl Environment<'_> {
    /// Sets a variable.
    fn insert(&mut self, reader: &mut Reader<'_>, at: &Value<'_>, name: &str, value: &str) {
        if name.is_empty() || name.contains(['=', '\0']) {
            reader.refuse(
                at,
                "this is no name of an environment variable",
                "write NAME=value",
            );
        } else if reader
            .accept(at, self.room.take(name.len() + value.len()), LARGE)
            .is_some()
        {
            self.variables
                .insert(name.to_owned(), SecretString::from(value));
        }
    }

    /// Sets a variable to what the contract has under its name, where it has something.
    fn insert_known(&mut self, reader: &mut Reader<'_>, at: &Value<'_>, name: &str) {
        if let Some(value) = self.known.get(name) {
            self.insert(reader, at, name, value.expose_secret());
        }
    }
}

/// What to do with texts that Linux does not take.
pub(super) const LARGE: &str = "put it into a file: `configs`, `secrets`, or one of the archive";

fn mapping(reader: &mut Reader<'_>, own: &Value<'_>, environment: &mut Environment<'_>) {
    for (name, value) in reader.entries(own) {
        match value.node.kind {
            Kind::Null => environment.insert_known(reader, &value, name),
            // Compose refuses these too, or prints them in a form of its own.
            Kind::Bool(_) => reader.expected("text or a whole number", &value),
            _ => {
                if let Some(text) = reader.text(&value) {
                    environment.insert(reader, &value, name, &text);
                }
            }
        }
    }
}

fn list(reader: &mut Reader<'_>, own: &Value<'_>, environment: &mut Environment<'_>) {
    for item in reader.items(own) {
        let Some(text) = reader.text(&item) else {
            continue;
        };
        match text.split_once('=') {
            Some((name, value)) => environment.insert(reader, &item, name, value),
            None => environment.insert_known(reader, &item, &text),
        }
    }
}

/// Reads a file of the archive that `env_file` names.
fn env_file(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    surroundings: &Surroundings<'_>,
    environment: &mut Environment<'_>,
) {
    let (mut path, mut required) = (value.is_text().then(|| value.clone()), true);
    if path.is_none() {
        for (key, field) in reader.entries(value) {
            match key {
                "path" => path = Some(field),
                "required" => required = reader.flag(&field).unwrap_or(true),
                _ => reader.unknown(&field, key, "path, required"),
            }
        }
    }
    let Some(path) = path else {
        reader.refuse(
            value,
            "the env file has no path",
            "write the path of a file in the archive",
        );
        return;
    };
    let Some(name) = reader.text(&path) else {
        return;
    };
    let Some(name) = reader.accept(
        &path,
        paths::relative(&name),
        "write the path of a file in the archive",
    ) else {
        return;
    };
    match surroundings
        .files
        .get(&name)
        .map(|file| std::str::from_utf8(&file.bytes))
    {
        Some(Ok(text)) if text.len() > MOST_BYTES => reader.refuse(
            &path,
            "the env file is larger than 1 MiB",
            "name what the service needs; larger things belong into files",
        ),
        Some(Ok(text)) => env_lines(reader, &path, text, environment),
        Some(Err(_)) => reader.refuse(&path, "the env file is not UTF-8", "save it as UTF-8"),
        None if required => reader.refuse(
            &path,
            "the archive has no such file",
            "add it, or write `required: false`",
        ),
        None => {}
    }
}

fn env_lines(
    reader: &mut Reader<'_>,
    at: &Value<'_>,
    text: &str,
    environment: &mut Environment<'_>,
) {
    // A line may refer to those before it, but not to another file's.
    let mut earlier = Variables::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, written)) = line.split_once('=') else {
            environment.insert_known(reader, at, line);
            continue;
        };
        let value = unquote(written.trim_start()).and_then(|(value, literal)| {
            if literal {
                return Ok(value);
            }
            reader
                .interpolate(&value, &earlier)
                .map_err(|problem| problem.to_string())
        });
        match value {
            Ok(value) => {
                environment.insert(reader, at, name.trim_end(), &value);
                earlier.insert(
                    name.trim_end().to_owned(),
                    SecretString::from(value.as_str()),
                );
            }
            Err(cause) => {
                let cause = format!("line {} of the env file: {cause}", index + 1);
                reader.refuse(
                    at,
                    cause,
                    "write NAME=value, with quotes closed on the same line",
                );
            }
        }
    }
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
