//! Reads a LUKS2 header, checks it against the few shapes that this appliance and cryptsetup's defaults write, and
//! writes one.
//!
//! Pure: bytes in, a checked [`Header`] out. It never repairs: where the two copies differ, neither is believed.
//! (LUKS2 On-Disk Format Specification 1.1, section 2.)

use std::collections::BTreeSet;

use openssl::sha::sha256;
use thiserror::Error;
use uuid::Uuid;

use super::json::{Kdf, Metadata};
use super::parameters::{
    AREA, ARGON2_LANES, ARGON2_MEMORY, ARGON2_TIME, DIGEST_PBKDF2_ITERATIONS, HEADER, HEADERS, KEY,
    PBKDF2_ITERATIONS, SEGMENT_OFFSET, SLOTS_MOST, STRIPES, WORK_MOST,
};
use crate::error::{Fault, tame};

/// The first six bytes of a LUKS device.
pub(crate) const MAGIC: &[u8; 6] = b"LUKS\xba\xbe";
const MAGIC_SECONDARY: &[u8; 6] = b"SKUL\xba\xbe";
/// Bytes of the binary header; the JSON area follows.
const BINARY: usize = 4096;
/// Where the checksum is, of which SHA-256 fills the first 32 of 64 bytes.
const CHECKSUM: usize = 448;

/// A header whose form is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The volume's UUID.
    pub(crate) uuid: Uuid,
    /// Everything else.
    pub(crate) metadata: Metadata,
}

/// Why a header is refused.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("it has no LUKS2 magic")]
    Magic,
    #[error("it is LUKS1, which carries no checksum")]
    Luks1,
    #[error("its {0} is not the expected one")]
    Field(&'static str),
    #[error("the checksum of its {0} copy is wrong")]
    Checksum(&'static str),
    #[error("its two copies differ")]
    Copies,
    #[error("its JSON is not of an accepted form: {0}")]
    Json(String),
    #[error("{0}")]
    Shape(&'static str),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Header {
            why: refusal.to_string(),
        }
    }
}

/// Reads and checks both copies, [`HEADERS`] bytes.
pub(crate) fn parse(bytes: &[u8]) -> Result<Header, Refusal> {
    let bytes: &[u8; HEADERS] = bytes.try_into().map_err(|_| Refusal::Field("length"))?;
    let (primary, secondary) = bytes.split_at(HEADER);
    let first = binary(primary, MAGIC, 0, "first")?;
    let second = binary(secondary, MAGIC_SECONDARY, HEADER as u64, "second")?;
    if first != second {
        return Err(Refusal::Copies);
    }
    let metadata: Metadata = serde_json::from_slice(first.json)
        .map_err(|error| Refusal::Json(tame(&error.to_string())))?;
    check(&metadata)?;
    Ok(Header {
        uuid: first.uuid,
        metadata,
    })
}

/// What both copies must have in common.
#[derive(PartialEq, Eq)]
struct Binary<'a> {
    sequence: u64,
    uuid: Uuid,
    label: &'a [u8],
    subsystem: &'a [u8],
    json: &'a [u8],
}

fn binary<'a>(
    copy: &'a [u8],
    magic: &[u8],
    offset: u64,
    which: &'static str,
) -> Result<Binary<'a>, Refusal> {
    let number = |at: usize| {
        copy[at..at + 8]
            .iter()
            .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    if &copy[..6] != magic {
        return Err(Refusal::Magic);
    }
    match copy[6..8] {
        [0, 2] => {}
        [0, 1] => return Err(Refusal::Luks1),
        _ => return Err(Refusal::Field("version")),
    }
    if number(8) != HEADER as u64 {
        return Err(Refusal::Field("size"));
    }
    if text(&copy[72..104]) != Some("sha256") {
        return Err(Refusal::Field("checksum algorithm"));
    }
    if number(256) != offset {
        return Err(Refusal::Field("offset"));
    }
    if checksum(copy)[..] != copy[CHECKSUM..CHECKSUM + 32] {
        return Err(Refusal::Checksum(which));
    }
    let uuid = text(&copy[168..208])
        .and_then(|text| {
            Uuid::try_parse(text)
                .ok()
                .filter(|uuid| uuid.to_string() == text)
        })
        .ok_or(Refusal::Field("UUID"))?;
    let area = &copy[BINARY..];
    let length = area
        .iter()
        .position(|byte| *byte == 0)
        .ok_or(Refusal::Field("JSON terminator"))?;
    let (json, rest) = area.split_at(length);
    if rest.iter().any(|byte| *byte != 0) {
        return Err(Refusal::Field("space after the JSON"));
    }
    Ok(Binary {
        sequence: number(16),
        uuid,
        label: &copy[24..72],
        subsystem: &copy[208..256],
        json,
    })
}

/// A text that is padded with zeros.
fn text(field: &[u8]) -> Option<&str> {
    let length = field.iter().position(|byte| *byte == 0)?;
    let (text, padding) = field.split_at(length);
    if padding.iter().any(|byte| *byte != 0) {
        return None;
    }
    std::str::from_utf8(text).ok()
}

/// The SHA-256 of a copy with its checksum field zeroed.
fn checksum(copy: &[u8]) -> [u8; 32] {
    let mut copy = copy.to_vec();
    copy[CHECKSUM..CHECKSUM + 64].fill(0);
    sha256(&copy)
}

/// What the types alone do not say.
fn check(metadata: &Metadata) -> Result<(), Refusal> {
    let holds =
        |condition: bool, text: &'static str| condition.then_some(()).ok_or(Refusal::Shape(text));
    let slots = &metadata.keyslots;
    holds(
        (1..=SLOTS_MOST).contains(&slots.len()),
        "it has no key slot or too many",
    )?;
    let area_end = (HEADERS as u64).checked_add(metadata.config.keyslots_size.0);
    let area_end = area_end.ok_or(Refusal::Shape("its key slots reach beyond any disk"))?;
    holds(
        metadata.config.json_size.0 == (HEADER - BINARY) as u64,
        "the size of its JSON area is wrong",
    )?;
    holds(
        metadata.config.keyslots_size.0.is_multiple_of(4096),
        "the size of its key slots is not in blocks",
    )?;

    let mut taken = BTreeSet::new();
    for slot in slots.values() {
        holds(
            slot.key_size as usize == KEY && slot.area.key_size as usize == KEY,
            "a key has not 512 bits",
        )?;
        holds(
            slot.af.stripes == STRIPES,
            "the stripes of a key slot are not 4000",
        )?;
        holds(
            slot.priority.is_none_or(|priority| priority <= 2),
            "the priority of a key slot is unknown",
        )?;
        let (offset, size) = (slot.area.offset.0, slot.area.size.0);
        let inside =
            offset >= HEADERS as u64 && offset.checked_add(size).is_some_and(|end| end <= area_end);
        holds(
            size == AREA as u64 && offset.is_multiple_of(4096) && inside,
            "a key slot lies where none may",
        )?;
        let apart = taken
            .iter()
            .all(|other: &u64| other.abs_diff(offset) >= AREA as u64);
        holds(apart && taken.insert(offset), "key slots overlap")?;
        check_kdf(&slot.kdf)?;
    }

    let segment = metadata
        .segments
        .get(&0)
        .filter(|_| metadata.segments.len() == 1);
    let segment = segment.ok_or(Refusal::Shape("it has not exactly one segment"))?;
    let start = segment.offset.0;
    holds(
        matches!(segment.sector_size, 512 | 4096),
        "its sector size is neither 512 nor 4096",
    )?;
    holds(
        segment.iv_tweak.0 == 0,
        "its sectors are not numbered from zero",
    )?;
    holds(
        SEGMENT_OFFSET.contains(&start) && start.is_multiple_of(4096),
        "its data begins where it may not",
    )?;
    holds(start >= area_end, "its data begins inside of its key slots")?;

    let digest = metadata
        .digests
        .get(&0)
        .filter(|_| metadata.digests.len() == 1);
    let digest = digest.ok_or(Refusal::Shape("it has not exactly one digest"))?;
    let covered: BTreeSet<u64> = digest.keyslots.iter().map(|slot| slot.0).collect();
    holds(
        covered == slots.keys().map(|slot| u64::from(*slot)).collect(),
        "its digest does not cover its key slots",
    )?;
    holds(
        matches!(digest.segments[..], [segment] if segment.0 == 0),
        "its digest does not cover its segment",
    )?;
    holds(
        DIGEST_PBKDF2_ITERATIONS.contains(&digest.iterations),
        "the cost of its digest is out of bounds",
    )?;
    let work = |kdf: &Kdf| work(kdf) + u64::from(digest.iterations);
    holds(
        slots.values().map(|slot| work(&slot.kdf)).sum::<u64>() <= WORK_MOST,
        "its key slots together cost too much",
    )?;
    holds(
        digest.salt.0.len() == 32,
        "the salt of its digest has not 32 bytes",
    )?;
    holds(digest.value.0.len() >= 20, "its digest is too short")
}

/// What a derivation costs, in the units of [`WORK_MOST`]; its numbers are within their bounds.
fn work(kdf: &Kdf) -> u64 {
    match kdf {
        Kdf::Argon2id { time, memory, .. } | Kdf::Argon2i { time, memory, .. } => {
            u64::from(*time) * u64::from(*memory)
        }
        Kdf::Pbkdf2 { iterations, .. } => u64::from(*iterations),
    }
}

fn check_kdf(kdf: &Kdf) -> Result<(), Refusal> {
    let (cheap, salt) = match kdf {
        Kdf::Argon2id {
            time,
            memory,
            cpus,
            salt,
        }
        | Kdf::Argon2i {
            time,
            memory,
            cpus,
            salt,
        } => (
            ARGON2_TIME.contains(time)
                && ARGON2_MEMORY.contains(memory)
                && ARGON2_LANES.contains(cpus),
            salt,
        ),
        Kdf::Pbkdf2 {
            iterations, salt, ..
        } => (PBKDF2_ITERATIONS.contains(iterations), salt),
    };
    if !cheap {
        return Err(Refusal::Shape(
            "the cost of a key derivation is out of bounds",
        ));
    }
    if salt.0.len() != 32 {
        return Err(Refusal::Shape("the salt of a key slot has not 32 bytes"));
    }
    Ok(())
}

impl Header {
    /// KiB of memory that the most demanding slot needs.
    pub(crate) fn memory(&self) -> u64 {
        let memory = |kdf: &Kdf| match kdf {
            Kdf::Argon2id { memory, .. } | Kdf::Argon2i { memory, .. } => u64::from(*memory),
            Kdf::Pbkdf2 { .. } => 0,
        };
        self.metadata
            .keyslots
            .values()
            .map(|slot| memory(&slot.kdf))
            .max()
            .unwrap_or(0)
    }

    /// The first encrypted byte.
    pub(crate) fn data_offset(&self) -> u64 {
        self.metadata
            .segments
            .get(&0)
            .map_or(0, |segment| segment.offset.0)
    }

    /// Bytes of the copies and the space for key slots.
    pub(crate) fn length(&self) -> u64 {
        HEADERS as u64 + self.metadata.config.keyslots_size.0
    }

    /// Both copies, [`HEADERS`] bytes, for a device or a file in memory. `salts` only make the copies distinct.
    ///
    /// # Errors
    /// Where the JSON does not fit.
    pub(crate) fn render(&self, salts: [[u8; 64]; 2]) -> Result<Vec<u8>, Refusal> {
        let json =
            serde_json::to_vec(&self.metadata).map_err(|error| Refusal::Json(error.to_string()))?;
        if json.len() >= HEADER - BINARY {
            return Err(Refusal::Shape("its JSON is too long"));
        }
        let mut bytes = Vec::with_capacity(HEADERS);
        for (magic, offset, salt) in [
            (MAGIC, 0, salts[0]),
            (MAGIC_SECONDARY, HEADER as u64, salts[1]),
        ] {
            let mut copy = vec![0; HEADER];
            let mut put =
                |at: usize, field: &[u8]| copy[at..at + field.len()].copy_from_slice(field);
            put(0, magic);
            put(6, &[0, 2]);
            put(8, &(HEADER as u64).to_be_bytes());
            put(16, &1u64.to_be_bytes());
            put(72, b"sha256");
            put(104, &salt);
            put(168, self.uuid.to_string().as_bytes());
            put(256, &offset.to_be_bytes());
            put(BINARY, &json);
            let sum = checksum(&copy);
            copy[CHECKSUM..CHECKSUM + 32].copy_from_slice(&sum);
            bytes.extend(copy);
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
