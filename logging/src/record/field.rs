//! The parts of a message as RFC 5424 section 6 wants them written: names, values, times, and where text may be cut.

use std::fmt::Write as _;

use time::OffsetDateTime;

/// Values in structured data are cut here, in bytes.
const VALUE_LIMIT: usize = 255;

/// One element of structured data (RFC 5424 section 6.3), escaped as it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element(pub(super) String);

impl Element {
    /// An element under a registered name, or under `name@number` with an enterprise number.
    pub fn new(id: &str) -> Self {
        Self(format!("[{}", parameter_name(id)))
    }

    /// The element with a further parameter; the value is cut at 255 bytes.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(' ');
        self.0.push_str(&parameter_name(name));
        self.0.push_str("=\"");
        let cut = value.floor_char_boundary(VALUE_LIMIT);
        for character in value[..cut].chars() {
            match character {
                '"' | '\\' | ']' => self.0.extend(['\\', character]),
                control if control.is_ascii_control() => escape(&mut self.0, control as u8),
                other => self.0.push(other),
            }
        }
        self.0.push('"');
        self
    }
}

/// Where to cut `bytes` at `room` or up to three bytes before, so that no UTF-8 character is torn.
pub(crate) fn cut(bytes: &[u8], room: usize) -> usize {
    let is_boundary = |at: &usize| {
        bytes
            .get(*at)
            .is_none_or(|octet| octet & 0b1100_0000 != 0b1000_0000)
    };
    let room = room.min(bytes.len());
    (room.saturating_sub(3).max(1)..=room)
        .rev()
        .find(is_boundary)
        .unwrap_or(room)
}

/// TIMESTAMP in UTC with microseconds; nil for years that it cannot tell.
pub(super) fn timestamp(time: OffsetDateTime) -> String {
    let Some(utc) = time
        .checked_to_offset(time::UtcOffset::UTC)
        .filter(|utc| (0..=9999).contains(&utc.year()))
    else {
        return "-".to_owned();
    };
    let (hour, minute, second, micro) = utc.time().as_hms_micro();
    let (year, month, day) = (utc.year(), u8::from(utc.month()), utc.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micro:06}Z")
}

/// A header field: PRINTUSASCII, at most `limit` characters, `-` where there is nothing.
pub(super) fn header(text: &str, limit: usize) -> String {
    let printable = |character: char| {
        if character.is_ascii_graphic() {
            character
        } else {
            '_'
        }
    };
    let field: String = text.chars().take(limit).map(printable).collect();
    if field.is_empty() {
        "-".to_owned()
    } else {
        field
    }
}

/// SD-NAME: a header field of 32 characters at most without `=`, `]` and `"`.
fn parameter_name(text: &str) -> String {
    header(text, 32).replace(['=', ']', '"'], "_")
}

pub(super) fn is_escaped(octet: u8) -> bool {
    octet.is_ascii_control() && octet != b'\t'
}

/// `#ooo`, as rsyslog writes control characters.
fn escape(text: &mut String, octet: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "#{octet:03o}");
}

pub(super) fn escaped(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len());
    for octet in message {
        if is_escaped(*octet) {
            out.extend_from_slice(format!("#{octet:03o}").as_bytes());
        } else {
            out.push(*octet);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn names_become_printable_ascii_of_the_lengths_of_the_rfc() {
        let cases = [
            ("web", 48, "web"),
            ("", 48, "-"),
            ("two words", 48, "two_words"),
            ("naïve\n", 48, "na_ve_"),
            ("abcdef", 3, "abc"),
        ];
        for (text, limit, expected) in cases {
            assert_eq!(header(text, limit), expected, "{text:?}");
        }
    }

    #[test]
    fn control_characters_neither_break_lines_nor_drive_terminals() {
        assert_eq!(
            escaped(b"a\nb\x1b[31m\tc\x7f\0"),
            b"a#012b#033[31m\tc#177#000"
        );
        assert_eq!(escaped(b"\xff\xfe #"), b"\xff\xfe #");
    }

    #[test]
    fn times_that_cannot_be_told_are_nil() {
        assert_eq!(timestamp(datetime!(-0044-03-15 12:00 UTC)), "-");
        assert_eq!(timestamp(datetime!(9999-12-31 23:59 -05:00)), "-");
    }

    #[test]
    fn a_piece_never_ends_inside_of_a_character() {
        assert_eq!(cut("ab€".as_bytes(), 4), 2);
        assert_eq!(cut("ab€".as_bytes(), 5), 5);
        assert_eq!(cut(&[0x80; 9], 5), 5, "what is no UTF-8 is cut where it is");
    }
}
