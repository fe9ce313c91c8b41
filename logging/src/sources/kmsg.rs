//! The kernel's messages as records, from `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg).
//!
//! Times are the kernel's own, put onto the guest's clock. Messages that the kernel overwrote before they could be
//! read are counted and told as a line of their own. This module never writes to the kernel's log.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::time::{ClockId, clock_gettime};
use time::{Duration, OffsetDateTime};
use tokio::net::unix::pipe::Receiver;

use crate::error::LoggingError;
use crate::record::{Facility, Origin, Record, Severity};
use crate::shipper::Logger;

/// Where the kernel offers its messages, one for each read.
pub const PATH: &str = "/dev/kmsg";

/// Longer than any record that the kernel makes (it refuses to read one into less).
const READ: usize = 16 * 1024;

/// Logs the kernel's messages from the oldest that it still holds, until the source ends (`/dev/kmsg` never does).
/// `origin` names host and sender (`kernel`); its facility gives way to each message's own.
pub async fn forward(path: &Path, origin: &Origin, logger: &Logger) -> Result<(), LoggingError> {
    let failed = |error| LoggingError::Source {
        name: path.display().to_string(),
        error,
    };
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        // Not a pipe, yet polled and read like one; only reads that spend the readiness on EAGAIN alone fit a source that
        // gives one message at a time, which is `try_read` and not `AsyncRead`.
        .and_then(Receiver::from_file_unchecked)
        .map_err(failed)?;
    let mut expected = None;
    let mut buffer = vec![0; READ];
    loop {
        let count = match read(&file, &mut buffer).await {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            // The kernel's way of saying that it has overwritten what would have come next; the gap in the numbers
            // tells how much.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => continue,
            Err(error) => return Err(failed(error)),
        };
        for message in buffer[..count]
            .split(|octet| *octet == b'\n')
            .filter_map(Message::parse)
        {
            let now = OffsetDateTime::now_utc();
            if let Some(lost) = gap(expected, message.sequence) {
                let text =
                    format!("{lost} kernel messages were overwritten before they could be read");
                logger
                    .log(Record::new(
                        &origin.with_facility(Facility::DAEMON),
                        Severity::Warning,
                        now,
                        text,
                    ))
                    .await?;
            }
            expected = Some(message.sequence.wrapping_add(1));
            logger.log(message.record(origin, now, uptime())).await?;
        }
    }
}

async fn read(file: &Receiver, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        file.readable().await?;
        match file.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

/// Time since boot on the clock that the kernel stamps its messages with.
fn uptime() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec, i32::try_from(now.tv_nsec).unwrap_or(0))
}

/// How many messages are missing before this one.
fn gap(expected: Option<u64>, sequence: u64) -> Option<u64> {
    expected
        .and_then(|expected| sequence.checked_sub(expected))
        .filter(|missing| *missing > 0)
}

/// One message of the kernel.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    facility: Facility,
    severity: Severity,
    sequence: u64,
    /// Since boot.
    microseconds: u64,
    text: Vec<u8>,
}

impl Message {
    /// Reads `priority,sequence,microseconds,flags[,...];text`. Other lines (the dictionary, which starts with a
    /// space) are no messages.
    fn parse(line: &[u8]) -> Option<Self> {
        let semicolon = line.iter().position(|octet| *octet == b';')?;
        let mut fields = std::str::from_utf8(&line[..semicolon]).ok()?.split(',');
        let priority: u32 = fields.next()?.parse().ok()?;
        let sequence = fields.next()?.parse().ok()?;
        let microseconds = fields.next()?.parse().ok()?;
        fields.next()?;
        let facility = u8::try_from(priority >> 3)
            .ok()
            .and_then(Facility::new)
            .unwrap_or(Facility::USER);
        let severity = Severity::of_priority((priority & 7) as u8);
        Some(Self {
            facility,
            severity,
            sequence,
            microseconds,
            text: unescaped(&line[semicolon + 1..]),
        })
    }

    /// The record of this message, `now` being `uptime` after boot.
    fn record(self, origin: &Origin, now: OffsetDateTime, uptime: Duration) -> Record {
        let stamp = i64::try_from(self.microseconds).map_or(uptime, Duration::microseconds);
        let time = now.checked_sub(uptime.saturating_sub(stamp)).unwrap_or(now);
        Record::new(
            &origin.with_facility(self.facility),
            self.severity,
            time,
            self.text,
        )
    }
}

/// The text with the kernel's `\xHH` turned back into bytes.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let escape = after
            .strip_prefix(b"x")
            .and_then(|hex| hex.get(..2))
            .filter(|_| *first == b'\\');
        let octet =
            escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        out.push(octet.unwrap_or(*first));
        rest = if octet.is_some() { &after[3..] } else { after };
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use time::macros::datetime;

    #[test]
    fn messages_are_read_as_the_kernel_writes_them() {
        let message =
            Message::parse(b"30,339,5140900,-;NET: Registered\\x0aproto\\x5c col").unwrap();
        assert_eq!(
            (message.facility, message.severity),
            (Facility::DAEMON, Severity::Informational)
        );
        assert_eq!((message.sequence, message.microseconds), (339, 5_140_900));
        assert_eq!(message.text, b"NET: Registered\nproto\\ col");
        assert_eq!(Message::parse(b"6,1,2,c,caller=T1;x").unwrap().text, b"x");
    }

    #[test]
    fn what_is_no_message_is_passed_over() {
        for line in [
            &b" SUBSYSTEM=pci"[..],
            b"",
            b";",
            b"6,1;x",
            b"6,1,2;x",
            b"a,1,2,-;x",
            b"-1,1,2,-;x",
        ] {
            assert_eq!(Message::parse(line), None, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn gaps_in_the_numbers_are_what_was_overwritten() {
        assert_eq!(
            [
                gap(None, 9),
                gap(Some(4), 4),
                gap(Some(4), 9),
                gap(Some(9), 4)
            ],
            [None, None, Some(5), None]
        );
    }

    #[test]
    fn times_since_boot_become_times_of_day() {
        let message = Message::parse(b"6,1,2000000,-;x").unwrap();
        let origin = Origin::new(Facility::KERNEL, "guest", "kernel", "");
        let record = message.record(
            &origin,
            datetime!(2026-11-21 12:00:10 UTC),
            Duration::seconds(10),
        );
        let expected = Record::new(
            &origin,
            Severity::Informational,
            datetime!(2026-11-21 12:00:02 UTC),
            "x",
        );
        assert_eq!(record, expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_a_panic(line in proptest::collection::vec(any::<u8>(), 0..200), stamp in any::<u64>()) {
            if let Some(mut message) = Message::parse(&[b"6,1,2,-;", line.as_slice()].concat()) {
                prop_assert!(message.text.len() <= line.len());
                message.microseconds = stamp;
                let origin = Origin::new(Facility::KERNEL, "guest", "kernel", "");
                message.record(&origin, datetime!(2026-11-21 12:00 UTC), Duration::seconds(10));
            }
        }
    }
}
