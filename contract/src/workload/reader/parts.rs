//! Reads what has parts: mappings and lists.

use super::{Reader, Value, Words};
use crate::public::shown_key;
use crate::yaml::Kind;

impl Reader<'_> {
    /// The entries of a mapping; none where it is empty or null. Extensions of Compose (`x-...`) are left out.
    pub(in crate::workload) fn entries<'n>(
        &mut self,
        value: &Value<'n>,
    ) -> Vec<(&'n str, Value<'n>)> {
        let is_compose = matches!(self.words, Words::Interpolated(_));
        let dot = if value.path.is_empty() { "" } else { "." };
        match &value.node.kind {
            Kind::Mapping(entries) => entries
                .iter()
                .filter(|(key, _)| !(is_compose && key.name.starts_with("x-")))
                .map(|(key, node)| {
                    let path = format!("{}{dot}{}", value.path, shown_key(&key.name));
                    (
                        key.name.as_str(),
                        Value {
                            node,
                            path,
                            key: key.span(),
                        },
                    )
                })
                .collect(),
            Kind::Null => Vec::new(),
            _ => {
                self.expected("a mapping", value);
                Vec::new()
            }
        }
    }

    /// The items of a list; none where it is empty or null.
    pub(in crate::workload) fn items<'n>(&mut self, value: &Value<'n>) -> Vec<Value<'n>> {
        match &value.node.kind {
            Kind::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(index, node)| Value {
                    node,
                    path: format!("{}[{index}]", value.path),
                    key: node.span(),
                })
                .collect(),
            Kind::Null => Vec::new(),
            _ => {
                self.expected("a list", value);
                Vec::new()
            }
        }
    }

    /// The items of what may be a mapping, too, and is none.
    pub(in crate::workload) fn items_or_entries<'n>(
        &mut self,
        value: &Value<'n>,
    ) -> Vec<Value<'n>> {
        match value.node.kind {
            Kind::Sequence(_) | Kind::Null => self.items(value),
            _ => {
                self.expected("a mapping or a list", value);
                Vec::new()
            }
        }
    }

    /// One value or a list of them.
    pub(in crate::workload) fn one_or_many<'n>(&mut self, value: &Value<'n>) -> Vec<Value<'n>> {
        if value.is_text() {
            vec![value.clone()]
        } else {
            self.items(value)
        }
    }
}
