//! A data volume from its disk to its mount: made where the disk is blank, opened where it is not.
//!
//! The order of the writes is the promise: a first format writes the partition table last, so that one that was cut off
//! is still blank; opening writes nothing until the key is proven.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use hpcr_contract::plan::{Filesystem, HeaderRecord, Volume};
use hpcr_contract::secret::ExposeSecret;

use crate::acts::{Acts, Mapping};
use crate::decide::{Act, act};
use crate::ends::END;
use crate::error::{DiskError, Fault, Place};
use crate::event::Event;
use crate::inventory::Disk;
use crate::luks::copy::HeaderCopy;
use crate::luks::header::Refusal;
use crate::luks::keys::{self, VolumeKey};
use crate::luks::record::{self, Record, RecordKey, SLOT, SLOTS, Verdict};
use crate::mounted::{Mounted, node};
use crate::partition::{self, Extent, Layout};
use crate::{Context, filesystem, probe, search};

/// Opens all volumes, or none.
pub(crate) fn open_all(
    acts: &mut dyn Acts,
    volumes: &[Volume],
    context: &Context,
    report: &mut dyn FnMut(Event),
) -> Result<Vec<Mounted>, DiskError> {
    let disks = search::disks(volumes, context, report)?;
    let mut mounted: Vec<Mounted> = Vec::new();
    for (volume, disk) in volumes.iter().zip(&disks) {
        let place = Place::volume(&volume.name).on(&disk.name);
        let mut job = Job {
            acts,
            context,
            volume,
            disk,
            place: &place,
            report,
        };
        match job.run().map_err(place.fault()) {
            Ok(volume) => mounted.push(volume),
            Err(error) => {
                for volume in mounted.into_iter().rev() {
                    if let Err(error) = volume.close_by(acts) {
                        report(Event::NotClosed(error));
                    }
                }
                return Err(error);
            }
        }
    }
    Ok(mounted)
}

/// One volume, its disk and everything that is needed for them.
struct Job<'a> {
    acts: &'a mut dyn Acts,
    context: &'a Context,
    volume: &'a Volume,
    disk: &'a Disk,
    place: &'a Place,
    report: &'a mut dyn FnMut(Event),
}

/// A volume whose key is known and whose header is trusted.
struct Unlocked {
    device: PathBuf,
    header: HeaderCopy,
    key: VolumeKey,
}

impl Job<'_> {
    fn run(&mut self) -> Result<Mounted, Fault> {
        let unlocked = match act(probe::look(self.disk)?, self.disk, self.volume.create)? {
            Act::Format(layout) => return self.format(&layout),
            Act::Open { layout, torn } => self.open(&layout, torn)?,
            Act::OpenWhole => self.open_whole()?,
        };
        let mapping = self.map(&unlocked)?;
        self.mount(mapping)
    }

    /// Makes a volume on a blank disk. Until the last write the disk counts as blank.
    fn format(&mut self, layout: &Layout) -> Result<Mounted, Fault> {
        if self.volume.filesystem != Filesystem::Ext4 {
            return Err(Fault::FilesystemUnsupported {
                filesystem: self.volume.filesystem,
            });
        }
        (self.report)(Event::Formatting(self.place.clone()));
        let metadata = self.partition(layout.metadata)?;
        let device = self.partition(layout.data)?;
        self.acts
            .make_filesystem(&self.context.mke2fs, filesystem::METADATA, &metadata)?;

        let key = VolumeKey::random().map_err(|error| Fault::MakeLuks {
            why: error.to_string(),
        })?;
        let header = keys::create(&key, self.volume.passphrase.expose_secret().as_bytes())?;
        self.acts
            .write(&device, &[(0, &header)])
            .map_err(|error| Fault::MakeLuks {
                why: error.to_string(),
            })?;
        // Read back: the record is about what is on the disk, and what we write passes our own checks.
        let unlocked = Unlocked {
            header: read_header(&device, layout.data.length)?,
            device,
            key,
        };

        let mapping = self.map(&unlocked)?;
        let made = self.finish_format(layout, &metadata, &unlocked, &mapping);
        self.or_unmap(&mapping, made)?;
        (self.report)(Event::Formatted(self.place.clone()));
        self.mount(mapping)
    }

    fn finish_format(
        &mut self,
        layout: &Layout,
        metadata: &Path,
        unlocked: &Unlocked,
        mapping: &str,
    ) -> Result<(), Fault> {
        let device = node(&self.context.dev, mapping);
        self.acts
            .make_filesystem(&self.context.mke2fs, filesystem::DATA, &device)?;
        self.write_first_record(metadata, unlocked)?;
        self.write_table(layout)
    }

    /// Opens the volume in two partitions.
    fn open(&mut self, layout: &Layout, torn: bool) -> Result<Unlocked, Fault> {
        let metadata = self.partition(layout.metadata)?;
        let device = self.partition(layout.data)?;
        let unlocked = self.unlock(device, layout.data.length)?;
        let mut slots = [0; SLOTS];
        File::open(&metadata)
            .and_then(|file| file.read_exact_at(&mut slots, 0))
            .map_err(|source| Fault::Read {
                what: "the header record",
                source,
            })?;
        let verdict = record::judge(
            &slots,
            &self.record_key(&unlocked)?,
            unlocked.header.header.uuid,
            unlocked.header.digest,
        );
        match verdict.map_err(Fault::RecordCrypto)? {
            Verdict::Contradicted => return Err(Fault::RecordMismatch),
            Verdict::Proven(_) => (self.report)(Event::Opened(self.place.clone())),
            // The record is written before the table, so no cut leaves a torn table without a record.
            Verdict::Absent if torn => {
                return Err(Fault::Foreign {
                    what: "LUKS without a partition table and a header record".to_owned(),
                });
            }
            Verdict::Absent if self.volume.header_record == HeaderRecord::Require => {
                return Err(Fault::RecordMissing);
            }
            Verdict::Absent => {
                self.write_first_record(&metadata, &unlocked)?;
                (self.report)(Event::Adopted(self.place.clone()));
            }
        }
        if torn {
            self.write_table(layout)?;
            (self.report)(Event::TableRestored(self.place.clone()));
        }
        Ok(unlocked)
    }

    /// Opens a volume that fills its disk.
    fn open_whole(&mut self) -> Result<Unlocked, Fault> {
        if self.volume.header_record == HeaderRecord::Require {
            return Err(Fault::RecordMissing);
        }
        let unlocked = self.unlock(self.disk.node.clone(), self.disk.size)?;
        (self.report)(Event::OpenedWithoutRecord(self.place.clone()));
        Ok(unlocked)
    }

    /// Reads the header and takes the key out of it. The device is only read.
    fn unlock(&self, device: PathBuf, length: u64) -> Result<Unlocked, Fault> {
        let header = read_header(&device, length)?;
        let (needed, available) = (header.header.memory(), self.context.key_memory);
        if needed > available {
            return Err(Fault::Memory { needed, available });
        }
        let passphrase = self.volume.passphrase.expose_secret().as_bytes();
        if let Some(key) = keys::unlock(&header, passphrase)? {
            return Ok(Unlocked {
                device,
                header,
                key,
            });
        }
        for previous in &self.volume.previous_passphrases {
            if keys::unlock(&header, previous.expose_secret().as_bytes())?.is_some() {
                return Err(Fault::PreviousPassphrase);
            }
        }
        Err(Fault::Passphrase)
    }

    /// The node of a partition; tells the kernel of it where it does not know it yet.
    fn partition(&mut self, extent: Extent) -> Result<PathBuf, Fault> {
        match self
            .disk
            .partitions
            .iter()
            .find(|known| known.number == extent.number)
        {
            Some(known) if (known.start, known.length) == (extent.start, extent.length) => {}
            Some(_) => {
                return Err(Fault::Partitions {
                    why: "the kernel was shown others",
                });
            }
            None => self
                .acts
                .add_partition(&self.disk.node, extent)
                .map_err(|error| Fault::MakePartitions {
                    why: error.to_string(),
                })?,
        }
        Ok(self.disk.partition_node(extent.number))
    }

    fn record_key(&self, unlocked: &Unlocked) -> Result<RecordKey, Fault> {
        RecordKey::derive(
            &unlocked.key,
            &self.volume.name,
            unlocked.header.header.uuid,
        )
        .map_err(Fault::RecordCrypto)
    }

    fn write_first_record(&mut self, metadata: &Path, unlocked: &Unlocked) -> Result<(), Fault> {
        let record = Record {
            generation: 1,
            uuid: unlocked.header.header.uuid,
            header: unlocked.header.digest,
            previous: None,
        };
        let slot = record
            .seal(&self.record_key(unlocked)?)
            .map_err(Fault::RecordCrypto)?;
        self.acts
            .write(metadata, &[((record.slot() * SLOT) as u64, &slot)])
            .map_err(Fault::RecordWrite)
    }

    /// The backup first: whichever write a power cut tears, the disk leads to the volume or is blank.
    fn write_table(&mut self, layout: &Layout) -> Result<(), Fault> {
        let ends = partition::make(layout, self.disk.size, self.disk.sector)?;
        self.acts
            .write(
                &self.disk.node,
                &[(self.disk.size - END, ends.tail()), (0, ends.head())],
            )
            .map_err(|error| Fault::MakePartitions {
                why: error.to_string(),
            })
    }

    fn map(&mut self, unlocked: &Unlocked) -> Result<String, Fault> {
        let mapping = format!("hpcr-{}", self.disk.name);
        let source = Mapping::Luks {
            header: &unlocked.header,
            device: &unlocked.device,
        };
        self.acts.map(&mapping, source, &unlocked.key)?;
        Ok(mapping)
    }

    fn mount(&mut self, mapping: String) -> Result<Mounted, Fault> {
        let folder = PathBuf::from(&self.volume.mount);
        let options = filesystem::mount_options(self.volume.filesystem);
        let mounted = self
            .acts
            .mount(&node(&self.context.dev, &mapping), &folder, &options)
            .map_err(Fault::Mount);
        self.or_unmap(&mapping, mounted)?;
        (self.report)(Event::Mounted(self.place.clone()));
        Ok(Mounted {
            place: self.place.clone(),
            folder,
            mapping,
        })
    }

    /// Takes the mapping away where what came after it failed.
    fn or_unmap(&mut self, mapping: &str, outcome: Result<(), Fault>) -> Result<(), Fault> {
        if outcome.is_err()
            && let Err(error) = self.acts.unmap(mapping)
        {
            (self.report)(Event::NotClosed(self.place.fault()(Fault::Close(error))));
        }
        outcome
    }
}

fn read_header(device: &Path, length: u64) -> Result<HeaderCopy, Fault> {
    let file = File::open(device).map_err(|source| Fault::Read {
        what: "the LUKS header",
        source,
    })?;
    let header = HeaderCopy::read(&file)?;
    if header.header.data_offset() >= length {
        return Err(Refusal::Shape("its data begins beyond the disk").into());
    }
    Ok(header)
}

#[cfg(test)]
#[path = "volume_tests.rs"]
mod tests;
