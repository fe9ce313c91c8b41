//! The scratch disk: room for images and logs that ends with the boot.
//!
//! Its key is random and never leaves memory. The first and the last MiB stay zero, so that what an earlier boot left
//! (noise, in which a signature may show by chance) never looks like somebody's data.

use std::path::Path;

use crate::acts::{Acts, Mapping};
use crate::decide::{Found, is_scratch};
use crate::ends::{END, Ends};
use crate::error::{DiskError, Fault, Place};
use crate::inventory::{self, Disk};
use crate::luks::keys::VolumeKey;
use crate::mounted::{Mounted, node};
use crate::{Context, filesystem, probe};

/// The mapping's name.
const MAPPING: &str = "hpcr-scratch";
/// The least that is of use, in bytes.
const LEAST: u64 = 64 << 20;

/// Opens the scratch disk where there is one.
pub(crate) fn open(
    acts: &mut dyn Acts,
    context: &Context,
    folder: &Path,
) -> Result<Option<Mounted>, DiskError> {
    let place = Place::volume("scratch");
    let disks = inventory::read(&context.sys, &context.dev).map_err(|source| {
        place.fault()(Fault::Read {
            what: "the list of disks",
            source,
        })
    })?;
    let found: Vec<&Disk> = disks
        .iter()
        .filter(|disk| is_scratch(disk) && context.cidata.as_ref() != Some(&disk.name))
        .collect();
    match found[..] {
        [] => Ok(None),
        [disk] => {
            let place = place.on(&disk.name);
            make(acts, context, disk, folder).map_err(place.fault())?;
            Ok(Some(Mounted {
                place,
                folder: folder.to_owned(),
                mapping: MAPPING.to_owned(),
            }))
        }
        _ => {
            let names: Vec<_> = found.iter().map(|disk| disk.name.as_str()).collect();
            Err(place.fault()(Fault::Ambiguous {
                disks: names.join(", "),
            }))
        }
    }
}

fn make(acts: &mut dyn Acts, context: &Context, disk: &Disk, folder: &Path) -> Result<(), Fault> {
    if disk.read_only {
        return Err(Fault::ReadOnly);
    }
    if disk.size < LEAST {
        return Err(Fault::TooSmall {
            size: disk.size,
            needed: LEAST,
        });
    }
    refuse_data(disk)?;
    let zero = Ends::blank(disk.size).map_err(|source| Fault::Read {
        what: "the disk",
        source,
    })?;
    acts.write(
        &disk.node,
        &[(0, zero.head()), (disk.size - END, zero.tail())],
    )
    .map_err(|error| Fault::MakePartitions {
        why: error.to_string(),
    })?;

    let key = VolumeKey::random().map_err(|error| Fault::MakeLuks {
        why: error.to_string(),
    })?;
    let length = (disk.size - 2 * END) / 4096 * 4096;
    acts.map(
        MAPPING,
        Mapping::Plain {
            device: &disk.node,
            start: END,
            length,
        },
        &key,
    )?;
    let device = node(&context.dev, MAPPING);
    let made = acts
        .make_filesystem(&context.mke2fs, filesystem::SCRATCH, &device)
        .and_then(|()| {
            acts.mount(&device, folder, &filesystem::SCRATCH_MOUNT)
                .map_err(Fault::Mount)
        });
    made.map_err(|fault| match acts.unmap(MAPPING) {
        Ok(()) => fault,
        Err(close) => Fault::NotClosedAfter {
            fault: Box::new(fault),
            close,
        },
    })
}

/// Refuses a disk that holds something. A volume is looked for as carefully as where one is expected: libblkid alone
/// does not see one whose partition table is torn. Bytes without a meaning may be there, since a host may recycle disks.
fn refuse_data(disk: &Disk) -> Result<(), Fault> {
    let what = match probe::look(disk)? {
        Found::Blank => None,
        Found::Partitioned { .. } | Found::WholeDisk => Some("a data volume".to_owned()),
        Found::Foreign(_) => probe::signature(&disk.node)?,
    };
    what.map_or(Ok(()), |what| Err(Fault::Foreign { what }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::acts::recording::{Act, Bench};
    use crate::partition::{self, Layout};
    use std::os::unix::fs::FileExt;

    #[test]
    fn without_such_a_disk_there_is_none_and_nothing_happens() {
        let mut bench = Bench::new();
        bench.disk("vda", "data", 256 << 20);
        assert!(
            open(&mut bench.acts, &bench.context, Path::new("/scratch"))
                .unwrap()
                .is_none()
        );
        assert!(bench.acts.done.is_empty());
    }

    #[test]
    fn the_ends_are_zeroed_before_the_rest_is_mapped_under_a_new_key() {
        let mut bench = Bench::new();
        let disk = bench.disk("vda", crate::SCRATCH_SERIAL, 256 << 20);
        // Not a signature of anything: noise of an earlier boot.
        disk.write_all_at(&[7; 4096], 0).unwrap();
        let mounted = open(&mut bench.acts, &bench.context, Path::new("/scratch"))
            .unwrap()
            .unwrap();
        assert_eq!(
            bench.acts.done,
            [
                Act::Write("vda", 0),
                Act::Write("vda", (256 << 20) - END),
                Act::MapPlain(END, (256 << 20) - 2 * END),
                Act::MakeFilesystem("hpcr-scratch"),
                Act::Mount("hpcr-scratch", "/scratch"),
            ]
        );
        mounted.close_by(&mut bench.acts).unwrap();
        assert_eq!(
            bench.acts.done[5..],
            [Act::Unmount("/scratch"), Act::Unmap("hpcr-scratch")]
        );
    }

    /// What is on a disk, and at which bytes.
    type Written<'a> = &'a [(u64, &'a [u8])];

    #[test]
    fn a_volume_is_left_alone_also_where_its_table_is_torn() {
        const SIZE: u64 = 256 << 20;
        let layout = Layout::of(SIZE).unwrap();
        let gpt = partition::make(&layout, SIZE, 512).unwrap();
        let magic = crate::luks::header::MAGIC;
        let cases: [(&str, Written<'_>); 4] = [
            (
                "a whole table",
                &[(0, gpt.head()), (SIZE - END, gpt.tail())],
            ),
            ("the backup only", &[(SIZE - END, gpt.tail())]),
            (
                "a torn primary and LUKS",
                &[(0, &gpt.head()[..512]), (layout.data.start, magic)],
            ),
            ("LUKS at the start", &[(0, magic)]),
        ];
        for (case, writes) in cases {
            let mut bench = Bench::new();
            let disk = bench.disk("vda", crate::SCRATCH_SERIAL, SIZE);
            for (at, bytes) in writes {
                disk.write_all_at(bytes, *at).unwrap();
            }
            let error = open(&mut bench.acts, &bench.context, Path::new("/scratch")).unwrap_err();
            assert!(
                matches!(&error.fault, Fault::Foreign { what } if what == "a data volume"),
                "{case}: {error}"
            );
            assert!(bench.acts.done.is_empty(), "{case}");
        }
    }

    #[test]
    fn a_disk_with_a_signature_is_left_alone() {
        let mut bench = Bench::new();
        let disk = bench.disk("vda", crate::SCRATCH_SERIAL, 256 << 20);
        // Of a swap area: its magic at the end of the first page, version and last page at the start of the second KiB.
        disk.write_all_at(b"SWAPSPACE2", 4086).unwrap();
        disk.write_all_at(&[1, 0, 0, 0, 255, 0, 0, 0], 1024)
            .unwrap();
        let error = open(&mut bench.acts, &bench.context, Path::new("/scratch")).unwrap_err();
        assert!(
            matches!(&error.fault, Fault::Foreign { what } if what == "swap"),
            "{error}"
        );
        assert!(bench.acts.done.is_empty());
    }

    #[test]
    fn when_the_file_system_cannot_be_made_or_mounted_the_mapping_goes() {
        for failing in ["make_filesystem", "mount"] {
            let mut bench = Bench::new();
            bench.disk("vda", crate::SCRATCH_SERIAL, 256 << 20);
            bench.acts.failing = Some(failing);
            let error = open(&mut bench.acts, &bench.context, Path::new("/scratch")).unwrap_err();
            let expected = matches!(
                (failing, &error.fault),
                ("mount", Fault::Mount(_)) | ("make_filesystem", Fault::MakeFilesystem { .. })
            );
            assert!(expected, "{failing}: {error}");
            assert_eq!(
                bench.acts.done.last(),
                Some(&Act::Unmap("hpcr-scratch")),
                "{failing}"
            );
        }
    }

    #[test]
    fn a_mapping_that_does_not_go_is_told_beside_its_cause() {
        let mut bench = Bench::new();
        bench.disk("vda", crate::SCRATCH_SERIAL, 256 << 20);
        bench.acts.cut_after = Some(3);
        let error = open(&mut bench.acts, &bench.context, Path::new("/scratch")).unwrap_err();
        assert_eq!(error.code().to_string(), "HPL02005E");
        assert!(
            error.to_string().contains("could not be taken away"),
            "{error}"
        );
    }
}
