//! Reads scalars: text, numbers and truth values. Compose takes what looks like one for another, because interpolation gives
//! text; Kubernetes' types are strict.

use zeroize::Zeroizing;

use super::super::values;
use super::{Reader, Value, Words};
use crate::yaml::Kind;

impl Reader<'_> {
    /// Text, worded. In Compose, a whole number is taken for its digits.
    pub(in crate::workload) fn text(&mut self, value: &Value<'_>) -> Option<Zeroizing<String>> {
        if self.is_typed() && matches!(value.node.kind, Kind::Number(_)) {
            self.expected("text", value);
            return None;
        }
        self.text_or_digits(value)
    }

    /// The same of Compose and Pods.
    fn text_or_digits(&mut self, value: &Value<'_>) -> Option<Zeroizing<String>> {
        let text = match &value.node.kind {
            Kind::Text(text) => self.worded(value, text)?,
            Kind::Number(number) if !number.is_f64() => Zeroizing::new(number.to_string()),
            _ => {
                self.expected("text", value);
                return None;
            }
        };
        if text.contains('\0') {
            self.refuse(value, "the text holds a NUL character", "remove it");
            return None;
        }
        Some(text)
    }

    /// Text, a truth value, or any number as its author wrote it.
    pub(in crate::workload) fn scalar(&mut self, value: &Value<'_>) -> Option<Zeroizing<String>> {
        match &value.node.kind {
            Kind::Bool(flag) => Some(Zeroizing::new(flag.to_string())),
            Kind::Number(number) if number.is_f64() => {
                let written = value.node.written(self.written);
                let written = written.filter(|text| text.parse().ok() == number.as_f64());
                Some(Zeroizing::new(
                    written.map_or_else(|| number.to_string(), str::to_owned),
                ))
            }
            _ => self.text(value),
        }
    }

    /// Whether numbers and truth values are no text: Kubernetes' types are strict, and interpolation gives text.
    fn is_typed(&self) -> bool {
        !matches!(self.words, Words::Interpolated(_))
    }

    /// Whether a text stands where Kubernetes has none; what a template makes is text.
    fn is_quoted(&self, value: &Value<'_>) -> bool {
        let is_template = matches!(self.words, Words::Templates(_));
        let text = value.node.text();
        self.is_typed() && text.is_some_and(|text| !(is_template && text.contains("{{")))
    }

    /// A truth value; of Compose and templates also as text.
    pub(in crate::workload) fn flag(&mut self, value: &Value<'_>) -> Option<bool> {
        if let Kind::Bool(flag) = value.node.kind {
            return Some(flag);
        }
        let flag = if value.is_text() && !self.is_quoted(value) {
            self.text_or_digits(value)?.parse().ok()
        } else {
            None
        };
        if flag.is_none() {
            self.expected("true or false", value);
        }
        flag
    }

    /// Text, read by a pure parser.
    pub(in crate::workload) fn parsed<T>(
        &mut self,
        value: &Value<'_>,
        parse: impl Fn(&str) -> Result<T, &'static str>,
        remedy: &str,
    ) -> Option<T> {
        let text = self.text(value)?;
        self.accept(value, parse(&text), remedy)
    }

    /// Text or a decimal number, read by a pure parser.
    pub(in crate::workload) fn decimal<T>(
        &mut self,
        value: &Value<'_>,
        parse: impl Fn(&str) -> Result<T, &'static str>,
        remedy: &str,
    ) -> Option<T> {
        match &value.node.kind {
            Kind::Number(number) => self.accept(value, parse(&number.to_string()), remedy),
            _ => self.parsed(value, parse, remedy),
        }
    }

    /// A whole number within bounds.
    pub(in crate::workload) fn whole<T: TryFrom<i64>>(
        &mut self,
        value: &Value<'_>,
        bounds: std::ops::RangeInclusive<i64>,
    ) -> Option<T> {
        let is_whole = match &value.node.kind {
            Kind::Number(number) => !number.is_f64(),
            Kind::Text(_) => !self.is_quoted(value),
            _ => false,
        };
        if !is_whole {
            self.expected("a whole number", value);
            return None;
        }
        let text = self.text_or_digits(value)?;
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            let remedy = match (bounds.start(), bounds.end()) {
                (only, last) if only == last => format!("write {only}"),
                (first, last) => format!("write one from {first} to {last}"),
            };
            self.refuse(value, "this is no whole number within bounds", remedy);
        }
        number
    }

    /// Every text of a list, read by a pure parser.
    pub(in crate::workload) fn each<T>(
        &mut self,
        value: &Value<'_>,
        parse: impl Fn(&str) -> Result<T, &'static str>,
        remedy: &str,
    ) -> Vec<T> {
        let items = self.items(value);
        items
            .iter()
            .filter_map(|item| self.parsed(item, &parse, remedy))
            .collect()
    }

    /// Every text of a list as it is.
    pub(in crate::workload) fn texts(&mut self, value: &Value<'_>) -> Vec<String> {
        self.each(value, |text| Ok(text.to_owned()), "write text")
    }

    /// Permissions: a number as YAML reads it, or octal digits as text.
    pub(in crate::workload) fn mode(&mut self, value: &Value<'_>) -> Option<u32> {
        const REMEDY: &str = "write octal permissions such as 0440";
        match &value.node.kind {
            Kind::Number(number) => {
                let mode = number.as_u64().and_then(|mode| u32::try_from(mode).ok());
                let mode = mode.filter(|mode| *mode <= 0o7777);
                self.accept(value, mode.ok_or("these are no permissions"), REMEDY)
            }
            _ => self.parsed(value, values::mode, REMEDY),
        }
    }
}
