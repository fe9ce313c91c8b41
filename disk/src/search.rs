//! Waits until every volume has its disk.

use std::time::{Duration, Instant};

use hpcr_contract::plan::Volume;

use crate::Context;
use crate::decide::{Assignment, assign};
use crate::error::{DiskError, Fault, Place};
use crate::event::Event;
use crate::inventory::{self, Disk};

/// How often the kernel's tables are read.
const PAUSE: Duration = Duration::from_millis(100);

/// A disk for each volume, in the order of the volumes.
///
/// # Errors
/// Where a disk does not appear in time, several would do, or the kernel's tables cannot be read.
pub(crate) fn disks(
    volumes: &[Volume],
    context: &Context,
    report: &mut dyn FnMut(Event),
) -> Result<Vec<Disk>, DiskError> {
    let Some(first) = volumes.first() else {
        return Ok(Vec::new());
    };
    let start = Instant::now();
    let mut told = None;
    loop {
        let disks = inventory::read(&context.sys, &context.dev).map_err(|source| {
            Place::volume(&first.name).fault()(Fault::Read {
                what: "the list of disks",
                source,
            })
        })?;
        match assign(volumes, &disks, context.cidata.as_deref()) {
            Assignment::Complete(chosen) => {
                return Ok(chosen
                    .into_iter()
                    .map(|index| disks[index].clone())
                    .collect());
            }
            Assignment::Ambiguous {
                volume,
                disks: candidates,
            } => {
                let names: Vec<_> = candidates
                    .iter()
                    .map(|index| disks[*index].name.as_str())
                    .collect();
                let fault = Fault::Ambiguous {
                    disks: names.join(", "),
                };
                return Err(Place::volume(&volumes[volume].name).fault()(fault));
            }
            Assignment::Missing { volume } => {
                let place = Place::volume(&volumes[volume].name);
                if start.elapsed() >= context.wait {
                    return Err(place.fault()(Fault::NotFound {
                        seconds: context.wait.as_secs(),
                    }));
                }
                if told != Some(volume) {
                    report(Event::Waiting(place));
                    told = Some(volume);
                }
            }
        }
        std::thread::sleep(PAUSE.min(context.wait));
    }
}
