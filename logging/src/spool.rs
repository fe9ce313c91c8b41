//! Which lines the collector has, as far as can be known: the window of at-least-once delivery.
//!
//! A line goes from *waiting* (not on this connection yet) to *sent*, and is *settled* once the peer's kernel has
//! acknowledged its last byte and the connection has lived on for the settle time. A settled line is kept a little
//! longer, because a kernel acknowledges what its collector has not read yet; this spare is bounded in bytes and
//! time. When the connection is lost, everything sent or spare waits again, in order.
//!
//! Plain data: no clock, no socket. It never drops a line that has not settled; who fills it bounds it, through the
//! token that a line carries until it settles.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What a spool goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long a connection has to live on after an acknowledgement.
    pub(crate) settle: Duration,
    /// How long a settled line is kept as a spare.
    pub(crate) spare_time: Duration,
    /// How many bytes of settled lines are kept as a spare.
    pub(crate) spare_bytes: usize,
}

#[derive(Debug)]
struct Line<T> {
    number: u64,
    frame: Vec<u8>,
    token: Option<T>,
}

#[derive(Debug)]
struct Sent<T> {
    line: Line<T>,
    /// Position in the connection's byte stream where the line ends; unknown while it is being written.
    end: Option<u64>,
    acknowledged: Option<Instant>,
}

#[derive(Debug)]
struct Spare<T> {
    line: Line<T>,
    settled: Instant,
}

/// The lines on their way, in order.
#[derive(Debug)]
pub(crate) struct Spool<T> {
    limits: Limits,
    waiting: VecDeque<Line<T>>,
    sent: VecDeque<Sent<T>>,
    spares: VecDeque<Spare<T>>,
    spare_bytes: usize,
    pushed: u64,
    settled: u64,
}

impl<T> Spool<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            sent: VecDeque::new(),
            spares: VecDeque::new(),
            spare_bytes: 0,
            pushed: 0,
            settled: 0,
        }
    }

    /// Takes a frame; `token` is dropped when it settles.
    pub(crate) fn push(&mut self, frame: Vec<u8>, token: Option<T>) {
        self.pushed += 1;
        self.waiting.push_back(Line {
            number: self.pushed,
            frame,
            token,
        });
    }

    /// How many frames were ever pushed.
    pub(crate) fn pushed(&self) -> u64 {
        self.pushed
    }

    /// Up to which frame, counted from 1, everything has settled.
    pub(crate) fn settled(&self) -> u64 {
        self.settled
    }

    /// Whether the collector has everything.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled == self.pushed
    }

    /// Whether something on the wire is yet to settle.
    pub(crate) fn is_watched(&self) -> bool {
        !self.sent.is_empty()
    }

    /// The next bytes to write, about `limit` of them; [`Self::written`] follows once they are.
    pub(crate) fn take(&mut self, limit: usize) -> Option<Vec<u8>> {
        let mut batch = Vec::new();
        while let Some(line) = self
            .waiting
            .pop_front_if(|line| batch.is_empty() || batch.len() + line.frame.len() <= limit)
        {
            batch.extend_from_slice(&line.frame);
            self.sent.push_back(Sent {
                line,
                end: None,
                acknowledged: None,
            });
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// Everything taken has been written, up to this position of the connection's byte stream.
    pub(crate) fn written(&mut self, position: u64) {
        self.sent
            .iter_mut()
            .rev()
            .take_while(|sent| sent.end.is_none())
            .for_each(|sent| sent.end = Some(position));
    }

    /// The peer's kernel has everything up to `position`, and the connection lives at `now`.
    pub(crate) fn acknowledge(&mut self, position: u64, now: Instant) {
        for sent in &mut self.sent {
            if sent.end.is_none_or(|end| end > position) {
                break;
            }
            sent.acknowledged.get_or_insert(now);
        }
        let settle = self.limits.settle;
        while let Some(mut sent) = self
            .sent
            .pop_front_if(|sent| sent.acknowledged.is_some_and(|since| since + settle <= now))
        {
            self.settled = self.settled.max(sent.line.number);
            sent.line.token = None;
            self.spare_bytes += sent.line.frame.len();
            self.spares.push_back(Spare {
                line: sent.line,
                settled: now,
            });
        }
        self.drop_spares(now);
    }

    fn drop_spares(&mut self, now: Instant) {
        let Limits {
            spare_time,
            spare_bytes,
            ..
        } = self.limits;
        while let Some(spare) = self.spares.pop_front_if(|spare| {
            self.spare_bytes > spare_bytes || spare.settled + spare_time <= now
        }) {
            self.spare_bytes -= spare.line.frame.len();
        }
    }

    /// The connection is gone at `now`: what the collector may not have waits again. Returns how many lines that is.
    pub(crate) fn disconnected(&mut self, now: Instant) -> usize {
        self.drop_spares(now);
        self.spare_bytes = 0;
        let spares = self.spares.drain(..).map(|spare| spare.line);
        let again: VecDeque<_> = spares
            .chain(self.sent.drain(..).map(|sent| sent.line))
            .collect();
        let count = again.len();
        let waiting = std::mem::replace(&mut self.waiting, again);
        self.waiting.extend(waiting);
        count
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    const LIMITS: Limits = Limits {
        settle: Duration::from_millis(300),
        spare_time: Duration::from_secs(5),
        spare_bytes: 40,
    };
    const TAKEN: usize = 32;

    fn frame(number: u32) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    fn lines(bytes: &[u8]) -> Vec<u32> {
        bytes
            .chunks_exact(4)
            .map(|chunk| u32::from_be_bytes(chunk.try_into().unwrap()))
            .collect()
    }

    #[test]
    fn a_line_settles_only_when_the_connection_outlives_its_acknowledgement() {
        let mut spool = Spool::new(LIMITS);
        let start = Instant::now();
        let token = Arc::new(());
        spool.push(frame(1), Some(Arc::clone(&token)));
        assert_eq!(spool.take(TAKEN), Some(frame(1)));
        spool.acknowledge(100, start);
        spool.written(90);
        spool.acknowledge(89, start);
        assert_eq!(spool.settled(), 0, "not acknowledged whole");
        spool.acknowledge(90, start);
        spool.acknowledge(90, start + Duration::from_millis(299));
        assert_eq!((spool.settled(), Arc::strong_count(&token)), (0, 2));
        spool.acknowledge(90, start + Duration::from_millis(300));
        assert_eq!((spool.settled(), Arc::strong_count(&token)), (1, 1));
        assert!(spool.is_settled() && !spool.is_watched());
    }

    #[test]
    fn an_idle_connection_that_ends_repeats_nothing() {
        let mut spool: Spool<()> = Spool::new(LIMITS);
        let start = Instant::now();
        spool.push(frame(1), None);
        spool.take(TAKEN).unwrap();
        spool.written(4);
        spool.acknowledge(4, start);
        spool.acknowledge(4, start + LIMITS.settle);
        let later = start + LIMITS.settle + LIMITS.spare_time;
        assert_eq!(spool.disconnected(later), 0);
        assert_eq!(spool.take(TAKEN), None);
    }

    #[test]
    fn what_a_dying_collector_left_in_its_kernel_is_sent_again() {
        let mut spool: Spool<()> = Spool::new(LIMITS);
        let start = Instant::now();
        (1..=3).for_each(|number| spool.push(frame(number), None));
        spool.take(8).unwrap();
        spool.written(8);
        spool.acknowledge(8, start);
        spool.acknowledge(8, start + LIMITS.settle);
        assert_eq!(spool.settled(), 2);
        assert_eq!(spool.disconnected(start + LIMITS.settle), 2);
        assert_eq!(lines(&spool.take(TAKEN).unwrap()), [1, 2, 3]);
        assert_eq!(
            spool.settled(),
            2,
            "what has settled once is not counted again"
        );
    }

    #[derive(Debug, Clone)]
    enum Event {
        Push,
        Send,
        Acknowledge(u8),
        Wait(u16),
        Disconnect(u8),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            4 => Just(Event::Push),
            3 => Just(Event::Send),
            3 => any::<u8>().prop_map(Event::Acknowledge),
            2 => (0u16..2000).prop_map(Event::Wait),
            1 => any::<u8>().prop_map(Event::Disconnect),
        ];
        proptest::collection::vec(event, 0..200)
    }

    /// A collector that reads in order and may, when it dies, have read less than its kernel acknowledged, but never
    /// less than what settled outside of the spare.
    #[derive(Default)]
    struct Collector {
        wire: Vec<u8>,
        read: usize,
        got: Vec<u32>,
    }

    proptest! {
        #[test]
        fn every_line_arrives_at_least_once_in_order_with_bounded_repeats(events in events()) {
            // Only bytes bound the spare here, as only bytes bound what this collector leaves unread.
            let mut spool = Spool::new(Limits { spare_time: Duration::from_hours(24), ..LIMITS });
            let mut now = Instant::now();
            let mut collector = Collector::default();
            let (mut pushed, mut acknowledged, mut losses, mut in_flight) = (0u32, 0usize, 0usize, 0usize);
            for event in events {
                match event {
                    Event::Push => {
                        pushed += 1;
                        spool.push(frame(pushed), Some(()));
                    }
                    Event::Send => {
                        if let Some(bytes) = spool.take(TAKEN) {
                            prop_assert!(bytes.len() <= TAKEN);
                            collector.wire.extend(bytes);
                            spool.written(collector.wire.len() as u64);
                        }
                    }
                    Event::Acknowledge(part) => {
                        acknowledged = acknowledged.max(collector.wire.len() * usize::from(part) / 255);
                        spool.acknowledge(acknowledged as u64, now);
                    }
                    Event::Wait(time) => {
                        now += Duration::from_millis(time.into());
                        spool.acknowledge(acknowledged as u64, now);
                        collector.read = collector.read.max(acknowledged.saturating_sub(LIMITS.spare_bytes));
                    }
                    Event::Disconnect(part) => {
                        let unread = acknowledged - collector.read.min(acknowledged);
                        let read = collector.read + unread * usize::from(part) / 255;
                        collector.got.extend(lines(&collector.wire[..read / 4 * 4]));
                        in_flight += spool.sent.len();
                        prop_assert!(spool.disconnected(now) <= pushed as usize);
                        losses += 1;
                        (collector.wire, collector.read, acknowledged) = (Vec::new(), 0, 0);
                    }
                }
                prop_assert!(spool.spare_bytes <= LIMITS.spare_bytes);
                prop_assert_eq!(spool.spare_bytes, spool.spares.iter().map(|spare| spare.line.frame.len()).sum::<usize>());
                let held = spool.waiting.iter().chain(spool.sent.iter().map(|sent| &sent.line));
                let tokens = held.filter(|line| line.token.is_some()).count() as u64;
                prop_assert_eq!(tokens, spool.pushed() - spool.settled());
            }
            while let Some(bytes) = spool.take(TAKEN) {
                collector.wire.extend(bytes);
            }
            collector.got.extend(lines(&collector.wire));
            let mut missing: Vec<u32> = (1..=pushed).filter(|number| !collector.got.contains(number)).collect();
            missing.sort_unstable();
            prop_assert!(missing.is_empty(), "missing {missing:?} of {pushed}");
            prop_assert!(collector.got.len() <= pushed as usize + in_flight + losses * LIMITS.spare_bytes / 4);
        }
    }
}
