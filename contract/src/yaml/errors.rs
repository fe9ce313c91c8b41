//! What the YAML parser complains of, in our own words: its own texts may quote the input.

use serde_saphyr::Error;
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::localizer::ExternalMessageSource;

use super::{MAX_DEPTH, MAX_NODES, Origin, narrow, node};
use crate::finding::Finding;
use crate::public::shown_key;

/// The finding for an error of the parser.
pub(super) fn finding(error: &Error, text: &str, origin: &Origin) -> Finding {
    let (cause, remedy) = match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => (
            format!("the key `{}` stands twice in one mapping", shown_key(key)),
            "remove one of the two",
        ),
        Error::DuplicateMappingKey { .. } => (
            "a key stands twice in one mapping".into(),
            "remove one of the two",
        ),
        Error::MergeKeyNotAllowed { .. } => (
            "merge keys (<<) are not accepted".into(),
            "write the keys out",
        ),
        Error::MultipleDocuments { .. } => (
            "there is more than one YAML document".into(),
            "keep one document",
        ),
        Error::NonFiniteFloat { .. } => (
            "a number is not finite".into(),
            "write a finite number, or quote the text",
        ),
        Error::UnsupportedTag { .. } | Error::TaggedScalarCannotDeserializeIntoString { .. } => {
            (TAG.into(), NO_TAG)
        }
        Error::UnknownAnchor { .. } => slip(&ErrorKind::UnknownAnchor),
        Error::Budget { breach, .. } => budget_cause(breach),
        Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => aliases(),
        Error::Message { msg, .. } if msg == node::KEY_NOT_TEXT => {
            ("a key is not text".into(), "quote the key")
        }
        Error::Message { msg, .. } if msg == node::NUMBER_TOO_LARGE => (
            "a number is out of range".into(),
            "write a smaller number, or quote the text",
        ),
        Error::ExternalMessage { source, .. } => match source.as_ref() {
            ExternalMessageSource::Parser(scan) => slip(scan.kind()),
            _ => ("this is not well-formed YAML".into(), "correct the YAML"),
        },
        _ => ("this is not well-formed YAML".into(), "correct the YAML"),
    };
    let position = error
        .location()
        .map_or((0, 0), |at| (narrow(at.line()), narrow(at.column())));
    let (cause, remedy) = if begins_action(text, position.0) {
        (
            "`{{` begins a mapping of YAML, and no action of a template".into(),
            "quote the value: actions stand inside of values only",
        )
    } else {
        (cause, remedy)
    };
    Finding::new(origin.code, origin.place("", position, 0), cause, remedy)
}

const TAG: &str = "a YAML tag (`!...`) is not accepted";
const NO_TAG: &str = "remove the tag, or quote text that begins with `!`";

/// The finding for a tag.
pub(super) fn tag(position: (u32, u32), origin: &Origin) -> Finding {
    Finding::new(origin.code, origin.place("", position, 1), TAG, NO_TAG)
}

fn aliases() -> (String, &'static str) {
    (
        "anchors and aliases are not accepted, but for a few in compose files and Pods".into(),
        "write the values out",
    )
}

fn budget_cause(breach: &serde_saphyr::budget::BudgetBreach) -> (String, &'static str) {
    use serde_saphyr::budget::BudgetBreach as Breach;
    match breach {
        Breach::Aliases { .. }
        | Breach::Anchors { .. }
        | Breach::AliasAnchorRatio { .. }
        | Breach::RecordedAnchorEvents { .. }
        | Breach::RecordedAnchorBytes { .. }
        | Breach::MergeKeys { .. } => aliases(),
        Breach::Depth { .. } => (
            format!("the nesting is deeper than {MAX_DEPTH}"),
            "flatten the document",
        ),
        Breach::Documents { .. } => (
            "there is more than one YAML document".into(),
            "keep one document",
        ),
        Breach::Nodes { .. } | Breach::Events { .. } => (
            format!("there are more than {MAX_NODES} values"),
            "make the document smaller",
        ),
        _ => (
            "the document is larger than is accepted".into(),
            "make the document smaller",
        ),
    }
}

/// Whether what stands on a line, from 1, begins with the braces of a template's action, behind a key or not.
fn begins_action(text: &str, line: u32) -> bool {
    let index = usize::try_from(line)
        .ok()
        .and_then(|line| line.checked_sub(1));
    let line = index
        .and_then(|index| text.lines().nth(index))
        .unwrap_or_default();
    let entry = line.trim_start_matches([' ', '-']);
    let value = entry.split_once(": ").map_or(entry, |(_, value)| value);
    [entry, value.trim_start()]
        .iter()
        .any(|text| text.starts_with("{{"))
}

/// The slips that authors make most, and what to do about them; all others are told as the scanner does.
fn slip(kind: &ErrorKind) -> (String, &'static str) {
    let (cause, remedy) = match kind {
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => (
            "a quote is opened and not closed",
            "close it; a quote within single quotes is written twice (''), and within double quotes as \\\"",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            "text follows a quote that is closed",
            "quote the whole value",
        ),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidUnicodeEscape => (
            "a backslash in double quotes is followed by a character that it means nothing with",
            "write two backslashes, or use single quotes",
        ),
        ErrorKind::UnknownAnchor | ErrorKind::MissingAnchorOrAliasName => (
            "`*` or `&` begins the name of an alias or anchor, and there is none",
            "quote text that begins with `*` or `&`",
        ),
        ErrorKind::MappingValueNotAllowed => (
            "a `:` stands where no key can",
            "quote a value that has `: ` in it, and indent a key like those beside it",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "a line is neither a key with its value nor a part of the value above",
            "write `key: value`, with a space behind the colon, and close every quote and bracket above",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation => (
            "this line is not indented like those that it belongs to",
            "indent keys of one mapping, and the dashes of one list, by the same number of spaces",
        ),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => {
            ("a tab stands where YAML takes spaces alone", "write spaces")
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping => (
            "brackets do not match, or a comma between two entries is missing",
            "close every `[` and `{` with its own, write commas, or quote text that has brackets in it",
        ),
        ErrorKind::UnexpectedCharacter { .. } => (
            "no text begins with this character (such as `@`, `%` or a back-tick) without quotes",
            "quote the text",
        ),
        ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => (
            "text stands behind `|` or `>`",
            "begin the text on the next line, indented, or quote it",
        ),
        ErrorKind::InvalidBlockScalarIndent => (
            "a line of this text is not indented like its first one",
            "indent every line of it by as many spaces",
        ),
        other => return (scan_cause(other), "correct the YAML"),
    };
    (cause.to_owned(), remedy)
}

/// The scanner's texts are fixed, except for these, which may repeat what stands in the input.
fn scan_cause(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::Custom(_) | ErrorKind::InputIo { .. } | ErrorKind::InputDecoding { .. } => {
            "this is not well-formed YAML".into()
        }
        fixed => fixed.to_string(),
    }
}
