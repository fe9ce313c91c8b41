//! What the YAML parser complains of, in our own words: its own texts may quote the input.

use serde_saphyr::Error;
use serde_saphyr::granit_parser::ErrorKind;
use serde_saphyr::localizer::ExternalMessageSource;

use super::{MAX_DEPTH, MAX_NODES, Origin, narrow, node};
use crate::finding::Finding;

/// The finding for an error of the parser.
pub(super) fn finding(error: &Error, origin: &Origin) -> Finding {
    let (cause, remedy) = match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => (
            format!("the key `{key}` stands twice in one mapping"),
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
            ExternalMessageSource::Parser(scan) => (scan_cause(scan.kind()), "correct the YAML"),
            _ => ("this is not well-formed YAML".into(), "correct the YAML"),
        },
        _ => ("this is not well-formed YAML".into(), "correct the YAML"),
    };
    let position = error
        .location()
        .map_or((0, 0), |at| (narrow(at.line()), narrow(at.column())));
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

/// The scanner's texts are fixed, except for these, which repeat characters of the input.
fn scan_cause(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::UnexpectedCharacter { .. } => "an unexpected character stands here".into(),
        ErrorKind::Custom(_) | ErrorKind::InputIo { .. } | ErrorKind::InputDecoding { .. } => {
            "this is not well-formed YAML".into()
        }
        fixed => fixed.to_string(),
    }
}
