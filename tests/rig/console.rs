//! A guest's console: every line with the time it came, for waiting, for the timeline, and for saying what went wrong.

use std::{
    fmt,
    io::{BufRead as _, BufReader, Read},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{Error, Result, wait};

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// Since QEMU was started.
    pub at: Duration,
    /// Without line break and terminal sequences.
    pub text: String,
}

/// Everything that a guest wrote so far.
#[derive(Debug, Clone)]
pub struct Console {
    lines: Arc<Mutex<Vec<Line>>>,
    ended: Arc<AtomicBool>,
}

impl Console {
    /// Reads `source` in the background until it ends, and calls `watch` with each line as it comes.
    pub fn follow(
        source: impl Read + Send + 'static,
        started: Instant,
        mut watch: impl FnMut(&Line) + Send + 'static,
    ) -> Self {
        let console = Self {
            lines: Arc::default(),
            ended: Arc::default(),
        };
        let ours = console.clone();
        thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut bytes = Vec::new();
            // A console that cannot be read any more has ended.
            while source
                .read_until(b'\n', &mut bytes)
                .is_ok_and(|length| length > 0)
            {
                let line = Line {
                    at: started.elapsed(),
                    text: clean(&bytes),
                };
                watch(&line);
                ours.locked().push(line);
                bytes.clear();
            }
            ours.ended.store(true, Ordering::Release);
        });
        console
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<Line> {
        self.locked().clone()
    }

    /// Whether nothing can come any more, since QEMU has closed it.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Waits for a line with `text` in it.
    ///
    /// # Errors
    /// [`crate::Error::TooLate`] with the whole console.
    pub fn wait_for(&self, text: &str, limit: Duration) -> Result<Line> {
        let what = format!("`{text}` on the console");
        let found = || {
            let ended = self.has_ended();
            let found = self
                .locked()
                .iter()
                .find(|line| line.text.contains(text))
                .cloned();
            // Nobody waits for what cannot come any more.
            if found.is_none() && ended {
                return Err(Error::TooLate {
                    what: what.clone(),
                    limit,
                    hint: "; the guest has ended".into(),
                });
            }
            Ok(found)
        };
        wait::until(&what, limit, found).map_err(|error| error.with_hint(&self.to_string()))
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines()
            .iter()
            .try_for_each(|line| writeln!(f, "{:7.3} {}", line.at.as_secs_f64(), line.text))
    }
}

/// Text without the sequences that firmware sends to a terminal (ECMA-48 control sequences).
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut kept = String::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\x1b' {
            if rest.next_if_eq(&'[').is_some() {
                while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            } else {
                rest.next();
            }
        } else if !character.is_control() || character == '\t' {
            kept.push(character);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn firmware_noise_is_taken_away() {
        assert_eq!(
            clean(b"\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version 1.16)\r\n"),
            "SeaBIOS (version 1.16)"
        );
        assert_eq!(
            clean(b"HPL10001I: all services started\r\n"),
            "HPL10001I: all services started"
        );
    }

    #[test]
    fn a_line_is_found_when_it_comes_and_the_whole_console_is_told_when_it_does_not() {
        let console = Console::follow(&b"one\ntwo\n"[..], Instant::now(), |_| ());
        let limit = Duration::from_secs(5);
        assert_eq!(console.wait_for("two", limit).unwrap().text, "two");
        let error = console
            .wait_for("three", Duration::ZERO)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`three` on the console") && error.contains("one\n"),
            "{error}"
        );
    }
}
