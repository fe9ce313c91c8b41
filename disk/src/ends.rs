//! The first and the last MiB of a disk, read once into memory: what tells a blank disk from a used one, and where a
//! GPT lives.
//!
//! To a GPT library it looks like the whole disk; what lies between the ends can neither be read nor written here.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

/// Bytes of an end.
pub(crate) const END: u64 = 1 << 20;
const END_BYTES: usize = 1 << 20;

/// Both ends of a disk.
pub(crate) struct Ends {
    size: u64,
    position: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Ends {
    /// The ends of a disk of `size` bytes, all zero.
    ///
    /// # Errors
    /// Where the two ends would touch.
    pub(crate) fn blank(size: u64) -> io::Result<Self> {
        if size < 2 * END {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the disk is smaller than 2 MiB",
            ));
        }
        Ok(Self {
            size,
            position: 0,
            head: vec![0; END_BYTES],
            tail: vec![0; END_BYTES],
        })
    }

    /// Reads both ends of an open disk.
    ///
    /// # Errors
    /// Where the disk is smaller than 2 MiB or cannot be read.
    pub(crate) fn read(disk: &File, size: u64) -> io::Result<Self> {
        let mut ends = Self::blank(size)?;
        disk.read_exact_at(&mut ends.head, 0)?;
        disk.read_exact_at(&mut ends.tail, size - END)?;
        Ok(ends)
    }

    /// Whether both ends are zero to the last byte.
    pub(crate) fn is_zero(&self) -> bool {
        self.head.iter().chain(&self.tail).all(|byte| *byte == 0)
    }

    /// Bytes of the disk.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The first MiB.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The last MiB.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.tail
    }

    /// The bytes from the position to the end of that end.
    fn here(&mut self) -> io::Result<&mut [u8]> {
        let tail_start = self.size - END;
        let (end, start) = if self.position < END {
            (&mut self.head, 0)
        } else {
            (&mut self.tail, tail_start)
        };
        self.position
            .checked_sub(start)
            .and_then(|offset| usize::try_from(offset).ok())
            .and_then(|offset| end.get_mut(offset..))
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "outside of the first and the last MiB",
                )
            })
    }
}

impl Read for Ends {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let here = self.here()?;
        let count = here.len().min(buffer.len());
        buffer[..count].copy_from_slice(&here[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Write for Ends {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let here = self.here()?;
        let count = here.len().min(bytes.len());
        here[..count].copy_from_slice(&bytes[..count]);
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Ends {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_byte_at_either_end_is_not_blank() {
        const SIZE: u64 = 4 << 20;
        for offset in [0, END - 1, SIZE - END, SIZE - 1] {
            let file = tempfile::tempfile().unwrap();
            file.set_len(SIZE).unwrap();
            assert!(Ends::read(&file, SIZE).unwrap().is_zero());
            file.write_all_at(&[1], offset).unwrap();
            assert!(
                !Ends::read(&file, SIZE).unwrap().is_zero(),
                "byte at {offset}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_position_reads_back_or_fails_but_never_panics(position: u64, size in 2 * END..1 << 40) {
            let mut ends = Ends::blank(size).unwrap();
            ends.seek(SeekFrom::Start(position)).unwrap();
            let inside = position < END || (size - END..size).contains(&position);
            let written = ends.write(b"x");
            prop_assert_eq!(matches!(written, Ok(1)), inside);
        }
    }
}
