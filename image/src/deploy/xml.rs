//! Elements of XML, written with two spaces a level. Text and attributes are escaped; names are ours.

use std::fmt::Write as _;

/// An element with attributes, and either text or elements inside.
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: Option<String>,
    children: Vec<Element>,
}

pub(super) fn element(name: &'static str) -> Element {
    Element {
        name,
        attributes: Vec::new(),
        text: None,
        children: Vec::new(),
    }
}

impl Element {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    pub(super) fn child(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    pub(super) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children);
        self
    }

    /// The element as a document.
    pub(super) fn document(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    fn write(&self, depth: usize, into: &mut String) {
        let indent = "  ".repeat(depth);
        into.extend([indent.as_str(), "<", self.name]);
        for (name, value) in &self.attributes {
            // Writing to a string cannot fail.
            let _ = write!(into, " {name}='{}'", escaped(value));
        }
        match &self.text {
            Some(text) => into.extend([">", &escaped(text), "</", self.name, ">\n"]),
            None if self.children.is_empty() => into.push_str("/>\n"),
            None => {
                into.push_str(">\n");
                for child in &self.children {
                    child.write(depth + 1, into);
                }
                into.extend([indent.as_str(), "</", self.name, ">\n"]);
            }
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\'', "&apos;")
        .replace('"', "&quot;")
}
