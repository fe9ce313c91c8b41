//! What the guest says: a line goes to the console, which the host reads, and to the collector, once there is one. Until
//! then lines are kept, so that the collector gets the boot from its first line.
//!
//! Two texts may differ: the console's holds no value of a contract. No line can move a terminal's cursor.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hpcr_contract::disclosure::{Told, printable};
use hpcr_contract::messages::{self, Code};
use hpcr_logging::Logger;
use hpcr_logging::record::{Origin, Record, Severity};
use rustix::time::{ClockId, clock_gettime};
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

use crate::printer::Printer;

/// Lines that are kept for the collector; a boot has some fifty.
const KEPT: usize = 1000;
/// The longest line, in characters.
const LONGEST: usize = 1200;

/// A line for the collector.
#[derive(Debug, Clone)]
struct Line {
    time: OffsetDateTime,
    code: Option<Code>,
    severity: messages::Severity,
    text: String,
}

enum Way {
    /// There is no collector yet.
    Kept(VecDeque<Line>),
    /// To the task that feeds the log.
    Sent(mpsc::UnboundedSender<Parcel>),
}

enum Parcel {
    Line(Line),
    Drained(oneshot::Sender<()>),
}

/// The console.
pub(crate) struct Console {
    printer: Printer,
    way: Mutex<Way>,
}

impl Console {
    pub(crate) fn new(sink: impl Write + Send + 'static) -> Self {
        Self {
            printer: Printer::new(sink),
            way: Mutex::new(Way::Kept(VecDeque::new())),
        }
    }

    /// A message of the catalogue: `HPL14000I: the network is ready: eth0`.
    pub(crate) fn say(&self, code: Code, detail: &str) {
        let text = code.entry().map_or("", |entry| entry.text);
        let separator = if detail.is_empty() { "" } else { ": " };
        let told = Told {
            code,
            text: format!("{text}{separator}{detail}"),
        };
        self.tell(std::slice::from_ref(&told), std::slice::from_ref(&told));
    }

    /// Lines with one text for the console and one for the collector.
    pub(crate) fn tell(&self, public: &[Told], full: &[Told]) {
        for told in public {
            self.print(&told.to_string());
        }
        for told in full {
            self.ship(Line {
                time: OffsetDateTime::now_utc(),
                code: Some(told.code),
                severity: severity(told.code),
                text: told.to_string(),
            });
        }
    }

    /// A line without a code: `hpcr-init: ...`. Its text is public.
    pub(crate) fn note(&self, text: &str) {
        self.print(&format!("hpcr-init: {text}"));
        self.keep(messages::Severity::Info, text);
    }

    /// A line for the collector alone.
    pub(crate) fn keep(&self, severity: messages::Severity, text: &str) {
        self.ship(Line {
            time: OffsetDateTime::now_utc(),
            code: None,
            severity,
            text: text.to_owned(),
        });
    }

    /// From now on lines go to the collector; first those that were kept. Needs a tokio runtime.
    pub(crate) fn attach(&self, logger: Logger, origin: Origin) {
        let (sender, parcels) = mpsc::unbounded_channel();
        let mut way = self.locked();
        if let Way::Kept(lines) = &mut *way {
            for line in std::mem::take(lines) {
                // The receiver is in this very scope.
                let _ = sender.send(Parcel::Line(line));
            }
        }
        *way = Way::Sent(sender);
        drop(way);
        tokio::spawn(feed(parcels, logger, origin));
    }

    /// Waits until the log has taken every line so far, where there is one.
    pub(crate) async fn drain(&self) {
        let (done, drained) = oneshot::channel();
        let is_asked = match &*self.locked() {
            Way::Sent(sender) => sender.send(Parcel::Drained(done)).is_ok(),
            Way::Kept(_) => false,
        };
        if is_asked {
            // A feeder that ends before it answers holds nothing any more.
            let _ = drained.await;
        }
    }

    /// Waits until every line so far is on the console, for no longer than `limit`.
    pub(crate) fn flush(&self, limit: Duration) {
        self.printer.flush(limit);
    }

    fn print(&self, text: &str) {
        self.printer.print(printable(text, LONGEST));
    }

    fn ship(&self, line: Line) {
        match &mut *self.locked() {
            Way::Kept(lines) => {
                if lines.len() == KEPT {
                    lines.pop_front();
                }
                lines.push_back(line);
            }
            // A feeder that has ended is a log that was closed: nobody listens any more.
            Way::Sent(sender) => drop(sender.send(Parcel::Line(line))),
        }
    }

    fn locked(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn feed(mut parcels: mpsc::UnboundedReceiver<Parcel>, logger: Logger, origin: Origin) {
    while let Some(parcel) = parcels.recv().await {
        match parcel {
            Parcel::Line(line) => {
                let record =
                    Record::new(&origin, Severity::from(line.severity), line.time, line.text);
                let code = line.code.map(|code| code.to_string()).unwrap_or_default();
                if logger.log(record.with_message_id(&code)).await.is_err() {
                    return;
                }
            }
            // Whoever does not wait any more needs no answer.
            Parcel::Drained(done) => drop(done.send(())),
        }
    }
}

/// `HPL12005E` informs, whatever its letter.
fn severity(code: Code) -> messages::Severity {
    if code == messages::CONTRACT_VALID {
        messages::Severity::Info
    } else {
        code.severity()
    }
}

/// Time since the kernel started.
pub(crate) fn uptime() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(
        now.tv_sec.try_into().unwrap_or(0),
        now.tv_nsec.try_into().unwrap_or(0),
    )
}

/// Seconds with milliseconds: `1.234 s`.
pub(crate) fn seconds(time: Duration) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(text, "{}.{:03} s", time.as_secs(), time.subsec_millis());
    text
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Arc;

    /// A console to look at.
    #[derive(Debug, Default, Clone)]
    pub(crate) struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Screen {
        pub(crate) fn lines(&self) -> Vec<String> {
            let bytes = self.0.lock().unwrap();
            let text = String::from_utf8(bytes.clone()).unwrap();
            text.lines().map(str::to_owned).collect()
        }
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A console whose host has stopped reading.
    #[derive(Debug)]
    pub(crate) struct Stuck;

    impl Write for Stuck {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            loop {
                std::thread::park();
            }
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_message_is_its_code_its_text_and_its_cause() {
        let screen = Screen::default();
        let console = Console::new(screen.clone());
        console.say(messages::SERVICE_SUCCESS, "");
        console.say(messages::NETWORK_READY, "eth0");
        console.note("phase early 1/13 done");
        console.flush(Duration::from_secs(5));
        assert_eq!(
            screen.lines(),
            [
                "HPL10001I: all services started successfully",
                "HPL14000I: the network is ready: eth0",
                "hpcr-init: phase early 1/13 done",
            ]
        );
    }

    #[test]
    fn no_line_moves_the_cursor_or_floods() {
        let screen = Screen::default();
        let console = Console::new(screen.clone());
        console.note(&format!("\u{1b}[2J\r\nHPL10001I{}", "x".repeat(1 << 20)));
        console.flush(Duration::from_secs(5));
        let lines = screen.lines();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].chars().count(), LONGEST);
        assert!(lines[0].starts_with("hpcr-init: \u{fffd}[2J\u{fffd}\u{fffd}HPL10001I"));
    }

    #[test]
    fn times_are_seconds_with_milliseconds() {
        assert_eq!(seconds(Duration::from_micros(1_234_999)), "1.234 s");
        assert_eq!(seconds(Duration::from_millis(7)), "0.007 s");
    }
}
