//! The functions of templates: those of Go that Helm users write, and Helm's `default`, `quote` and `squote`.

use std::cmp::Ordering;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Fault;
use super::run::{Run, Text, Value};
use crate::workload::wiped::{make_room, push};

/// Every function.
pub(super) const NAMES: [&str; 16] = [
    "and", "default", "eq", "ge", "gt", "index", "le", "len", "lt", "ne", "not", "or", "print",
    "printf", "quote", "squote",
];

/// What to do instead of another one.
pub(super) const KNOWN: &str = "functions: and, default, eq, ge, gt, index, le, len, lt, ne, not, or, print, printf, quote, squote";

/// Calls a function that exists.
pub(super) fn call<'v>(
    run: &Run<'v, '_>,
    name: &'v str,
    at: usize,
    arguments: &[Value<'v>],
) -> Result<Value<'v>, Fault> {
    let made = |text: Zeroizing<String>| Value::Text(Text::Made(Arc::new(text)));
    match (name, arguments) {
        // The caller has stopped at the first that decides; what is left is the last.
        ("and" | "or", [.., last]) => Ok(last.clone()),
        ("not", [value]) => Ok(Value::Bool(!run.is_true(value))),
        ("default", [fallback, value]) => Ok(if run.is_true(value) {
            value.clone()
        } else {
            fallback.clone()
        }),
        ("default", [fallback]) => Ok(fallback.clone()),
        ("eq", [first, others @ ..]) if !others.is_empty() => {
            let mut is_equal = false;
            for other in others {
                is_equal |= compare(first, other, false, at)? == Ordering::Equal;
            }
            Ok(Value::Bool(is_equal))
        }
        ("ne", [one, other]) => Ok(Value::Bool(
            compare(one, other, false, at)? != Ordering::Equal,
        )),
        ("lt" | "le" | "gt" | "ge", [one, other]) => {
            let order = compare(one, other, true, at)?;
            Ok(Value::Bool(match name {
                "lt" => order.is_lt(),
                "le" => order.is_le(),
                "gt" => order.is_gt(),
                _ => order.is_ge(),
            }))
        }
        ("index", [value]) => Ok(value.clone()),
        ("index", [Value::Env, Value::Text(key)]) => match key {
            Text::Borrowed(key) => Ok(run.variable(key)),
            Text::Made(key) => {
                let known = run.variables.get_key_value(key.as_str());
                known.map(|(key, _)| run.variable(key)).ok_or_else(|| {
                    run.needs_all.set(true);
                    Fault::new(at, "a variable asked for by `index` has no value", MISSING)
                })
            }
        },
        ("len", [Value::Text(text)]) => Ok(number(text.as_str().len())),
        ("len", [Value::Env]) => {
            run.needs_all.set(true);
            Ok(number(run.variables.len()))
        }
        ("print", values) => print(values, at).map(made),
        ("printf", [Value::Text(format), values @ ..]) => {
            formatted(format.as_str(), values, at).map(made)
        }
        ("quote", values) => joined(values, at, go_quoted).map(made),
        ("squote", values) => joined(values, at, |text, output| {
            output.push('\'');
            output.push_str(text);
            output.push('\'');
        })
        .map(made),
        (_, values) => Err(match values.iter().find_map(missing) {
            Some(name) => not_set(name, at),
            None => Fault::new(
                at,
                format!("`{name}` cannot take these values"),
                "give it as many as it takes, and of the kind that it takes",
            ),
        }),
    }
}

const MISSING: &str =
    "set it in the `env` of the workload or the env section, or give it a `default`";

fn missing<'v>(value: &Value<'v>) -> Option<&'v str> {
    match value {
        Value::Missing(name) => Some(name),
        _ => None,
    }
}

fn not_set(name: &str, at: usize) -> Fault {
    Fault::new(at, format!("the variable {name} has no value"), MISSING)
}

fn number<'v>(count: usize) -> Value<'v> {
    Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// What a value looks like when it is printed.
pub(super) fn printed<'v>(value: &Value<'v>, at: usize) -> Result<Text<'v>, Fault> {
    Ok(match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => Text::Made(Arc::new(Zeroizing::new(number.to_string()))),
        Value::Bool(value) => Text::Borrowed(if *value { "true" } else { "false" }),
        Value::Missing(name) => return Err(not_set(name, at)),
        Value::Nil | Value::Root | Value::Env => {
            return Err(Fault::new(
                at,
                "this is no single value that could be printed",
                "print a text or a number, such as `.Env.NAME`",
            ));
        }
    })
}

fn compare(
    one: &Value<'_>,
    other: &Value<'_>,
    is_order: bool,
    at: usize,
) -> Result<Ordering, Fault> {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => Ok(one.as_str().cmp(other.as_str())),
        (Value::Number(one), Value::Number(other)) => Ok(one.cmp(other)),
        (Value::Bool(one), Value::Bool(other)) if !is_order => Ok(one.cmp(other)),
        (Value::Missing(name), _) | (_, Value::Missing(name)) => Err(not_set(name, at)),
        _ => Err(Fault::new(
            at,
            "these values cannot be compared",
            "compare two texts or two numbers; every variable is text",
        )),
    }
}

/// Go's Sprint: spaces only between two operands that are both no text.
fn print(values: &[Value<'_>], at: usize) -> Result<Zeroizing<String>, Fault> {
    let mut output = Zeroizing::new(String::new());
    let is_text = |value: &Value<'_>| matches!(value, Value::Text(_));
    for (index, value) in values.iter().enumerate() {
        if index > 0 && !is_text(value) && !is_text(&values[index - 1]) {
            push(&mut output, " ");
        }
        push(&mut output, printed(value, at)?.as_str());
    }
    Ok(output)
}

/// Values with a space between each two.
fn joined(
    values: &[Value<'_>],
    at: usize,
    quote: impl Fn(&str, &mut Zeroizing<String>),
) -> Result<Zeroizing<String>, Fault> {
    let mut output = Zeroizing::new(String::new());
    for value in values {
        if !output.is_empty() {
            push(&mut output, " ");
        }
        let text = printed(value, at)?;
        // Room for the worst that quoting can make of it, so that nothing is left behind by growing.
        make_room(&mut output, text.as_str().len().saturating_mul(10) + 2);
        quote(text.as_str(), &mut output);
    }
    Ok(output)
}

/// printf with `%s`, `%d`, `%v`, `%q`, `%t` and `%%`.
fn formatted(format: &str, values: &[Value<'_>], at: usize) -> Result<Zeroizing<String>, Fault> {
    const REMEDY: &str = "use %s, %d, %v, %q, %t and %%, one for each value and of its kind";
    let mut output = Zeroizing::new(String::new());
    let mut values = values.iter();
    let mut parts = format.split('%');
    push(&mut output, parts.next().unwrap_or_default());
    while let Some(part) = parts.next() {
        let Some(verb) = part.chars().next() else {
            // `%%`: what follows is text up to the next verb.
            push(&mut output, "%");
            let Some(text) = parts.next() else {
                return Err(Fault::new(at, "the format ends in a single %", REMEDY));
            };
            push(&mut output, text);
            continue;
        };
        let Some(value) = values.next() else {
            return Err(Fault::new(
                at,
                "the format has more verbs than values",
                REMEDY,
            ));
        };
        let text = printed(value, at)?;
        match (verb, value) {
            ('s' | 'v', Value::Text(_))
            | ('d' | 'v', Value::Number(_))
            | ('t' | 'v', Value::Bool(_)) => {
                push(&mut output, text.as_str());
            }
            ('q', Value::Text(_)) => {
                make_room(&mut output, text.as_str().len().saturating_mul(10) + 2);
                go_quoted(text.as_str(), &mut output);
            }
            _ => {
                let cause = "a verb of the format is not supported, or not for this value";
                return Err(Fault::new(at, cause, REMEDY));
            }
        }
        push(&mut output, &part[verb.len_utf8()..]);
    }
    if values.next().is_some() {
        return Err(Fault::new(
            at,
            "the format has fewer verbs than values",
            REMEDY,
        ));
    }
    Ok(output)
}

/// Go's strconv.Quote.
fn go_quoted(text: &str, output: &mut Zeroizing<String>) {
    output.push('"');
    for character in text.chars() {
        let escaped = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\u{b}' => "\\v",
            ' '..='~' => {
                output.push(character);
                continue;
            }
            _ => {
                let code = u32::from(character);
                let is_space = character.is_whitespace();
                match code {
                    0..=0x7f => output.extend(format!("\\x{code:02x}").chars()),
                    _ if !character.is_control() && !is_space => output.push(character),
                    0x80..=0xffff => output.extend(format!("\\u{code:04x}").chars()),
                    _ => output.extend(format!("\\U{code:08x}").chars()),
                }
                continue;
            }
        };
        output.push_str(escaped);
    }
    output.push('"');
}
