//! The environment of a service: `env_file`, then `environment` over it.
//!
//! Only what the compose file names gets in. A name without a value takes the contract's variable of that name, where
//! there is one. Nothing of the appliance's own environment is ever seen here.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::interpolation::Variables;
use super::super::reader::{Reader, Value};
use super::super::room::Room;
use super::super::{Surroundings, paths, values};
use super::env_file;
use crate::secret::{ExposeSecret as _, SecretString};
use crate::yaml::Kind;

/// The most env files of one service.
const MOST_FILES: usize = 64;

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
            named_file(reader, file, surroundings, known_files, &mut environment);
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
        match self.known.get(name) {
            Some(value) => self.insert(reader, at, name, value.expose_secret()),
            None => drop(is_name(reader, at, name)),
        }
    }
}

/// Whether a variable can have this name; told where not.
fn is_name(reader: &mut Reader<'_>, at: &Value<'_>, name: &str) -> bool {
    let outcome = values::is_variable_name(name);
    if let Err(cause) = outcome {
        reader.refuse_key(at, cause, values::VARIABLE_NAME);
    }
    outcome.is_ok()
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
            _ => {
                if let Some(text) = reader.scalar(&value) {
                    environment.insert(reader, &value, name, &text);
                }
            }
        }
    }
}

fn list(reader: &mut Reader<'_>, own: &Value<'_>, environment: &mut Environment<'_, '_>) {
    for item in reader.items_or_entries(own) {
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
fn named_file(
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
        Some(Ok(text)) if text.len() > env_file::MOST_BYTES => reader.refuse(
            &path,
            "the env file is larger than 1 MiB",
            "name what the service needs; larger things belong into files",
        ),
        Some(Ok(text)) => {
            let (read, wrong) = env_file::read(text, surroundings.variables, |text, further| {
                reader.interpolate(text, further)
            });
            reader.tell_unset(&path);
            // Where it stands, once, however many services name the file.
            for wrong in wrong {
                reader.refuse_line(&name, wrong.line, wrong.cause, env_file::REMEDY);
            }
            let read = Rc::new(read);
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
