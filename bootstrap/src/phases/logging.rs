//! Phase 9: logging is mandatory; nothing runs before the collector has taken the first line. Then it gets the boot so
//! far, and the kernel's messages.

use std::sync::Arc;
use std::time::Duration;

use hpcr_contract::messages::{self, Severity as Level};
use hpcr_logging::record::{Facility, Origin, Record, Severity};
use hpcr_logging::sources::kmsg;
use hpcr_logging::{Logger, Settings};
use time::OffsetDateTime;

use crate::ends::LOG;
use crate::error::Error;
use crate::guest::Guest;
use crate::phases::contract::Contract;
use crate::phases::network::Network;
use crate::phases::time::InTime;

/// A log whose collector takes lines.
#[derive(Debug)]
pub(crate) struct Log {
    /// The way in.
    pub(crate) logger: Logger,
    host: String,
}

impl Log {
    /// Who speaks when a service does.
    pub(crate) fn service(&self, name: &str) -> Origin {
        Origin::new(Facility::USER, &self.host, name, "")
    }
}

/// How long a collector that hangs up or is not there yet is tried again: a boot that fails says so within 30 s.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the collector has for what is still on its way at the end.
const FLUSH: Duration = Duration::from_secs(3);
/// How long the log may take to take the guest's own last lines.
const DRAIN: Duration = Duration::from_secs(1);

pub(crate) async fn run(
    guest: &Arc<Guest>,
    contract: &Contract,
    _network: &Network,
    _in_time: &InTime,
) -> Result<Log, Error> {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let ours = Origin::new(Facility::DAEMON, &host, "hpcr-init", "1");
    let first = Record::new(
        &ours,
        Severity::Informational,
        OffsetDateTime::now_utc(),
        "the log of this boot begins",
    );
    let settings = Settings {
        start_within: PATIENCE,
        ..Settings::default()
    };
    let logger = hpcr_logging::start(&contract.plan.logging, first, settings).await?;

    guest.console.say(messages::LOGGING_READY, "");
    guest.console.attach(logger.clone(), ours);
    let (closing, at_end) = (logger.clone(), Arc::clone(guest));
    guest.ends.push(&LOG, async move {
        // Lines that the log does not take in time are lost; it is closed in any case.
        let drained = tokio::time::timeout(DRAIN, at_end.console.drain()).await;
        let late = drained.map_err(|_| "the guest's own last lines are lost".to_owned());
        let closed = closing
            .close(FLUSH)
            .await
            .map_err(|error| error.to_string());
        late.err().into_iter().chain(closed.err()).collect()
    });

    let kernel = Origin::new(Facility::KERNEL, &host, "kernel", "");
    let (guest, sink) = (Arc::clone(guest), logger.clone());
    tokio::spawn(async move {
        let path = guest.path(kmsg::PATH);
        if let Err(error) = kmsg::forward(&path, &kernel, &sink).await {
            guest.console.keep(Level::Warning, &error.to_string());
        }
    });
    Ok(Log { logger, host })
}
