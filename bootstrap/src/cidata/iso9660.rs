//! Reads files of the root folder of an ISO 9660 image (ECMA-119) that lies in memory, with Rock Ridge (IEEE P1282) or
//! Joliet names where there are some.
//!
//! The image comes from the host, so nothing in it is believed: every number is checked against the buffer, every loop
//! has an end. Nothing is allocated by a number of the image.

/// Bytes of a sector, and of the logical blocks that are read here.
pub(crate) const SECTOR: usize = 2048;
/// The same, as a descriptor holds it.
const BLOCK_SIZE: [u8; 2] = 2048u16.to_le_bytes();
/// Where the volume descriptors begin (ECMA-119 section 6.2.1).
pub(crate) const FIRST_DESCRIPTOR: u64 = 16 * SECTOR as u64;

/// The most volume descriptors that are looked at.
const MAX_DESCRIPTORS: usize = 32;
/// The largest root folder.
const MAX_FOLDER: usize = 1 << 20;

/// What is wrong with an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its ISO 9660 image cannot be used: {0}")]
pub(crate) struct IsoError(pub(crate) &'static str);

/// An image.
#[derive(Debug)]
pub(crate) struct Image<'a> {
    bytes: &'a [u8],
    volume_id: &'a str,
    root: &'a [u8],
    joliet: Option<&'a [u8]>,
}

/// A record of a folder (ECMA-119 section 9.1).
#[derive(Debug, Clone, Copy)]
struct Record<'a> {
    start: usize,
    length: usize,
    flags: u8,
    name: &'a [u8],
    /// System use: Rock Ridge, where it is used.
    system: &'a [u8],
}

const IS_FOLDER: u8 = 1 << 1;
const GOES_ON: u8 = 1 << 7;

/// The volume id of a primary volume descriptor, without the spaces behind it.
pub(crate) fn volume_id(descriptor: &[u8]) -> Option<&str> {
    let is_primary = descriptor.get(..7)? == b"\x01CD001\x01";
    let id = descriptor.get(40..72)?;
    std::str::from_utf8(id)
        .ok()
        .filter(|_| is_primary)
        .map(|id| id.trim_end_matches([' ', '\0']))
}

impl<'a> Image<'a> {
    /// Reads the volume descriptors.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, IsoError> {
        let sectors = bytes
            .get(16 * SECTOR..)
            .unwrap_or_default()
            .chunks_exact(SECTOR);
        let (mut primary, mut joliet) = (None, None);
        for descriptor in sectors.take(MAX_DESCRIPTORS) {
            if descriptor.get(1..6) != Some(b"CD001") {
                break;
            }
            match descriptor[0] {
                255 => break,
                1 if primary.is_none() => primary = Some(descriptor),
                2 if is_joliet(descriptor) => joliet = Some(descriptor),
                _ => {}
            }
        }
        let primary = primary.ok_or(IsoError("there is no primary volume descriptor"))?;
        Ok(Self {
            bytes,
            volume_id: volume_id(primary).ok_or(IsoError("the volume id is not text"))?,
            root: root(bytes, primary)?,
            joliet: joliet
                .map(|descriptor| root(bytes, descriptor))
                .transpose()?,
        })
    }

    /// The volume id.
    pub(crate) fn volume_id(&self) -> &'a str {
        self.volume_id
    }

    /// The content of a file of the root folder; `name` in lower case, of letters, digits and `-`.
    pub(crate) fn file(&self, name: &str) -> Result<Option<&'a [u8]>, IsoError> {
        let has_rock_ridge =
            records(self.root).any(|record| rock_ridge_name(record.system).is_some());
        match self.joliet {
            Some(joliet) if !has_rock_ridge => self.find(joliet, |record| {
                let letters = record
                    .name
                    .chunks_exact(2)
                    .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                let found: String = char::decode_utf16(letters)
                    .map(|letter| letter.unwrap_or('?'))
                    .collect();
                found
                    .strip_suffix(";1")
                    .unwrap_or(&found)
                    .eq_ignore_ascii_case(name)
            }),
            _ => self.find(self.root, |record| match rock_ridge_name(record.system) {
                Some(found) => found.eq_ignore_ascii_case(name.as_bytes()),
                None => is_plain_form(record.name, name),
            }),
        }
    }

    fn find(
        &self,
        folder: &'a [u8],
        is_it: impl Fn(&Record<'a>) -> bool,
    ) -> Result<Option<&'a [u8]>, IsoError> {
        let mut found =
            records(folder).filter(|record| record.flags & IS_FOLDER == 0 && is_it(record));
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(IsoError("a file is there twice")),
            (Some(record), None) if record.flags & GOES_ON != 0 => {
                Err(IsoError("a file is in several parts"))
            }
            (Some(record), None) => extent(self.bytes, record.start, record.length)
                .map(Some)
                .ok_or(IsoError("a file lies outside of the image")),
        }
    }
}

/// A supplementary descriptor with one of Joliet's three escape sequences.
fn is_joliet(descriptor: &[u8]) -> bool {
    matches!(descriptor.get(88..91), Some(b"%/@" | b"%/C" | b"%/E"))
}

/// The root folder of a descriptor (ECMA-119 section 8.4.18).
fn root<'a>(bytes: &'a [u8], descriptor: &'a [u8]) -> Result<&'a [u8], IsoError> {
    if descriptor.get(128..130) != Some(&BLOCK_SIZE) {
        return Err(IsoError("its blocks are not of 2,048 bytes"));
    }
    let record = descriptor
        .get(156..190)
        .and_then(record)
        .ok_or(IsoError("the root folder has no record"))?;
    if record.length > MAX_FOLDER {
        return Err(IsoError("the root folder is larger than 1 MiB"));
    }
    extent(bytes, record.start, record.length)
        .ok_or(IsoError("the root folder lies outside of the image"))
}

/// `length` bytes from a block on.
fn extent(bytes: &[u8], block: usize, length: usize) -> Option<&[u8]> {
    let start = block.checked_mul(SECTOR)?;
    bytes.get(start..start.checked_add(length)?)
}

/// The records of a folder, which do not cross sectors. A broken record ends its sector.
fn records(folder: &[u8]) -> impl Iterator<Item = Record<'_>> {
    folder.chunks(SECTOR).flat_map(|sector| {
        let mut rest = sector;
        std::iter::from_fn(move || {
            let found = record(rest)?;
            rest = &rest[usize::from(rest[0])..];
            Some(found)
        })
    })
}

/// The record at the start of some bytes.
fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let length = usize::from(*bytes.first()?);
    let bytes = bytes.get(..length).filter(|bytes| bytes.len() >= 34)?;
    let number = |at: usize| {
        let word = bytes.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(word)).ok()
    };
    let name_end = 33 + usize::from(bytes[32]);
    let name = bytes.get(33..name_end)?;
    // A name of even length is followed by a byte of padding.
    let system = bytes
        .get(name_end + usize::from(name.len() % 2 == 0)..)
        .unwrap_or_default();
    Some(Record {
        start: number(2)?,
        length: number(10)?,
        flags: bytes[25],
        name,
        system,
    })
}

/// The name in Rock Ridge's `NM` entries (IEEE P1282 section 4.1.4). What goes on elsewhere is no name of ours.
fn rock_ridge_name(system: &[u8]) -> Option<Vec<u8>> {
    let mut name = None;
    let mut rest = system;
    while let [a, b, length, _, ..] = *rest {
        let entry = rest
            .get(..usize::from(length))
            .filter(|entry| entry.len() >= 4)?;
        if [a, b] == *b"NM" {
            name.get_or_insert_with(Vec::new)
                .extend_from_slice(entry.get(5..)?);
        }
        rest = &rest[entry.len()..];
    }
    name
}

/// Whether `USER_DAT.;1` (level 1) or `USER_DATA.;1` (level 2) is the plain form of `user-data`.
fn is_plain_form(found: &[u8], wanted: &str) -> bool {
    let end = found
        .iter()
        .position(|byte| matches!(byte, b'.' | b';'))
        .unwrap_or(found.len());
    let (base, version) = found.split_at(end);
    let plain = wanted.to_ascii_uppercase().replace('-', "_");
    matches!(version, b"" | b"." | b";1" | b".;1")
        && (base == plain.as_bytes() || Some(base) == plain.as_bytes().get(..8))
}

#[cfg(test)]
pub(crate) mod tests;
