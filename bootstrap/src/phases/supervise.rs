//! Phase 13: until the workload ends. Signals, the power button and guards end every phase, and so this one too.

use hpcr_container::Outcome;

use crate::error::Error;
use crate::phases::workload::Workload;
use crate::power::Ending;

pub(crate) async fn run(workload: &Workload) -> Result<Ending, Error> {
    let mut running = workload.0.lock().await;
    match running.as_mut() {
        Some(running) => match running.wait().await {
            Outcome::Done => Ok(Ending::Finished),
            Outcome::Failed(error) => Err(error.into()),
        },
        None => Ok(Ending::Finished),
    }
}
