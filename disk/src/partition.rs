//! The two partitions of a volume: a small one for metadata, the rest for data.
//!
//! Reads and makes partition tables in memory only. The table is an announcement: what makes a disk a volume is its
//! LUKS header, and a table that a power cut has torn is made again from the fixed layout.

use std::io::Cursor;

use gptman::{GPT, GPTHeader, GPTPartitionEntry};
use uuid::Uuid;

use crate::ends::{END, Ends};
use crate::error::Fault;

/// Label of the partition that holds the header record, 100 MiB.
pub(crate) const METADATA: &str = "metadata";
/// Label of the partition that is encrypted.
pub(crate) const DATA: &str = "data";
/// Bytes of the metadata partition of a new volume.
const METADATA_LENGTH: u64 = 100 << 20;
/// The least that the data partition of a new volume has: the LUKS header and a file system worth the name.
const DATA_LEAST: u64 = 64 << 20;
/// `0FC63DAF-8483-4772-8E79-3D69D8477DE4`, Linux file system data.
const TYPE_METADATA: Uuid = Uuid::from_u128(0x0FC6_3DAF_8483_4772_8E79_3D69_D847_7DE4);
/// `CA7D7CCB-63ED-4C53-861C-1742536059CC`, Linux LUKS.
const TYPE_DATA: Uuid = Uuid::from_u128(0xCA7D_7CCB_63ED_4C53_861C_1742_5360_59CC);
/// What every tool writes: 128 entries of 128 bytes (UEFI 2.10, 5.3.2, has them as the least).
const ENTRIES: u32 = 128;
const ENTRY_LENGTH: u32 = 128;

/// A run of bytes on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Number of the partition, from 1.
    pub(crate) number: u32,
    /// First byte.
    pub(crate) start: u64,
    /// Bytes.
    pub(crate) length: u64,
}

/// Where the two partitions of a volume are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The header record's.
    pub(crate) metadata: Extent,
    /// The encrypted one.
    pub(crate) data: Extent,
}

impl Layout {
    /// Bytes that a disk must have for a new volume.
    pub(crate) const LEAST: u64 = 2 * END + METADATA_LENGTH + DATA_LEAST;

    /// The layout of a new volume on a disk of `size` bytes: 1 MiB free at both ends, everything on whole MiB.
    pub(crate) fn of(size: u64) -> Option<Self> {
        if size < Self::LEAST {
            return None;
        }
        let start = END + METADATA_LENGTH;
        let end = (size - END) / END * END;
        Some(Self {
            metadata: Extent {
                number: 1,
                start: END,
                length: METADATA_LENGTH,
            },
            data: Extent {
                number: 2,
                start,
                length: end - start,
            },
        })
    }
}

/// The GPT of a new volume, with its protective MBR, ready to be written to both ends of the disk.
///
/// # Errors
/// [`Fault::MakePartitions`] where the disk is too small for the layout.
pub(crate) fn make(layout: &Layout, size: u64, sector: u64) -> Result<Ends, Fault> {
    let fault = |error: &dyn std::fmt::Display| Fault::MakePartitions {
        why: error.to_string(),
    };
    let mut ends = Ends::blank(size).map_err(|error| fault(&error))?;
    let mut gpt = GPT::new_from(&mut ends, sector, guid()).map_err(|error| fault(&error))?;
    for (extent, kind, label) in [
        (layout.metadata, TYPE_METADATA, METADATA),
        (layout.data, TYPE_DATA, DATA),
    ] {
        gpt[extent.number] = GPTPartitionEntry {
            partition_type_guid: kind.to_bytes_le(),
            unique_partition_guid: guid(),
            starting_lba: extent.start / sector,
            ending_lba: (extent.start + extent.length) / sector - 1,
            attribute_bits: 0,
            partition_name: label.into(),
        };
    }
    gpt.write_into(&mut ends).map_err(|error| fault(&error))?;
    GPT::write_protective_mbr_into(&mut ends, sector).map_err(|error| fault(&error))?;
    Ok(ends)
}

fn guid() -> [u8; 16] {
    Uuid::new_v4().to_bytes_le()
}

/// What the ends of a disk say of its partitions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Neither copy of a GPT is whole.
    Absent,
    /// The partitions of a volume.
    Volume {
        /// Where they are.
        layout: Layout,
        /// Both copies and the protective MBR are there.
        whole: bool,
    },
}

/// Reads the GPT from the ends of a disk: the primary, else the backup.
///
/// # Errors
/// [`Fault::Partitions`] where there is a whole GPT, but not with the two partitions of a volume.
pub(crate) fn read(ends: &Ends, sector: u64) -> Result<Table, Fault> {
    let size = ends.size();
    let primary = entries(ends.head(), 0, sector, sector);
    let backup = entries(ends.tail(), size - END, size - sector, sector);
    let protective =
        ends.head().get(510..512) == Some(&[0x55, 0xaa]) && ends.head().get(450) == Some(&0xee);
    let whole = primary.is_some() && backup.is_some() && protective;
    match primary.or(backup) {
        Some(entries) => Ok(Table::Volume {
            layout: layout(&entries, size, sector)?,
            whole,
        }),
        None => Ok(Table::Absent),
    }
}

/// The used entries with their numbers, where the copy of the GPT whose header is at byte `at` is whole. `bytes` are
/// those from byte `from` of the disk.
fn entries(bytes: &[u8], from: u64, at: u64, sector: u64) -> Option<Vec<(u32, GPTPartitionEntry)>> {
    let mut cursor = Cursor::new(bytes.get(usize::try_from(at - from).ok()?..)?);
    let header = GPTHeader::read_from(&mut cursor).ok()?;
    // The library trusts these four numbers, so they are checked before it sees the entries.
    let array = header
        .partition_entry_lba
        .checked_mul(sector)?
        .checked_sub(from)?;
    let room = u64::from(ENTRIES) * u64::from(ENTRY_LENGTH);
    let fits = array.checked_add(room)? <= bytes.len() as u64;
    let usual = header.number_of_partition_entries == ENTRIES
        && header.size_of_partition_entry == ENTRY_LENGTH;
    if !usual || !fits || header.primary_lba.checked_mul(sector) != Some(at) {
        return None;
    }
    let header = GPTHeader {
        partition_entry_lba: 0,
        ..header.clone()
    };
    let mut array = Cursor::new(bytes.get(usize::try_from(array).ok()?..)?);
    let entries = header.read_partitions(&mut array, sector).ok()?;
    Some(
        (1..)
            .zip(entries)
            .filter(|(_, entry)| entry.is_used())
            .collect(),
    )
}

fn layout(entries: &[(u32, GPTPartitionEntry)], size: u64, sector: u64) -> Result<Layout, Fault> {
    if entries.len() != 2 {
        return Err(Fault::Partitions {
            why: "there are not two of them",
        });
    }
    let named = |label: &str| {
        let (number, entry) = entries
            .iter()
            .find(|(_, entry)| entry.partition_name.as_str() == label)
            .ok_or(Fault::Partitions {
                why: "their labels are not `metadata` and `data`",
            })?;
        extent(*number, entry, size, sector).ok_or(Fault::Partitions {
            why: "they reach beyond the disk",
        })
    };
    let (metadata, data) = (named(METADATA)?, named(DATA)?);
    let apart = metadata.start + metadata.length <= data.start
        || data.start + data.length <= metadata.start;
    if !apart {
        return Err(Fault::Partitions {
            why: "they overlap",
        });
    }
    Ok(Layout { metadata, data })
}

fn extent(number: u32, entry: &GPTPartitionEntry, size: u64, sector: u64) -> Option<Extent> {
    let start = entry.starting_lba.checked_mul(sector)?;
    let end = entry.ending_lba.checked_add(1)?.checked_mul(sector)?;
    let length = end.checked_sub(start)?;
    (length > 0 && start >= 2 * sector && end <= size).then_some(Extent {
        number,
        start,
        length,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;
    use std::io::{Seek, SeekFrom, Write};

    const SIZE: u64 = 1 << 30;

    fn table(sector: u64) -> (Layout, Ends) {
        let layout = Layout::of(SIZE).unwrap();
        (layout, make(&layout, SIZE, sector).unwrap())
    }

    fn overwrite(ends: &mut Ends, at: u64, bytes: &[u8]) {
        ends.seek(SeekFrom::Start(at)).unwrap();
        ends.write_all(bytes).unwrap();
    }

    #[test]
    fn a_new_table_reads_back_with_both_sector_sizes() {
        for sector in [512, 4096] {
            let (layout, ends) = table(sector);
            assert_eq!(
                read(&ends, sector).unwrap(),
                Table::Volume {
                    layout,
                    whole: true
                }
            );
        }
    }

    #[test]
    fn the_layout_is_a_hundred_mib_and_the_rest_on_whole_mib() {
        let layout = Layout::of(SIZE + 12345).unwrap();
        assert_eq!(
            layout.metadata,
            Extent {
                number: 1,
                start: 1 << 20,
                length: 100 << 20
            }
        );
        assert_eq!(
            layout.data,
            Extent {
                number: 2,
                start: 101 << 20,
                length: (1023 - 101) << 20
            }
        );
        assert_eq!(Layout::of(Layout::LEAST - 1), None);
        assert!(Layout::of(Layout::LEAST).is_some());
    }

    #[test]
    fn either_copy_alone_is_enough_but_not_whole() {
        for damaged in [512, 1024, SIZE - 512] {
            let (layout, mut ends) = table(512);
            overwrite(&mut ends, damaged, &[0xff; 8]);
            assert_eq!(
                read(&ends, 512).unwrap(),
                Table::Volume {
                    layout,
                    whole: false
                },
                "damage at {damaged}"
            );
        }
    }

    #[test]
    fn without_a_whole_copy_there_is_no_table() {
        let (_, mut ends) = table(512);
        overwrite(&mut ends, 1024, &[0xff; 8]);
        overwrite(&mut ends, SIZE - 512, &[0xff; 8]);
        assert_eq!(read(&ends, 512).unwrap(), Table::Absent);
        assert_eq!(
            read(&Ends::blank(SIZE).unwrap(), 512).unwrap(),
            Table::Absent
        );
    }

    /// A GPT with a valid checksum and these entries.
    fn hostile(entries: &[(&str, u64, u64)]) -> Ends {
        let mut ends = Ends::blank(SIZE).unwrap();
        let mut gpt = GPT::new_from(&mut ends, 512, guid()).unwrap();
        let mut partitions = vec![GPTPartitionEntry::empty(); 128];
        for (slot, (label, first, last)) in entries.iter().enumerate() {
            partitions[slot] = GPTPartitionEntry {
                partition_type_guid: [1; 16],
                unique_partition_guid: guid(),
                starting_lba: *first,
                ending_lba: *last,
                attribute_bits: 0,
                partition_name: (*label).into(),
            };
        }
        gpt.header.write_into(&mut ends, 512, &partitions).unwrap();
        ends
    }

    #[test]
    fn other_partitions_are_refused() {
        let cases: &[&[(&str, u64, u64)]] = &[
            &[],
            &[("data", 2048, 4095)],
            &[
                ("metadata", 2048, 4095),
                ("data", 4096, 8191),
                ("more", 8192, 9000),
            ],
            &[("metadata", 2048, 4095), ("root", 4096, 8191)],
            &[("metadata", 2048, 4096), ("data", 4096, 8191)],
            &[("metadata", 2048, 4095), ("data", 4096, SIZE / 512)],
            &[("metadata", 2048, 4095), ("data", 4096, u64::MAX)],
            &[("metadata", 2048, 2047), ("data", 4096, 8191)],
            &[("metadata", 0, 100), ("data", 4096, 8191)],
        ];
        for case in cases {
            assert!(read(&hostile(case), 512).is_err(), "{case:?}");
        }
    }

    #[test]
    fn numbers_that_would_make_the_library_panic_are_no_table() {
        for (count, length, lba) in [
            (u32::MAX, 128, 2),
            (128, u32::MAX, 2),
            (128, 128, u64::MAX),
            (0, 0, 2),
        ] {
            let mut ends = Ends::blank(SIZE).unwrap();
            let mut gpt = GPT::new_from(&mut ends, 512, guid()).unwrap();
            gpt.header.number_of_partition_entries = count;
            gpt.header.size_of_partition_entry = length;
            gpt.header.partition_entry_lba = lba;
            gpt.header.update_crc32_checksum();
            let mut fresh = Ends::blank(SIZE).unwrap();
            // Only the header: the entries stay zero.
            fresh.seek(SeekFrom::Start(512)).unwrap();
            fresh.write_all(&header_bytes(&gpt.header)).unwrap();
            assert_eq!(read(&fresh, 512).unwrap(), Table::Absent);
        }
    }

    fn header_bytes(header: &GPTHeader) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(header.signature);
        bytes.extend(header.revision);
        bytes.extend(header.header_size.to_le_bytes());
        bytes.extend(header.generate_crc32_checksum().to_le_bytes());
        bytes.extend(header.reserved);
        for number in [
            header.primary_lba,
            header.backup_lba,
            header.first_usable_lba,
            header.last_usable_lba,
        ] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(header.disk_guid);
        bytes.extend(header.partition_entry_lba.to_le_bytes());
        bytes.extend(header.number_of_partition_entries.to_le_bytes());
        bytes.extend(header.size_of_partition_entry.to_le_bytes());
        bytes.extend(0u32.to_le_bytes());
        bytes
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(at in 0usize..34 * 512, bytes: [u8; 4], backup: bool) {
            let (_, mut ends) = table(512);
            let at = if backup { SIZE - 34 * 512 + at as u64 - 4 } else { at as u64 };
            overwrite(&mut ends, at, &bytes);
            let _ = read(&ends, 512);
        }
    }
}
