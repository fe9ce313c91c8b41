//! Waits until every volume has its disk.
//!
//! It only reads. A disk that would be made a volume without being named for it has to be the only choice for a while,
//! so that the right one, if it is attached a moment late, is not passed over.

use std::time::{Duration, Instant};

use hpcr_contract::plan::Volume;

use crate::Context;
use crate::decide::{Assignment, Found, assign, unnamed};
use crate::error::{DiskError, Fault, Place};
use crate::event::Event;
use crate::inventory::{self, Disk};
use crate::probe;

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
    let (mut told, mut told_unsettled) = (None, false);
    let (mut last, mut changed) = (Vec::new(), start);
    loop {
        let disks = inventory::read(&context.sys, &context.dev).map_err(|source| {
            Place::volume(&first.name).fault()(Fault::Read {
                what: "the list of disks",
                source,
            })
        })?;
        if disks != last {
            (last, changed) = (disks.clone(), Instant::now());
        }
        match assign(volumes, &disks, context.cidata.as_deref()) {
            Assignment::Complete(chosen) => {
                // What cannot be read is not blank, and is told when it is opened.
                let blank = |index: usize| matches!(probe::look(&disks[index]), Ok(Found::Blank));
                let hasty = (changed.elapsed() < context.settle)
                    .then(|| unnamed(volumes, &disks, &chosen))
                    .and_then(|unnamed| unnamed.into_iter().find(|(_, disk)| blank(*disk)));
                let Some((volume, disk)) = hasty else {
                    return Ok(chosen
                        .into_iter()
                        .map(|index| disks[index].clone())
                        .collect());
                };
                let place = Place::volume(&volumes[volume].name).on(&disks[disk].name);
                if start.elapsed() >= context.wait {
                    return Err(place.fault()(Fault::NotFound {
                        seconds: context.wait.as_secs(),
                    }));
                }
                if !told_unsettled {
                    report(Event::Settling(place));
                    told_unsettled = true;
                }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::acts::recording::Bench;
    use hpcr_contract::plan::{Create, Filesystem, HeaderRecord};
    use std::os::unix::fs::FileExt;

    const SIZE: u64 = 256 << 20;
    const HOUR: Duration = Duration::from_hours(1);

    fn volume() -> Volume {
        Volume {
            name: "data".to_owned(),
            disk: "data".to_owned(),
            mount: "/mnt/data".to_owned(),
            filesystem: Filesystem::Ext4,
            passphrase: String::new().into(),
            previous_passphrases: Vec::new(),
            create: Create::IfBlank,
            header_record: HeaderRecord::Adopt,
        }
    }

    /// The disk that was found, and what was told.
    fn found(bench: &mut Bench, settle: Duration, late: Option<&str>) -> (String, Vec<String>) {
        let context = Context {
            settle,
            wait: HOUR,
            ..bench.context.clone()
        };
        let (mut told, mut late) = (Vec::new(), late);
        let found = disks(&[volume()], &context, &mut |event| {
            told.push(event.to_string());
            if let Some(serial) = late.take() {
                bench.disk("vdb", serial, SIZE);
            }
        });
        (found.unwrap()[0].name.clone(), told)
    }

    #[test]
    fn a_blank_spare_disk_does_not_take_the_place_of_the_named_one_that_comes_late() {
        let mut bench = Bench::new();
        bench.disk("vda", "spare", SIZE);
        let (name, told) = found(&mut bench, HOUR, Some("data"));
        assert_eq!(name, "vdb");
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("volume data on disk vda: "), "{told:?}");
    }

    #[test]
    fn a_blank_spare_disk_serves_once_nothing_else_has_come_for_a_while() {
        let mut bench = Bench::new();
        bench.disk("vda", "spare", SIZE);
        let settle = Duration::from_millis(250);
        let start = Instant::now();
        let (name, told) = found(&mut bench, settle, None);
        assert_eq!((name.as_str(), told.len()), ("vda", 1));
        assert!(start.elapsed() >= settle);
    }

    #[test]
    fn disks_that_are_named_alone_without_a_name_or_not_blank_are_not_waited_with() {
        for (serial, head) in [
            ("data", None),
            ("", None),
            ("spare", Some(crate::luks::header::MAGIC)),
        ] {
            let mut bench = Bench::new();
            let disk = bench.disk("vda", serial, SIZE);
            if let Some(head) = head {
                disk.write_all_at(head, 0).unwrap();
            }
            let (name, told) = found(&mut bench, HOUR, None);
            assert_eq!((name.as_str(), told.len()), ("vda", 0), "{serial}");
        }
    }
}
