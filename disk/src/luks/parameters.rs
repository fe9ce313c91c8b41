//! The one place for the numbers of LUKS2: what new volumes get, and what others may have.
//!
//! Nothing is measured at run time: a benchmark depends on the moment, and the same contract must make the same volume
//! on every machine.

use std::ops::RangeInclusive;

/// Bytes of a volume key: AES-256-XTS takes two keys of 32.
pub(crate) const KEY: usize = 64;
/// Bytes of one copy of the binary header and its JSON area; what cryptsetup writes, and the only size accepted.
pub(crate) const HEADER: usize = 16 << 10;
/// Bytes of both copies.
pub(crate) const HEADERS: usize = 2 * HEADER;
/// Bytes of a key slot's area: the key split into stripes, rounded up to 4 KiB.
pub(crate) const AREA: usize = (KEY * STRIPES as usize).next_multiple_of(4096);
/// Stripes of the anti-forensic splitter; LUKS knows no other number.
pub(crate) const STRIPES: u32 = 4000;
/// Bytes for key slots in new volumes. With the headers this makes 1 MiB and has room for three slots, of which seed
/// rolling needs two; cryptsetup's usual 16 MiB would only be more to read.
pub(crate) const KEYSLOTS: u64 = (1 << 20) - HEADERS as u64;
/// First encrypted byte in new volumes. cryptsetup's usual 16 MiB, so that its tools have the room they expect.
pub(crate) const SEGMENT: u64 = 16 << 20;

/// Bytes of an encrypted sector in new volumes. The layout keeps everything on whole MiB, so every disk can have 4096,
/// with an eighth of the initialisation vectors that 512 costs. A torn write leaves old and new blocks side by side with
/// either: XTS ties no block to its neighbours.
pub(crate) const SECTOR: u32 = 4096;

/// The cost of guessing, for new volumes: argon2id, four passes over 32 MiB, one lane.
///
/// The passphrase is a SHA-256 over two seeds that two parties chose, at least 15 characters each, so the derivation
/// guards against seeds made by people, not against short ones. Four passes is the least that libcryptsetup takes.
/// 32 MiB is above what OWASP asks for argon2id (19 MiB, two passes), fits a guest of 512 MiB beside everything else,
/// and costs about a second under emulation. One lane, so that the time does not depend on the number of processors.
pub(crate) mod argon2id {
    /// Passes.
    pub(crate) const TIME: u32 = 4;
    /// KiB.
    pub(crate) const MEMORY: u32 = 32 << 10;
    /// Lanes.
    pub(crate) const LANES: u32 = 1;
}

/// Iterations of PBKDF2-HMAC-SHA256 in the digest by which a volume key is recognised, for new volumes. The key has 512
/// random bits, which nobody guesses however fast: cryptsetup's least.
pub(crate) const DIGEST_ITERATIONS: u32 = 1000;

/// The most slots a header may have: each costs a derivation.
pub(crate) const SLOTS_MOST: usize = 8;
/// Argon2 passes that are accepted.
pub(crate) const ARGON2_TIME: RangeInclusive<u32> = 4..=128;
/// Argon2 memory that is accepted, in KiB. The upper bound is cryptsetup's own default limit.
pub(crate) const ARGON2_MEMORY: RangeInclusive<u32> = 32 << 10..=1 << 20;
/// Argon2 lanes that are accepted; libcryptsetup knows no more.
pub(crate) const ARGON2_LANES: RangeInclusive<u32> = 1..=4;
/// PBKDF2 iterations of a slot that are accepted: from a tenth of a second to some ten on the machines of today.
pub(crate) const PBKDF2_ITERATIONS: RangeInclusive<u32> = 100_000..=20_000_000;
/// PBKDF2 iterations of a digest that are accepted.
pub(crate) const DIGEST_PBKDF2_ITERATIONS: RangeInclusive<u32> = 1000..=20_000_000;
/// What one passphrase may cost at all slots together, each with its check of the digest, before it is known to be
/// wrong: blocks of 1 KiB that Argon2 fills and iterations of PBKDF2. Either takes about half a microsecond on the
/// machines of today and a whole one on slow ones, so this is ten to some twenty seconds. Four slots of a gibibyte
/// and four passes, which is cryptsetup's most with its defaults, fit.
pub(crate) const WORK_MOST: u64 = 20 << 20;
/// First encrypted byte that is accepted.
pub(crate) const SEGMENT_OFFSET: RangeInclusive<u64> = HEADERS as u64..=1 << 30;
