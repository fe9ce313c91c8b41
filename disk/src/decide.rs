//! Which disk serves which volume, and what may be done with it.
//!
//! Pure: every irreversible thing that this crate does was decided here, on plain data. What cannot be opened is
//! refused, never formatted.

use hpcr_contract::plan::{Create, VIRTIO_SERIAL, Volume};

use crate::error::Fault;
use crate::inventory::Disk;
use crate::partition::Layout;

/// The serial of the disk for images and logs.
pub const SCRATCH_SERIAL: &str = "hpcr-scratch";

/// The outcome of the search for disks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Assignment {
    /// A disk for each volume, in the order of the volumes; indices into the disks.
    Complete(Vec<usize>),
    /// This volume has none yet.
    Missing {
        /// Index of the volume.
        volume: usize,
    },
    /// Several disks would do for this volume.
    Ambiguous {
        /// Index of the volume.
        volume: usize,
        /// Indices of the disks.
        disks: Vec<usize>,
    },
}

/// Gives each volume its disk: the one with its serial, else the only disk that is spare. The disk of the seed and the
/// scratch disk never serve.
pub(crate) fn assign(volumes: &[Volume], disks: &[Disk], cidata: Option<&str>) -> Assignment {
    let free: Vec<usize> = (0..disks.len())
        .filter(|index| cidata != Some(&disks[*index].name) && !is_scratch(&disks[*index]))
        .collect();
    let by_serial = |volume: &Volume| -> Vec<usize> {
        free.iter()
            .copied()
            .filter(|index| serial_matches(&disks[*index], &volume.disk))
            .collect()
    };
    let matched: Vec<Vec<usize>> = volumes.iter().map(by_serial).collect();
    let spare: Vec<usize> = free
        .iter()
        .copied()
        .filter(|index| !matched.iter().any(|found| found.contains(index)))
        .collect();
    let unmatched = matched.iter().filter(|found| found.is_empty()).count();

    let mut chosen = Vec::new();
    for (volume, found) in matched.iter().enumerate() {
        let candidates = if found.is_empty() { &spare } else { found };
        match candidates[..] {
            [] => return Assignment::Missing { volume },
            // Two volumes without a serial of their own cannot share the spare disk: one more has to come.
            [_] if found.is_empty() && unmatched > 1 => return Assignment::Missing { volume },
            [disk] if !chosen.contains(&disk) => chosen.push(disk),
            _ => {
                return Assignment::Ambiguous {
                    volume,
                    disks: candidates.clone(),
                };
            }
        }
    }
    Assignment::Complete(chosen)
}

/// Of the chosen disks, those that nobody named for their volume: another disk may yet come that is. Not a disk
/// without a serial that is alone with the only volume: where a host names nothing there is no name to wait for.
pub(crate) fn unnamed(volumes: &[Volume], disks: &[Disk], chosen: &[usize]) -> Vec<(usize, usize)> {
    let pairs = chosen.iter().copied().enumerate();
    pairs
        .filter(|(volume, disk)| !serial_matches(&disks[*disk], &volumes[*volume].disk))
        .filter(|(_, disk)| volumes.len() > 1 || disks[*disk].serial.is_some())
        .collect()
}

/// Whether this is the disk for images and logs.
pub(crate) fn is_scratch(disk: &Disk) -> bool {
    disk.serial.as_deref() == Some(SCRATCH_SERIAL)
}

fn serial_matches(disk: &Disk, id: &str) -> bool {
    let Some(serial) = disk.serial.as_deref() else {
        return false;
    };
    serial == id || (serial.len() == VIRTIO_SERIAL && id.starts_with(serial))
}

/// What was found on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// No signature, and the first and the last MiB are zero.
    Blank,
    /// The partitions of a volume.
    Partitioned {
        /// Where they are.
        layout: Layout,
        /// The partition table is damaged, and can be made again.
        torn: bool,
    },
    /// A LUKS header at the start of the disk, as older images made it.
    WholeDisk,
    /// Anything else.
    Foreign(String),
}

/// What is to be done with a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// Make a volume.
    Format(Layout),
    /// Open the volume in the partitions; then make the table again where it is torn.
    Open {
        /// Where they are.
        layout: Layout,
        /// Whether to make the table again.
        torn: bool,
    },
    /// Open the volume that fills the disk.
    OpenWhole,
}

/// Decides what to do with the disk of a volume.
///
/// # Errors
/// The reason why the disk is left alone.
pub(crate) fn act(found: Found, disk: &Disk, create: Create) -> Result<Act, Fault> {
    if disk.read_only {
        return Err(Fault::ReadOnly);
    }
    match found {
        Found::Partitioned { layout, torn } => Ok(Act::Open { layout, torn }),
        Found::WholeDisk => Ok(Act::OpenWhole),
        Found::Foreign(what) => Err(Fault::Foreign { what }),
        Found::Blank if create == Create::Never => Err(Fault::BlankRefused),
        Found::Blank => Layout::of(disk.size)
            .map(Act::Format)
            .ok_or(Fault::TooSmall {
                size: disk.size,
                needed: Layout::LEAST,
            }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hpcr_contract::plan::{Filesystem, HeaderRecord};
    use std::path::PathBuf;

    const GIB: u64 = 1 << 30;

    fn disk(name: &str, serial: Option<&str>) -> Disk {
        Disk {
            name: name.to_owned(),
            node: PathBuf::from("/dev").join(name),
            size: GIB,
            sector: 512,
            serial: serial.map(str::to_owned),
            read_only: false,
            partitions: Vec::new(),
        }
    }

    fn volume(id: &str) -> Volume {
        Volume {
            name: id.to_owned(),
            disk: id.to_owned(),
            mount: "/mnt/data".to_owned(),
            filesystem: Filesystem::Ext4,
            passphrase: String::new().into(),
            previous_passphrases: Vec::new(),
            create: Create::IfBlank,
            header_record: HeaderRecord::Adopt,
        }
    }

    fn assigned(ids: &[&str], disks: &[(&str, Option<&str>)]) -> Assignment {
        let volumes: Vec<_> = ids.iter().map(|id| volume(id)).collect();
        let disks: Vec<_> = disks
            .iter()
            .map(|(name, serial)| disk(name, *serial))
            .collect();
        assign(&volumes, &disks, Some("vdz"))
    }

    #[test]
    fn a_serial_wins_over_a_spare_disk() {
        let found = assigned(&["one"], &[("vda", None), ("vdb", Some("one"))]);
        assert_eq!(found, Assignment::Complete(vec![1]));
    }

    #[test]
    fn the_only_spare_disk_serves_where_no_serial_matches() {
        assert_eq!(
            assigned(&["one"], &[("vda", Some("x"))]),
            Assignment::Complete(vec![0])
        );
        assert_eq!(
            assigned(&["one", "two"], &[("vda", Some("two")), ("vdb", None)]),
            Assignment::Complete(vec![1, 0])
        );
    }

    #[test]
    fn two_spare_disks_are_ambiguous_and_nobody_guesses() {
        assert_eq!(
            assigned(&["one"], &[("vda", None), ("vdb", None)]),
            Assignment::Ambiguous {
                volume: 0,
                disks: vec![0, 1]
            }
        );
        assert_eq!(
            assigned(&["one"], &[("vda", Some("one")), ("vdb", Some("one"))]),
            Assignment::Ambiguous {
                volume: 0,
                disks: vec![0, 1]
            }
        );
    }

    #[test]
    fn seed_and_scratch_disks_never_serve() {
        assert_eq!(
            assigned(
                &["one"],
                &[("vdz", Some("one")), ("vdb", Some(SCRATCH_SERIAL))]
            ),
            Assignment::Missing { volume: 0 }
        );
        assert_eq!(
            assigned(&[SCRATCH_SERIAL], &[("vdb", Some(SCRATCH_SERIAL))]),
            Assignment::Missing { volume: 0 }
        );
    }

    #[test]
    fn two_volumes_never_get_one_disk() {
        assert_eq!(
            assigned(&["one", "two"], &[("vda", None)]),
            Assignment::Missing { volume: 0 }
        );
        assert!(matches!(
            assigned(&["one", "one"], &[("vda", Some("one"))]),
            Assignment::Ambiguous { .. }
        ));
    }

    #[test]
    fn a_serial_that_virtio_cut_off_still_matches() {
        let id = "0787-0f3c1a7e-volume-of-some-length";
        assert_eq!(
            assigned(&[id], &[("vda", None), ("vdb", Some(&id[..20]))]),
            Assignment::Complete(vec![1])
        );
        assert_eq!(
            assigned(&[id], &[("vda", None), ("vdb", Some(&id[..19]))]),
            {
                Assignment::Ambiguous {
                    volume: 0,
                    disks: vec![0, 1],
                }
            }
        );
    }

    #[test]
    fn only_a_blank_disk_is_formatted() {
        let layout = Layout::of(GIB).unwrap();
        let cases = [
            (Found::Blank, Act::Format(layout)),
            (
                Found::Partitioned {
                    layout,
                    torn: false,
                },
                Act::Open {
                    layout,
                    torn: false,
                },
            ),
            (
                Found::Partitioned { layout, torn: true },
                Act::Open { layout, torn: true },
            ),
            (Found::WholeDisk, Act::OpenWhole),
        ];
        for (found, expected) in cases {
            assert_eq!(
                act(found, &disk("vda", None), Create::IfBlank).unwrap(),
                expected
            );
        }
        let foreign = act(
            Found::Foreign("xfs".to_owned()),
            &disk("vda", None),
            Create::IfBlank,
        );
        assert!(matches!(foreign, Err(Fault::Foreign { .. })));
    }

    #[test]
    fn create_never_refuses_a_blank_disk_and_opens_a_volume() {
        let layout = Layout::of(GIB).unwrap();
        let disk = disk("vda", None);
        assert!(matches!(
            act(Found::Blank, &disk, Create::Never),
            Err(Fault::BlankRefused)
        ));
        assert!(
            act(
                Found::Partitioned {
                    layout,
                    torn: false
                },
                &disk,
                Create::Never
            )
            .is_ok()
        );
    }

    #[test]
    fn a_disk_that_is_read_only_or_small_is_refused() {
        let mut read_only = disk("vda", None);
        read_only.read_only = true;
        assert!(matches!(
            act(Found::Blank, &read_only, Create::IfBlank),
            Err(Fault::ReadOnly)
        ));
        let mut small = disk("vda", None);
        small.size = Layout::LEAST - 1;
        assert!(matches!(
            act(Found::Blank, &small, Create::IfBlank),
            Err(Fault::TooSmall { .. })
        ));
    }
}
