//! The way to the terminal that the host reads. One thread writes; nobody else ever waits for the host, who may stop
//! reading at any moment: lines that find no room are counted, and the count is told where they would have stood.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lines that wait for the terminal; a boot has some fifty.
const ROOM: usize = 256;

#[derive(Default)]
struct Queue {
    lines: VecDeque<String>,
    /// Lines that found no room since the last one that did.
    lost: u64,
    is_writing: bool,
}

impl Queue {
    fn push(&mut self, line: String) {
        // What was lost is told first, and takes room too.
        if self.lines.len() + usize::from(self.lost > 0) >= ROOM {
            self.lost += 1;
            return;
        }
        if let Some(told) = self.take_lost() {
            self.lines.push_back(told);
        }
        self.lines.push_back(line);
    }

    fn next(&mut self) -> Option<String> {
        self.lines.pop_front().or_else(|| self.take_lost())
    }

    fn take_lost(&mut self) -> Option<String> {
        let lost = std::mem::take(&mut self.lost);
        (lost > 0).then(|| format!("hpcr-init: {lost} lines lost: the console was not read"))
    }

    fn is_written(&self) -> bool {
        self.lines.is_empty() && self.lost == 0 && !self.is_writing
    }
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    /// The queue. Nobody keeps it while the terminal takes its time.
    fn locked(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes lines to a terminal in their order.
pub(crate) struct Printer(Arc<Shared>);

impl Printer {
    pub(crate) fn new(sink: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        std::thread::spawn(move || write(&ours, sink));
        Self(shared)
    }

    /// Has a line written, without its end. Never waits.
    pub(crate) fn print(&self, line: String) {
        self.0.locked().push(line);
        self.0.changed.notify_all();
    }

    /// Waits until the terminal has taken every line so far, for no longer than `limit`.
    pub(crate) fn flush(&self, limit: Duration) {
        let is_waiting = |queue: &mut Queue| !queue.is_written();
        // In time or not, whoever called goes on.
        drop(
            self.0
                .changed
                .wait_timeout_while(self.0.locked(), limit, is_waiting),
        );
    }
}

/// The writer's work: it lives as long as the guest.
fn write(shared: &Shared, mut sink: impl Write) {
    loop {
        let mut queue = shared.locked();
        queue.is_writing = false;
        let line = loop {
            if let Some(line) = queue.next() {
                break line;
            }
            shared.changed.notify_all();
            queue = shared
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        };
        queue.is_writing = true;
        drop(queue);
        // A terminal that cannot be written to stops nothing.
        let _ = sink.write_all(format!("{line}\r\n").as_bytes());
        let _ = sink.flush();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::console::tests::{Screen, Stuck};
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Instant;

    /// A screen that the host begins to read when it likes.
    struct Held {
        may: Option<Receiver<()>>,
        screen: Screen,
    }

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if let Some(may) = self.may.take() {
                may.recv().unwrap();
            }
            self.screen.write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_keep_their_order_and_those_without_room_are_counted_in_their_place() {
        let (go_on, may) = channel();
        let screen = Screen::default();
        let printer = Printer::new(Held {
            may: Some(may),
            screen: screen.clone(),
        });
        printer.print("first".to_owned());
        while !printer.0.locked().is_writing {
            std::thread::yield_now();
        }
        for number in 0..ROOM + 3 {
            printer.print(number.to_string());
        }
        go_on.send(()).unwrap();
        printer.flush(Duration::from_secs(10));
        printer.print("last".to_owned());
        printer.flush(Duration::from_secs(10));
        let lines = screen.lines();
        let numbers = (0..ROOM).map(|number| number.to_string());
        let expected: Vec<_> = ["first".to_owned()]
            .into_iter()
            .chain(numbers)
            .chain(["hpcr-init: 3 lines lost: the console was not read", "last"].map(str::to_owned))
            .collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn nobody_waits_for_a_host_that_does_not_read() {
        let begun = Instant::now();
        let printer = Printer::new(Stuck);
        for number in 0..10 * ROOM {
            printer.print(number.to_string());
        }
        printer.flush(Duration::from_millis(50));
        assert!(begun.elapsed() < Duration::from_secs(5));
        let queue = printer.0.locked();
        assert!(queue.lines.len() <= ROOM && queue.lost > 0);
    }
}
