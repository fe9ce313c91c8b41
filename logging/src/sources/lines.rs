//! The output of a container (any byte stream) as records, one for each line.
//!
//! Lines may be of any encoding and length: memory is bounded, a longer line becomes several records marked as going
//! on, and what stands after the last newline is a line too. Nothing but the newline (and a carriage return right
//! before it) is taken away. This module never reads faster than the log takes its lines.

use time::OffsetDateTime;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::error::LoggingError;
use crate::record::{Origin, Record, Severity, cut};
use crate::shipper::Logger;

/// The most of a line that is held, in bytes.
const LINE_LIMIT: usize = 32 * 1024;
/// How much is read at a time, in bytes.
const READ: usize = 16 * 1024;

/// Logs every line of `reader` until its end; `name` says in errors whose stream this is.
pub async fn forward(
    mut reader: impl AsyncRead + Unpin,
    name: &str,
    origin: &Origin,
    severity: Severity,
    logger: &Logger,
) -> Result<(), LoggingError> {
    let mut lines = Lines::new(LINE_LIMIT);
    let mut chunk = vec![0; READ];
    loop {
        let end = reader.read(&mut chunk).await;
        let found = match &end {
            Ok(0) | Err(_) => lines.finish(),
            Ok(count) => lines.push(&chunk[..*count]),
        };
        let now = OffsetDateTime::now_utc();
        for line in found {
            let record = Record::new(origin, severity, now, line.bytes);
            logger
                .log(if line.continues {
                    record.continued()
                } else {
                    record
                })
                .await?;
        }
        match end {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                return Err(LoggingError::Source {
                    name: name.to_owned(),
                    error,
                });
            }
        }
    }
}

/// A line or a piece of one, without its newline.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    bytes: Vec<u8>,
    continues: bool,
}

/// Cuts a byte stream into lines.
#[derive(Debug)]
struct Lines {
    partial: Vec<u8>,
    limit: usize,
}

impl Lines {
    fn new(limit: usize) -> Self {
        Self {
            partial: Vec::new(),
            limit,
        }
    }

    /// The lines that end in `chunk`, and the pieces of the one that grows too long.
    fn push(&mut self, chunk: &[u8]) -> Vec<Line> {
        let mut found = Vec::new();
        for part in chunk.split_inclusive(|octet| *octet == b'\n') {
            self.partial.extend_from_slice(part);
            if self.partial.pop_if(|last| *last == b'\n').is_some() {
                self.partial.pop_if(|last| *last == b'\r');
                self.cut_long(&mut found);
                found.push(Line {
                    bytes: std::mem::take(&mut self.partial),
                    continues: false,
                });
            } else {
                self.cut_long(&mut found);
            }
        }
        found
    }

    /// What stands after the last newline, where something does.
    fn finish(&mut self) -> Vec<Line> {
        let rest = std::mem::take(&mut self.partial);
        if rest.is_empty() {
            Vec::new()
        } else {
            vec![Line {
                bytes: rest,
                continues: false,
            }]
        }
    }

    fn cut_long(&mut self, found: &mut Vec<Line>) {
        while self.partial.len() > self.limit {
            let rest = self.partial.split_off(cut(&self.partial, self.limit));
            found.push(Line {
                bytes: std::mem::replace(&mut self.partial, rest),
                continues: true,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Case<'a> = (&'a [&'a [u8]], &'a [(&'a [u8], bool)]);

    fn split(chunks: &[&[u8]], limit: usize) -> Vec<(Vec<u8>, bool)> {
        let mut lines = Lines::new(limit);
        let mut found: Vec<Line> = chunks.iter().flat_map(|chunk| lines.push(chunk)).collect();
        found.extend(lines.finish());
        found
            .into_iter()
            .map(|line| (line.bytes, line.continues))
            .collect()
    }

    #[test]
    fn lines_are_found_wherever_the_stream_is_cut() {
        let cases: &[Case] = &[
            (&[b"one\ntwo\n"], &[(b"one", false), (b"two", false)]),
            (&[b"on", b"e\n", b"\n"], &[(b"one", false), (b"", false)]),
            (&[b"no newline"], &[(b"no new", true), (b"line", false)]),
            (
                &[b"dos\r", b"\nmac\rend"],
                &[(b"dos", false), (b"mac\ren", true), (b"d", false)],
            ),
            (&[b"123456", b"\n"], &[(b"123456", false)]),
            (&[b"1234567\n"], &[(b"123456", true), (b"7", false)]),
            (
                &["1234€\n".as_bytes()],
                &[(b"1234", true), ("€".as_bytes(), false)],
            ),
            (&[b"\xff\xfe\n"], &[(b"\xff\xfe", false)]),
            (&[b""], &[]),
        ];
        for (chunks, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(bytes, continues)| (bytes.to_vec(), *continues))
                .collect();
            assert_eq!(split(chunks, 6), expected, "{chunks:?}");
        }
    }

    proptest! {
        #[test]
        fn joined_lines_are_the_stream(
            chunks in proptest::collection::vec(proptest::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'\n')], 0..40), 0..20),
        ) {
            let stream: Vec<u8> = chunks.concat().into_iter().filter(|octet| *octet != b'\r').collect();
            let chunks: Vec<Vec<u8>> = chunks.into_iter().map(|chunk| chunk.into_iter().filter(|octet| *octet != b'\r').collect()).collect();
            let parts: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            let mut joined = Vec::new();
            for (bytes, continues) in split(&parts, 8) {
                prop_assert!(bytes.len() <= 8);
                joined.extend(bytes);
                if !continues {
                    joined.push(b'\n');
                }
            }
            if !stream.is_empty() && !stream.ends_with(b"\n") {
                joined.pop();
            }
            prop_assert_eq!(joined, stream);
        }
    }
}
