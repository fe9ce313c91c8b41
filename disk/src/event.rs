//! What happens to the volumes, for the log.

use std::fmt;

use hpcr_contract::messages::{self, Code};

use crate::error::{DiskError, Place};

/// Something that happened as it should, or that someone should look at.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A disk is not there yet.
    Waiting(Place),
    /// The only disk for a volume is blank and not named for it: another may yet come.
    Settling(Place),
    /// A blank disk is going to be made a volume.
    Formatting(Place),
    /// The blank disk has become a volume.
    Formatted(Place),
    /// The volume opened, and its record proves the header.
    Opened(Place),
    /// The volume opened, had no record, and has got one.
    Adopted(Place),
    /// The volume opened; it fills its disk, where there is no place for a record.
    OpenedWithoutRecord(Place),
    /// The partition table was torn and has been made again.
    TableRestored(Place),
    /// The volume is mounted where the contract says.
    Mounted(Place),
    /// While another error was handled, this volume could not be closed.
    NotClosed(DiskError),
}

impl Event {
    /// The message code, where the event has one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Formatted(_) | Self::Opened(_) => Some(messages::ENCRYPTION_SUCCESS),
            // A host that zeroes the record and puts an older header back looks the same.
            Self::Adopted(_) | Self::OpenedWithoutRecord(_) => Some(messages::HEADER_UNPROVEN),
            Self::Mounted(_) => Some(messages::MOUNT_SUCCESS),
            Self::NotClosed(error) => Some(error.code()),
            Self::Waiting(_) | Self::Settling(_) | Self::Formatting(_) | Self::TableRestored(_) => {
                None
            }
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(place) => write!(f, "{place}: waiting for its disk"),
            Self::Settling(place) => write!(
                f,
                "{place}: the disk is blank and has not the volume's id as its serial, waiting for one that has"
            ),
            Self::Formatting(place) => {
                write!(f, "{place}: the disk is blank, a new volume is made")
            }
            Self::Formatted(place) => write!(f, "{place}: made and open"),
            Self::Opened(place) => write!(f, "{place}: open, header proven"),
            Self::Adopted(place) => {
                write!(f, "{place}: open, had no header record and has got one")
            }
            Self::OpenedWithoutRecord(place) => {
                write!(
                    f,
                    "{place}: open, but it fills the disk, where no header record can be kept"
                )
            }
            Self::TableRestored(place) => write!(
                f,
                "{place}: the partition table was torn and has been made again"
            ),
            Self::Mounted(place) => write!(f, "{place}: mounted"),
            Self::NotClosed(error) => write!(f, "{error}"),
        }
    }
}
