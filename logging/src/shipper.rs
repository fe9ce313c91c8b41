//! The way of a record to the collector: a queue that makes its callers wait, one task, one connection at a time.
//!
//! [`start`] returns once the first line has been *accepted*: its bytes are acknowledged and no alert or close has
//! come for the settle time, which is how a client certificate that TLS 1.3 refuses late is noticed. After that the
//! task never gives up: it reconnects with growing delays and sends again what may be lost. It never drops a line
//! and never holds more than a fixed number of bytes; when those are used up, [`Logger::log`] waits.

use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hpcr_contract::plan::Syslog;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::backoff;
use crate::error::{Cause, LoggingError};
use crate::record::{MESSAGE_LIMIT, Record, Sequence};
use crate::send_queue::Gauge;
use crate::sinks::syslog::{self, Connection, Endpoint};
use crate::spool::{Limits, Spool};

/// Bytes that go into one write.
const BATCH: usize = 64 * 1024;
/// Records taken from the queue at a time.
const BURST: usize = 256;
/// How often the send queue is looked at while something is on its way.
const LOOK: Duration = Duration::from_millis(20);
/// How long a broken connection is searched for the alert that explains it, and a closing one may take.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What the operator of the appliance may want otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Until when a fault that may pass (a collector that starts late) is tried again; one last try, of ten seconds at
    /// most, may begin just before. 10 s.
    pub start_within: Duration,
    /// How long a connection has to live on before acknowledged lines count as accepted. 300 ms.
    pub settle: Duration,
    /// How many bytes of lines may wait or be unsettled before [`Logger::log`] waits: with `settle`, the
    /// highest rate as well. 8 MiB.
    pub budget: u32,
    /// How many bytes of accepted lines are kept a little longer, to be sent again should the connection break.
    /// 256 KiB.
    pub spare: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            start_within: Duration::from_secs(10),
            settle: Duration::from_millis(300),
            budget: 8 << 20,
            spare: 256 << 10,
        }
    }
}

/// How long the first line may take to be acknowledged over an open connection.
const ACCEPTANCE: Duration = Duration::from_secs(5);
/// How long accepted lines are kept as a spare: longer than a healthy collector takes to read what its kernel holds.
const SPARE_TIME: Duration = Duration::from_secs(5);

/// The way into the log; clones share it.
#[derive(Debug, Clone)]
pub struct Logger {
    commands: mpsc::UnboundedSender<Command>,
    budget: Arc<Semaphore>,
    most: u32,
    task: AbortHandle,
}

#[derive(Debug)]
enum Command {
    Line(Record, OwnedSemaphorePermit),
    Flush(oneshot::Sender<()>),
    Close,
}

/// Connects to the collector, sends `first` and returns when it has been accepted.
///
/// Faults that may pass (nobody listens yet, no answer, a name that does not resolve yet) are tried again until
/// `settings.start_within` is over; whatever has to do with certificates or protocols fails at once. Needs a tokio
/// runtime, in which the task of the log then lives.
pub async fn start(
    plan: &Syslog,
    first: Record,
    settings: Settings,
) -> Result<Logger, LoggingError> {
    let endpoint = syslog::check(plan)?;
    let (accepted, acceptance) = oneshot::channel();
    let (commands, queue) = mpsc::unbounded_channel();
    let budget = Arc::new(Semaphore::new(settings.budget as usize));
    let limits = Limits {
        settle: settings.settle,
        spare_time: SPARE_TIME,
        spare_bytes: settings.spare,
    };
    let mut shipper = Shipper {
        endpoint,
        queue,
        budget: Arc::clone(&budget),
        spool: Spool::new(limits),
        sequence: Sequence::default(),
        flushes: Vec::new(),
        settle: settings.settle,
        closing: false,
        boot: Some(Boot {
            accepted,
            until: Instant::now() + settings.start_within,
        }),
    };
    shipper.spool_record(&first, None);
    let task = tokio::spawn(shipper.run()).abort_handle();
    acceptance.await.unwrap_or(Err(LoggingError::Closed))?;
    Ok(Logger {
        commands,
        budget,
        most: settings.budget,
        task,
    })
}

impl Logger {
    /// Takes a record, and waits for room while the collector is slow or away.
    pub async fn log(&self, record: Record) -> Result<(), LoggingError> {
        let size = u32::try_from(record.size())
            .unwrap_or(u32::MAX)
            .min(self.most);
        let room = Arc::clone(&self.budget)
            .acquire_many_owned(size)
            .await
            .map_err(|_| LoggingError::Closed)?;
        self.commands
            .send(Command::Line(record, room))
            .map_err(|_| LoggingError::Closed)
    }

    /// Waits until every line logged before this call has been accepted.
    pub async fn flush(&self, limit: Duration) -> Result<(), LoggingError> {
        let (done, flushed) = oneshot::channel();
        self.commands
            .send(Command::Flush(done))
            .map_err(|_| LoggingError::Closed)?;
        match timeout(limit, flushed).await {
            Ok(result) => result.map_err(|_| LoggingError::Closed),
            Err(_) => Err(LoggingError::NotFlushed { limit }),
        }
    }

    /// Flushes, ends the connection in order and refuses what comes later. When the time is up the connection is cut.
    pub async fn close(&self, limit: Duration) -> Result<(), LoggingError> {
        let until = Instant::now() + limit;
        let flushed = self.flush(limit).await;
        // A task that has ended already is closed.
        let _ = self.commands.send(Command::Close);
        if flushed.is_err()
            || tokio::time::timeout_at(until + LAST_WORDS, self.commands.closed())
                .await
                .is_err()
        {
            self.task.abort();
        }
        flushed
    }
}

/// What the task still owes to [`start`].
#[derive(Debug)]
struct Boot {
    accepted: oneshot::Sender<Result<(), LoggingError>>,
    until: Instant,
}

/// The task's own: everything between the queue and the socket.
#[derive(Debug)]
struct Shipper {
    endpoint: Endpoint,
    queue: mpsc::UnboundedReceiver<Command>,
    budget: Arc<Semaphore>,
    spool: Spool<OwnedSemaphorePermit>,
    sequence: Sequence,
    /// Who waits for which frame to settle.
    flushes: Vec<(u64, oneshot::Sender<()>)>,
    settle: Duration,
    /// No further command will come.
    closing: bool,
    boot: Option<Boot>,
}

impl Drop for Shipper {
    /// Whoever waits for room learns that none will come.
    fn drop(&mut self) {
        self.budget.close();
    }
}

impl Shipper {
    async fn run(mut self) {
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            let lost = match self.endpoint.connect().await {
                Ok(connection) => match self.serve(connection).await {
                    Ok(()) => return,
                    Err(cause) => cause,
                },
                Err(cause) => cause,
            };
            let now = Instant::now();
            let again = self.spool.disconnected(now);
            failures = if now - begun > backoff::LAST {
                0
            } else {
                failures + 1
            };
            let mut pause = backoff::delay(failures, backoff::draw());
            if let Some(boot) = self
                .boot
                .take_if(|boot| !lost.is_transient() || now >= boot.until)
            {
                // Whoever does not wait for the answer any more needs none.
                let _ = boot.accepted.send(Err(self.endpoint.error(lost)));
                return;
            }
            if let Some(boot) = &self.boot {
                pause = pause.min(boot.until - now);
            }
            tracing::warn!(lines = again, "{}; trying again", self.endpoint.error(lost));
            sleep(pause).await;
        }
    }

    /// Ships over one connection until all is done and closed, or the connection is lost.
    async fn serve(&mut self, connection: Connection) -> Result<(), Cause> {
        let Connection { stream, gauge } = connection;
        let (reader, mut writer) = tokio::io::split(stream);
        let mut end = pin!(end_of(reader));
        let mut burst = Vec::with_capacity(BURST);
        let mut batch = None;
        let mut look = Instant::now() + LOOK;
        let patience = Instant::now() + self.settle + ACCEPTANCE;
        loop {
            if batch.is_none() {
                batch = self.spool.take(BATCH).map(Cursor::new);
            }
            if self.closing && self.spool.is_settled() {
                // The lines are safe; a collector that does not take the farewell loses nothing.
                let _ = timeout(LAST_WORDS, writer.shutdown()).await;
                return Ok(());
            }
            let idle = batch.is_none();
            tokio::select! {
                biased;
                cause = &mut end => return Err(cause),
                result = write(&mut writer, &mut batch), if !idle => match result {
                    Ok(()) => {
                        batch = None;
                        self.spool.written(gauge.written());
                    }
                    // The reason is more often in what the collector sent than in the failure to write.
                    Err(error) => return Err(timeout(LAST_WORDS, end).await.unwrap_or_else(|_| Cause::of_io(&error))),
                },
                count = self.queue.recv_many(&mut burst, BURST), if !self.closing => {
                    self.closing = count == 0;
                    burst.drain(..).for_each(|command| self.take(command));
                }
                () = sleep_until(look), if self.spool.is_watched() => {}
                () = sleep_until(patience), if self.boot.is_some() => return Err(Cause::Timeout),
            }
            if Instant::now() >= look {
                self.look(&gauge)?;
                look = Instant::now() + LOOK;
            }
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Line(record, room) => self.spool_record(&record, Some(room)),
            Command::Flush(done) => {
                self.flushes.push((self.spool.pushed(), done));
                self.answer_flushes();
            }
            // What was logged before is still in the queue, and comes out of it first.
            Command::Close => self.queue.close(),
        }
    }

    fn spool_record(&mut self, record: &Record, mut room: Option<OwnedSemaphorePermit>) {
        let frames = record.frames(&mut self.sequence, MESSAGE_LIMIT);
        let last = frames.len().saturating_sub(1);
        for (index, frame) in frames.into_iter().enumerate() {
            self.spool
                .push(frame, if index == last { room.take() } else { None });
        }
    }

    /// Learns from the send queue what has arrived, and tells those who wait for it.
    fn look(&mut self, gauge: &Gauge) -> Result<(), Cause> {
        let acknowledged = gauge.acknowledged().map_err(|error| Cause::of_io(&error))?;
        self.spool.acknowledge(acknowledged, Instant::now());
        // Nothing but the first line can be in the spool before it is accepted.
        if self.spool.is_settled()
            && let Some(boot) = self.boot.take()
        {
            // Whoever does not wait for the answer any more needs none.
            let _ = boot.accepted.send(Ok(()));
        }
        self.answer_flushes();
        Ok(())
    }

    fn answer_flushes(&mut self) {
        let settled = self.spool.settled();
        for (_, done) in self
            .flushes
            .extract_if(.., |(number, _)| *number <= settled)
        {
            // Whoever does not wait for the answer any more needs none.
            let _ = done.send(());
        }
    }
}

/// Writes the batch to its last byte out of every buffer of ours. Goes on where it was when dropped and called again.
async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    batch: &mut Option<Cursor<Vec<u8>>>,
) -> std::io::Result<()> {
    if let Some(batch) = batch {
        writer.write_all_buf(batch).await?;
    }
    writer.flush().await
}

/// Waits for the connection's end and tells its cause. A collector has nothing to say: what it says is thrown away.
async fn end_of<S>(mut reader: ReadHalf<S>) -> Cause
where
    ReadHalf<S>: tokio::io::AsyncRead,
    S: tokio::io::AsyncRead,
{
    let mut ignored = [0; 1024];
    loop {
        match reader.read(&mut ignored).await {
            Ok(0) => return Cause::HungUp,
            Ok(_) => {}
            Err(error) => return Cause::of_io(&error),
        }
    }
}
