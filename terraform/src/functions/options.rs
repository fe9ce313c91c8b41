//! The one argument of a function that takes an object: what it may say, each key read once, and nothing else.

use std::collections::BTreeMap;

use crate::function::Refused;
use crate::value::{Object, Value};

/// What is left to read.
pub(super) struct Options(Object);

impl Options {
    /// The object of the first argument.
    pub(super) fn of(arguments: &[Value]) -> Result<Self, Refused> {
        let given = arguments.first().map(Value::plain).and_then(Value::as_map);
        given
            .cloned()
            .map(Self)
            .ok_or_else(|| refused("Give an object, as in { name = \"web\" }."))
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, name: &str) -> Result<String, Refused> {
        self.optional_text(name)?
            .ok_or_else(|| refused(&format!("`{name}` is missing. Give a text.")))
    }

    /// A text that may be there.
    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.to_string())),
            Some(_) => Err(wrong(name, "a text")),
        }
    }

    /// A whole number, or what it is where none is given.
    pub(super) fn number<N: TryFrom<i64>>(&mut self, name: &str, default: N) -> Result<N, Refused> {
        let Some(given) = self.take(name) else {
            return Ok(default);
        };
        let number = given.as_whole().and_then(|number| N::try_from(number).ok());
        number.ok_or_else(|| wrong(name, "a whole number, not below 0"))
    }

    /// Ports.
    pub(super) fn ports(&mut self, name: &str) -> Result<Vec<u16>, Refused> {
        let given = self.take(name).unwrap_or(Value::List(Vec::new()));
        let port = |item: &Value| u16::try_from(item.plain().as_whole()?).ok();
        let ports = given
            .as_list()
            .and_then(|items| items.iter().map(port).collect());
        ports.ok_or_else(|| wrong(name, "a list of ports, whole numbers from 1 to 65535"))
    }

    /// Texts by name.
    pub(super) fn texts(&mut self, name: &str) -> Result<BTreeMap<String, String>, Refused> {
        let given = self.take(name).unwrap_or(Value::Map(Object::new()));
        let entry = |(key, value): (&String, &Value)| {
            Some((key.clone(), value.plain().as_text()?.to_owned()))
        };
        let texts = given
            .as_map()
            .and_then(|entries| entries.iter().map(entry).collect());
        texts.ok_or_else(|| wrong(name, "a map of texts"))
    }

    /// Refuses what nobody has read.
    pub(super) fn end(self) -> Result<(), Refused> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(refused(&format!(
                "`{name}` is not known. Check its spelling."
            ))),
        }
    }

    /// What is given, once; empty text is as good as none, as it is in the attributes of resources.
    fn take(&mut self, name: &str) -> Option<Value> {
        let value = self.0.remove(name)?.plain().clone();
        let is_none = value.is_null() || value.as_text() == Some("");
        (!is_none).then_some(value)
    }
}

fn wrong(name: &str, what: &str) -> Refused {
    refused(&format!("`{name}` is {what}."))
}

pub(super) fn refused(text: &str) -> Refused {
    (Some(0), text.to_owned())
}
