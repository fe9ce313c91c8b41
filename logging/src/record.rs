//! A log record and its bytes on the wire: RFC 5424 messages in the octet-counted frames of RFC 5425.
//!
//! * **Header fields** are printable US-ASCII without spaces, cut at the lengths of RFC 5424 section 6; anything else
//!   becomes `_`, nothing at all becomes `-`.
//! * **Messages** are sent as MSG-ANY, without a byte order mark: nobody has declared the encoding of a workload's
//!   output, collectors keep the mark as text, and so every octet from 0x80 up goes through as it came. Control
//!   characters other than the tab are written in octal after a number sign (`#012` for a newline), as rsyslog writes
//!   them, so that no line can pretend to be two and none can drive a terminal.
//! * **Long messages** are split, never cut off: a record whose MSGID ends in `+` goes on in the next one of the same
//!   sender. No piece ends inside of a UTF-8 character.
//! * **Numbers**: every message carries `[meta sequenceId="N"]` (RFC 5424 section 7.3.1), so a collector can see what
//!   came twice and that nothing is missing.
//!
//! This module never reads a clock; the time is a parameter.

mod field;
mod priority;

use std::fmt::Write as _;
use std::sync::Arc;

use time::OffsetDateTime;

pub use field::Element;
pub(crate) use field::cut;
use field::{escaped, header, is_escaped, timestamp};
pub use priority::{Facility, Severity};

/// The longest message in bytes, without its frame: what a collector should take by RFC 5425 section 4.3.1, and where
/// rsyslog cuts by default.
pub const MESSAGE_LIMIT: usize = 8192;

/// Sequence numbers go from 1 to here and start again (RFC 5424 section 7.3.1).
const LAST_SEQUENCE: u32 = 2_147_483_647;
/// However long the header is, a piece of a message is not shorter than this.
const LEAST_PIECE: usize = 256;

/// Who speaks: facility, HOSTNAME, APP-NAME and PROCID, sanitised once and cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    facility: Facility,
    names: Arc<str>,
}

impl Origin {
    /// An origin; an empty name stands for an unknown one.
    pub fn new(facility: Facility, hostname: &str, app_name: &str, process: &str) -> Self {
        let names = format!(
            "{} {} {}",
            header(hostname, 255),
            header(app_name, 48),
            header(process, 128)
        );
        Self {
            facility,
            names: names.into(),
        }
    }

    /// The same names under another facility.
    #[must_use]
    pub fn with_facility(&self, facility: Facility) -> Self {
        Self {
            facility,
            names: Arc::clone(&self.names),
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    origin: Origin,
    severity: Severity,
    time: OffsetDateTime,
    message_id: String,
    elements: Vec<Element>,
    message: Vec<u8>,
    continues: bool,
}

impl Record {
    /// A record of a message, in any encoding and of any length, without its final newline.
    pub fn new(
        origin: &Origin,
        severity: Severity,
        time: OffsetDateTime,
        message: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            origin: origin.clone(),
            severity,
            time,
            message_id: String::new(),
            elements: Vec::new(),
            message: message.into(),
            continues: false,
        }
    }

    /// The record with a MSGID, such as a message code of the catalogue.
    #[must_use]
    pub fn with_message_id(mut self, id: &str) -> Self {
        // One place is kept for the mark of a record that goes on.
        self.message_id = if id.is_empty() {
            String::new()
        } else {
            header(id, 31)
        };
        self
    }

    /// The record with one more element of structured data.
    #[must_use]
    pub fn with_element(mut self, element: Element) -> Self {
        self.elements.push(element);
        self
    }

    /// The record marked as one whose line goes on in the sender's next record.
    #[must_use]
    pub fn continued(mut self) -> Self {
        self.continues = true;
        self
    }

    /// About the memory that the record takes once encoded, in bytes; never less than that.
    pub(crate) fn size(&self) -> usize {
        let escapes = self
            .message
            .iter()
            .filter(|octet| is_escaped(**octet))
            .count();
        let message = self.message.len() + 3 * escapes;
        let structured: usize = self
            .elements
            .iter()
            .map(|element| element.0.len() + 1)
            .sum();
        let header = 160 + self.origin.names.len() + self.message_id.len() + structured;
        let pieces = message / MESSAGE_LIMIT.saturating_sub(header).max(LEAST_PIECE) + 1;
        message + pieces * (header + 4)
    }

    /// The octet-counted frames of this record, numbered on from `sequence`, none of whose messages is longer than
    /// `limit` (unless the header alone nearly is).
    pub(crate) fn frames(&self, sequence: &mut Sequence, limit: usize) -> Vec<Vec<u8>> {
        let message = escaped(&self.message);
        let mut rest = message.as_slice();
        let mut frames = Vec::with_capacity(1);
        loop {
            let number = sequence.next();
            let whole = self.head(number, self.continues);
            if whole.len() + 1 + rest.len() <= limit {
                frames.push(frame(&whole, rest));
                return frames;
            }
            let head = self.head(number, true);
            let room = limit.saturating_sub(head.len() + 1).max(LEAST_PIECE);
            if rest.len() <= room {
                frames.push(frame(&whole, rest));
                return frames;
            }
            let (piece, after) = rest.split_at(cut(rest, room));
            frames.push(frame(&head, piece));
            rest = after;
        }
    }

    /// HEADER SP STRUCTURED-DATA.
    fn head(&self, number: u32, continues: bool) -> String {
        let priority = u16::from(self.origin.facility.0) * 8 + self.severity as u16;
        let mut head = format!(
            "<{priority}>1 {} {} ",
            timestamp(self.time),
            self.origin.names
        );
        head.push_str(&self.message_id);
        match (continues, self.message_id.is_empty()) {
            (true, _) => head.push('+'),
            (false, true) => head.push('-'),
            (false, false) => {}
        }
        // Writing to a String cannot fail.
        let _ = write!(head, " [meta sequenceId=\"{number}\"]");
        for element in &self.elements {
            head.push_str(&element.0);
            head.push(']');
        }
        head
    }
}

/// Counts the messages of one sender, from 1.
#[derive(Debug, Default)]
pub(crate) struct Sequence(u32);

impl Sequence {
    fn next(&mut self) -> u32 {
        self.0 = if self.0 >= LAST_SEQUENCE {
            1
        } else {
            self.0 + 1
        };
        self.0
    }
}

/// MSG-LEN SP SYSLOG-MSG (RFC 5425 section 4.3).
fn frame(head: &str, message: &[u8]) -> Vec<u8> {
    let separator: &[u8] = if message.is_empty() { b"" } else { b" " };
    let length = head.len() + separator.len() + message.len();
    [
        length.to_string().as_bytes(),
        b" ",
        head.as_bytes(),
        separator,
        message,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    fn at_noon(message: &[u8]) -> Record {
        let origin = Origin::new(Facility::DAEMON, "guest-1", "hpcr-init", "1");
        Record::new(
            &origin,
            Severity::Informational,
            datetime!(2026-11-21 12:00:00.001_002 +02:00),
            message,
        )
    }

    fn only_frame(record: &Record) -> String {
        let frames = record.frames(&mut Sequence::default(), MESSAGE_LIMIT);
        assert_eq!(frames.len(), 1);
        String::from_utf8(frames.into_iter().next().unwrap()).unwrap()
    }

    /// A reader of frames written from the RFCs, not from the writer above: (MSGID, sequence, MSG) of each frame.
    fn read(mut wire: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
        let mut messages = Vec::new();
        while !wire.is_empty() {
            let space = wire
                .iter()
                .position(|octet| *octet == b' ')
                .expect("MSG-LEN ends");
            let length: usize = std::str::from_utf8(&wire[..space])
                .unwrap()
                .parse()
                .expect("MSG-LEN is a number");
            let message = &wire[space + 1..space + 1 + length];
            wire = &wire[space + 1 + length..];
            let fields: Vec<&[u8]> = message.splitn(7, |octet| *octet == b' ').collect();
            assert!(
                fields[..6]
                    .iter()
                    .all(|field| !field.is_empty() && field.iter().all(u8::is_ascii_graphic))
            );
            let (mut at, mut quoted, mut depth) = (0, false, 0);
            while depth > 0 || fields[6].get(at) == Some(&b'[') {
                match fields[6][at] {
                    b'\\' if quoted => at += 1,
                    b'"' => quoted = !quoted,
                    b'[' if !quoted => depth += 1,
                    b']' if !quoted => depth -= 1,
                    _ => {}
                }
                at += 1;
            }
            let structured =
                std::str::from_utf8(&fields[6][..at]).expect("structured data is UTF-8");
            let number = structured
                .strip_prefix("[meta sequenceId=\"")
                .unwrap()
                .split('"')
                .next()
                .unwrap();
            let text = match fields[6].get(at) {
                None => Vec::new(),
                Some(octet) => {
                    assert_eq!(*octet, b' ');
                    fields[6][at + 1..].to_vec()
                }
            };
            messages.push((
                String::from_utf8(fields[5].to_vec()).unwrap(),
                number.parse().unwrap(),
                text,
            ));
        }
        messages
    }

    #[test]
    fn a_record_reads_as_the_rfc_prints_it() {
        let record = at_noon("grüß Gott".as_bytes()).with_message_id("HPL10001I");
        assert_eq!(
            only_frame(&record),
            "97 <30>1 2026-11-21T10:00:00.001002Z guest-1 hpcr-init 1 HPL10001I [meta sequenceId=\"1\"] grüß Gott"
        );
    }

    #[test]
    fn an_empty_message_ends_after_its_structured_data() {
        assert!(only_frame(&at_noon(b"")).ends_with(" - [meta sequenceId=\"1\"]"));
    }

    #[test]
    fn structured_data_is_escaped() {
        let element = Element::new("exa]mple@32473").with("a=b", "say \"]\\\" \n é");
        let text = only_frame(&at_noon(b"x").with_element(element));
        assert!(
            text.contains(r#"[meta sequenceId="1"][exa_mple@32473 a_b="say \"\]\\\" #012 é"] x"#),
            "{text}"
        );
    }

    #[test]
    fn sequence_numbers_start_again_at_one() {
        let mut sequence = Sequence(LAST_SEQUENCE - 1);
        assert_eq!((sequence.next(), sequence.next()), (LAST_SEQUENCE, 1));
    }

    proptest! {
        #[test]
        fn pieces_join_to_the_message_and_keep_to_the_limit(
            message in proptest::collection::vec(any::<u8>(), 0..5000),
            app in any::<String>(),
            id in any::<String>(),
            value in any::<String>(),
            limit in 1024usize..4096,
            continues in any::<bool>(),
        ) {
            let origin = Origin::new(Facility::USER, "guest", &app, "");
            let mut record = Record::new(&origin, Severity::Error, datetime!(2026-11-21 12:00 UTC), message.clone())
                .with_message_id(&id)
                .with_element(Element::new("x@1").with("v", &value));
            if continues {
                record = record.continued();
            }
            let frames = record.frames(&mut Sequence::default(), limit);
            let longest = frames.iter().map(Vec::len).max().unwrap();
            prop_assert!(longest <= limit.max(256 * 6) + 5, "{longest}");
            let parsed = read(&frames.concat());
            prop_assert_eq!(parsed.len(), frames.len());
            let joined: Vec<u8> = parsed.iter().flat_map(|(_, _, text)| text.clone()).collect();
            prop_assert_eq!(joined, escaped(&message));
            let (last, before) = parsed.split_last().unwrap();
            prop_assert!(before.iter().all(|(id, _, _)| id.ends_with('+')));
            prop_assert!(!continues || last.0.ends_with('+'));
            let numbers: Vec<u32> = parsed.iter().map(|(_, number, _)| *number).collect();
            prop_assert_eq!(numbers, (1..=u32::try_from(frames.len()).unwrap()).collect::<Vec<_>>());
        }

        #[test]
        fn the_size_of_a_record_covers_its_frames(message in proptest::collection::vec(any::<u8>(), 0..30_000)) {
            let record = at_noon(&message);
            let frames = record.frames(&mut Sequence::default(), MESSAGE_LIMIT);
            prop_assert!(frames.iter().map(Vec::len).sum::<usize>() <= record.size());
        }
    }
}
