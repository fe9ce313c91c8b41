//! The environment of a service: `env_file`, then `environment` over it.
//!
//! Only what the compose file names gets in. A name without a value takes the contract's variable of that name, where
//! there is one. Nothing of the appliance's own environment is ever seen here.

use std::collections::BTreeMap;
use std::rc::Rc;

use zeroize::Zeroizing;

use super::super::interpolation::Variables;
use super::super::reader::{Reader, Value};
use super::super::room::{Room, Whole};
use super::super::{Surroundings, paths};
use crate::secret::{ExposeSecret as _, SecretString};
use crate::yaml::Kind;

/// The most env files of one service, and the most bytes of one: Linux takes no larger environment.
const MOST_FILES: usize = 64;
const MOST_BYTES: usize = 1 << 20;

/// The env files of the archive by name, as far as services have named them: each is read once.
pub(super) type EnvFiles = BTreeMap<String, Rc<Variables>>;

/// The environment of one service.
pub(super) fn read(
    reader: &mut Reader<'_>,
    files: Option<&Value<'_>>,
    own: Option<&Value<'_>>,
    surroundings: &Surroundings<'_>,
    known_files: &mut EnvFiles,
    room: &mut Room<'_>,
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
            env_file(reader, file, surroundings, known_files, &mut environment);
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
struct Environment<'a, 'w> {
    variables: Variables,
    /// The contract's.
    known: &'a Variables,
    room: &'a mut Room<'w>,
}

impl Environment<'_, '_> {
    /// Sets a variable.
    fn insert(&mut self, reader: &mut Reader<'_>, at: &Value<'_>, name: &str, value: &str) {
        if self.room.is_full() {
            return;
        }
        if is_name(reader, at, name)
            && reader
                .accept(at, self.room.variable(name, value), LARGE)
                .is_some()
        {
            self.variables
                .insert(name.to_owned(), SecretString::from(value));
        }
    }

    /// Sets the variables of an env file.
    fn extend(&mut self, reader: &mut Reader<'_>, at: &Value<'_>, file: &Variables) {
        for (name, value) in file {
            if self.room.is_full() {
                break;
            }
            self.insert(reader, at, name, value.expose_secret());
        }
    }

    /// Sets a variable to what the contract has under its name, where it has something.
    fn insert_known(&mut self, reader: &mut Reader<'_>, at: &Value<'_>, name: &str) {
        if let Some(value) = self.known.get(name) {
            self.insert(reader, at, name, value.expose_secret());
        }
    }
}

/// Whether a variable can have this name; told where not.
fn is_name(reader: &mut Reader<'_>, at: &Value<'_>, name: &str) -> bool {
    let is_name = !name.is_empty() && !name.contains(['=', '\0']);
    if !is_name {
        let cause = "this is no name of an environment variable";
        reader.refuse(at, cause, "write NAME=value");
    }
    is_name
}

/// What to do with texts that Linux does not take.
pub(super) const LARGE: &str = "put it into a file: `configs`, `secrets`, or one of the archive";

fn mapping(reader: &mut Reader<'_>, own: &Value<'_>, environment: &mut Environment<'_, '_>) {
    for (name, value) in reader.entries(own) {
        if environment.room.is_full() {
            break;
        }
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

fn list(reader: &mut Reader<'_>, own: &Value<'_>, environment: &mut Environment<'_, '_>) {
    for item in reader.items(own) {
        if environment.room.is_full() {
            break;
        }
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
    known_files: &mut EnvFiles,
    environment: &mut Environment<'_, '_>,
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
    if let Some(read) = known_files.get(&name) {
        environment.extend(reader, &path, &read.clone());
        return;
    }
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
        Some(Ok(text)) => {
            let read = Rc::new(env_lines(reader, &path, text, surroundings.variables));
            environment.extend(reader, &path, &read);
            known_files.insert(name, read);
        }
        Some(Err(_)) => reader.refuse(&path, "the env file is not UTF-8", "save it as UTF-8"),
        None if required => reader.refuse(
            &path,
            "the archive has no such file",
            "add it, or write `required: false`",
        ),
        None => {}
    }
}

/// The variables of an env file, as far as they fit into one environment.
fn env_lines(reader: &mut Reader<'_>, at: &Value<'_>, text: &str, known: &Variables) -> Variables {
    // A line may refer to those before it, but not to another file's.
    let mut earlier = Variables::new();
    let mut whole = Whole::default();
    let mut room = whole.room();
    for (index, line) in text.lines().enumerate() {
        if room.is_full() {
            break;
        }
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, written)) = line.split_once('=') else {
            if let Some(value) = known.get(line) {
                earlier.insert(line.to_owned(), value.clone());
            }
            continue;
        };
        let value = unquote(written.trim_start()).and_then(|(value, literal)| {
            if literal {
                return Ok(Some(value));
            }
            reader
                .interpolate(&value, &earlier)
                .map_err(|problem| problem.to_string())
        });
        match value {
            Ok(None) => {}
            Ok(Some(value)) => {
                let name = name.trim_end();
                // What does not fit is told where the service takes it.
                let _ = room.variable(name, &value);
                if is_name(reader, at, name) {
                    earlier.insert(name.to_owned(), SecretString::from(value.as_str()));
                }
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
    earlier
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
