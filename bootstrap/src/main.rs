//! `hpcr-init`, process 1 of the confidential container appliance: contract in, running workload out, or power off.
//!
//! The table below is the boot. Each row names a phase, the function that does it and what that function needs, how long it
//! may take, and the message code of a failure that has none of its own. The rows run in this order, nothing else does.
#![forbid(unsafe_code)]

mod acts;
mod caretaker;
mod cidata;
mod console;
mod ends;
mod error;
mod guards;
mod guest;
mod modules;
mod mounts;
mod net;
mod phase;
mod phases;
mod platform;
mod power;
mod printer;
mod trace;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use acts::Kernel;
use console::Console;
use guest::Guest;
use phase::{Runner, last_of, phases};
use phases::{
    attestation, contract, disk, early, images, key, logging, network, platform as tee, supervise,
    time, workload,
};
use power::Ending;

phases! {
    /// Boots, and gives back why the guest has to end.
    boot(guest)
    early       = early::run(guest),                                      seconds(20), INTERNAL_ERROR;
    platform    = tee::run(guest, &early),                                seconds(5),  INTERNAL_ERROR;
    cidata      = phases::cidata::run(guest, &early, &platform),          seconds(15), INVALID_CONTRACT;
    network     = network::run(guest, &early, &cidata),                   seconds(20), NETWORK_TIMEOUT;
    key         = key::run(guest, &early, &platform),                     seconds(10), INTERNAL_ERROR;
    contract    = contract::run(guest, &cidata, key),                     seconds(45), INVALID_CONTRACT;
    attestation = attestation::run(guest, &early, &cidata, &contract),    seconds(10), ENCRYPT_ATTESTATION;
    time        = time::run(guest, &contract, &attestation),              seconds(10), INTERNAL_ERROR;
    logging     = logging::run(guest, &contract, &network, &time),        seconds(20), LOGGING_SYSLOG_FAILED;
    disk        = disk::run(guest, &early, &cidata, &contract, &logging), minutes(20), DISK_UNEXPECTED;
    images      = images::run(guest, &contract, &disk),                   minutes(20), IMAGE_FETCH_FAILED;
    workload    = workload::run(guest, &contract, images, logging),       minutes(20), CONTAINER_FAILED;
    supervise   = supervise::run(&workload),                              None,        CONTAINER_FAILED;
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "None is the limit of what may take for ever"
)]
const fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

const fn minutes(minutes: u64) -> Option<Duration> {
    seconds(60 * minutes)
}

fn main() -> ExitCode {
    if !rustix::process::getpid().is_init() {
        return not_init();
    }
    let (guest, asked) = Guest::new(Console::new(std::io::stdout()), Kernel, "/");
    let guest = Arc::new(guest);
    power::end_on_panic(&guest);
    // The first of each process wins, and nobody else installs one.
    let _ = rustls_openssl::default_provider().install_default();
    let _ = tracing::subscriber::set_global_default(trace::Warnings(Arc::clone(&guest)));

    // The main thread has other work, so everything else runs on the runtime's own. It lives until the power goes off.
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            power::at_once(&guest, &format!("the runtime cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let runner = Runner::new(Arc::clone(&guest), asked, PHASES);
    runtime.spawn(live(Arc::clone(&guest), runner));
    caretaker::watch(&guest)
}

/// Boots and ends.
async fn live(guest: Arc<Guest>, mut runner: Runner) {
    let boot = Box::pin(boot(&guest, &mut runner));
    let ending = match AssertUnwindSafe(boot).catch_unwind().await {
        Ok(Ok(never)) => match never {},
        Ok(Err(ending)) => ending,
        Err(_) => Ending::Panicked("between two phases".to_owned()),
    };
    power::end(&guest, ending).await;
}

/// Anybody else gets a word.
fn not_init() -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    let asked = std::env::args().nth(1);
    if asked.is_some_and(|argument| argument == "--version") {
        println!("hpcr-init {version}");
    } else {
        println!(
            "hpcr-init {version}: process 1 of the confidential container appliance; it runs nowhere else."
        );
        println!("usage: hpcr-init --version | --help");
    }
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_are_those_of_the_design_in_their_order() {
        let names: Vec<_> = PHASES.iter().map(|phase| phase.name).collect();
        assert_eq!(
            names,
            [
                "early",
                "platform",
                "cidata",
                "network",
                "key",
                "contract",
                "attestation",
                "time",
                "logging",
                "disk",
                "images",
                "workload",
                "supervise"
            ]
        );
    }

    #[test]
    fn only_supervision_may_take_for_ever() {
        for phase in PHASES {
            assert_eq!(
                phase.limit.is_none(),
                phase.name == "supervise",
                "{}",
                phase.name
            );
        }
    }
}
