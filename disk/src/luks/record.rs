//! The record beside a LUKS header: which header this appliance left there, proven by a MAC that only the volume key
//! makes.
//!
//! Pure: bytes in, a verdict out. Two slots of 512 bytes lie in the 1,024 bytes that ext4 leaves free at the start of
//! the `metadata` partition, so nothing has to be mounted to read them; the slots alternate, the highest valid
//! generation counts, and a slot that a power cut has torn is passed over. The key of the MAC comes from the volume
//! key, never from the seeds: a MAC under the seeds would be a fast way to guess them.
//!
//! ```text
//! offset  bytes
//!      0     16  magic
//!     16      4  format version, big endian: 1
//!     20      8  generation, big endian, from 1
//!     28     16  LUKS UUID
//!     44     32  digest of the header
//!     76     32  digest of the previous header while a change is under way, else zero
//!    108    372  zero
//!    480     32  HMAC-SHA256 over the 480 bytes before
//! ```

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::md::Md;
use openssl::memcmp;
use openssl::pkey::{Id, PKey};
use openssl::pkey_ctx::PkeyCtx;
use openssl::sign::Signer;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::keys::VolumeKey;

/// Bytes of a slot.
pub(crate) const SLOT: usize = 512;
/// Bytes of both slots.
pub(crate) const SLOTS: usize = 2 * SLOT;
const MAGIC: &[u8; 16] = b"hpcr-luks-record";
const VERSION: u32 = 1;
const MAC: usize = SLOT - 32;
const NO_DIGEST: [u8; 32] = [0; 32];

/// The key of the MAC: HKDF-SHA256 (RFC 5869) of the volume key.
pub(crate) struct RecordKey(Zeroizing<[u8; 32]>);

impl RecordKey {
    /// Derives the key of one volume. Name and UUID go in, so that a record cannot serve another volume that has the
    /// same key.
    ///
    /// # Errors
    /// Where the library fails.
    pub(crate) fn derive(
        volume_key: &VolumeKey,
        volume: &str,
        uuid: Uuid,
    ) -> Result<Self, ErrorStack> {
        let mut context = PkeyCtx::new_id(Id::HKDF)?;
        context.derive_init()?;
        context.set_hkdf_md(Md::sha256())?;
        context.set_hkdf_key(volume_key.expose())?;
        context.add_hkdf_info(b"hpcr LUKS header record v1\0")?;
        context.add_hkdf_info(&(volume.len() as u64).to_be_bytes())?;
        context.add_hkdf_info(volume.as_bytes())?;
        context.add_hkdf_info(uuid.as_bytes())?;
        let mut key = Zeroizing::new([0; 32]);
        context.derive(Some(&mut key[..]))?;
        Ok(Self(key))
    }

    fn mac(&self, bytes: &[u8]) -> Result<Vec<u8>, ErrorStack> {
        let key = PKey::hmac(&self.0[..])?;
        Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(bytes)
    }
}

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// Grows by one with every record.
    pub(crate) generation: u64,
    /// The volume's UUID.
    pub(crate) uuid: Uuid,
    /// Digest of the header.
    pub(crate) header: [u8; 32],
    /// Digest of the header before, while a change is under way.
    pub(crate) previous: Option<[u8; 32]>,
}

impl Record {
    /// The slot that this record belongs into: 0 or 1.
    pub(crate) fn slot(&self) -> usize {
        usize::from(self.generation.is_multiple_of(2))
    }

    /// The bytes of its slot.
    ///
    /// # Errors
    /// Where the library fails.
    pub(crate) fn seal(&self, key: &RecordKey) -> Result<[u8; SLOT], ErrorStack> {
        let mut slot = [0; SLOT];
        let mut put = |at: usize, field: &[u8]| slot[at..at + field.len()].copy_from_slice(field);
        put(0, MAGIC);
        put(16, &VERSION.to_be_bytes());
        put(20, &self.generation.to_be_bytes());
        put(28, self.uuid.as_bytes());
        put(44, &self.header);
        put(76, &self.previous.unwrap_or(NO_DIGEST));
        let mac = key.mac(&slot[..MAC])?;
        slot[MAC..].copy_from_slice(&mac);
        Ok(slot)
    }

    /// The record of a slot, where its MAC is right.
    fn open(slot: &[u8], key: &RecordKey) -> Result<Option<Self>, ErrorStack> {
        let mac = key.mac(&slot[..MAC])?;
        if !memcmp::eq(&mac, &slot[MAC..])
            || slot[..16] != MAGIC[..]
            || slot[16..20] != VERSION.to_be_bytes()
        {
            return Ok(None);
        }
        // Constant positions of a slot whose length is known: no conversion can fail.
        let digest = |at: usize| std::array::from_fn(|i| slot[at + i]);
        let generation = u64::from_be_bytes(std::array::from_fn(|i| slot[20 + i]));
        let uuid = Uuid::from_bytes(std::array::from_fn(|i| slot[28 + i]));
        let previous = digest(76);
        Ok(Some(Self {
            generation,
            uuid,
            header: digest(44),
            previous: (previous != NO_DIGEST).then_some(previous),
        }))
    }
}

/// What the two slots say of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Both slots are zero: nobody has left a record.
    Absent,
    /// The newest record names this header, now or as the one before a change.
    Proven(Record),
    /// There is something, and it does not prove this header.
    Contradicted,
}

/// Judges a header by the two slots.
///
/// # Errors
/// Where the library fails.
pub(crate) fn judge(
    slots: &[u8; SLOTS],
    key: &RecordKey,
    uuid: Uuid,
    header: [u8; 32],
) -> Result<Verdict, ErrorStack> {
    if slots.iter().all(|byte| *byte == 0) {
        return Ok(Verdict::Absent);
    }
    let (first, second) = slots.split_at(SLOT);
    let records = [Record::open(first, key)?, Record::open(second, key)?];
    let newest = records
        .into_iter()
        .flatten()
        .max_by_key(|record| record.generation);
    Ok(match newest {
        Some(record)
            if record.uuid == uuid
                && (record.header == header || record.previous == Some(header)) =>
        {
            Verdict::Proven(record)
        }
        _ => Verdict::Contradicted,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const UUID: Uuid = Uuid::from_u128(7);
    const NEW: [u8; 32] = [2; 32];
    const OLD: [u8; 32] = [1; 32];

    fn key(volume: &str) -> RecordKey {
        thread_local!(static KEY: VolumeKey = VolumeKey::random().unwrap());
        KEY.with(|volume_key| RecordKey::derive(volume_key, volume, UUID).unwrap())
    }

    fn record(generation: u64, header: [u8; 32], previous: Option<[u8; 32]>) -> Record {
        Record {
            generation,
            uuid: UUID,
            header,
            previous,
        }
    }

    fn slots(records: &[Record]) -> [u8; SLOTS] {
        let mut slots = [0; SLOTS];
        for record in records {
            let at = record.slot() * SLOT;
            slots[at..at + SLOT].copy_from_slice(&record.seal(&key("data")).unwrap());
        }
        slots
    }

    fn verdict(slots: &[u8; SLOTS], header: [u8; 32]) -> Verdict {
        judge(slots, &key("data"), UUID, header).unwrap()
    }

    /// `openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:000102..3f -kdfopt hexinfo:INFO HKDF`, INFO being
    /// the text with its NUL, the length of `data` in eight bytes, `data` and the UUID; then
    /// `openssl mac -digest SHA256 -macopt hexkey:KEY -in FIRST-480-BYTES HMAC`.
    #[test]
    fn a_record_is_what_openssl_computes() {
        let volume_key = VolumeKey::fixed(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let uuid = Uuid::from_bytes(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let key = RecordKey::derive(&volume_key, "data", uuid).unwrap();
        let record = Record {
            generation: 7,
            uuid,
            header: [0x22; 32],
            previous: Some([0x11; 32]),
        };
        let slot = record.seal(&key).unwrap();
        assert_eq!(&slot[..20], b"hpcr-luks-record\0\0\0\x01");
        let hex = |text: String, byte: &u8| text + &format!("{byte:02x}");
        let mac = slot[MAC..].iter().fold(String::new(), hex);
        assert_eq!(
            mac,
            "6f671c6f1a3880b48cb9001b1e6b428cf1b2074c1f1dfc986167b14d1e1ef9e4"
        );
        assert_eq!(Record::open(&slot, &key).unwrap(), Some(record));
    }

    #[test]
    fn the_newest_record_counts() {
        let slots = slots(&[record(1, OLD, None), record(2, NEW, None)]);
        assert_eq!(verdict(&slots, NEW), Verdict::Proven(record(2, NEW, None)));
        assert_eq!(
            verdict(&slots, OLD),
            Verdict::Contradicted,
            "an old header that was put back"
        );
    }

    #[test]
    fn both_headers_are_good_while_a_change_is_under_way() {
        let slots = slots(&[record(1, OLD, None), record(2, NEW, Some(OLD))]);
        assert!(matches!(verdict(&slots, NEW), Verdict::Proven(_)));
        assert!(matches!(verdict(&slots, OLD), Verdict::Proven(_)));
        assert_eq!(verdict(&slots, [3; 32]), Verdict::Contradicted);
    }

    #[test]
    fn a_torn_slot_leaves_the_other_one_in_force() {
        let mut slots = slots(&[record(1, OLD, None), record(2, NEW, Some(OLD))]);
        slots[SLOT + 200..].fill(0);
        assert_eq!(verdict(&slots, OLD), Verdict::Proven(record(1, OLD, None)));
    }

    #[test]
    fn zero_slots_are_no_record_and_anything_else_is_one() {
        assert_eq!(verdict(&[0; SLOTS], NEW), Verdict::Absent);
        let mut slots = [0; SLOTS];
        slots[SLOTS - 1] = 1;
        assert_eq!(verdict(&slots, NEW), Verdict::Contradicted);
    }

    #[test]
    fn a_record_of_another_volume_proves_nothing() {
        let slots = slots(&[record(1, NEW, None)]);
        let other = judge(&slots, &key("other"), UUID, NEW).unwrap();
        assert_eq!(other, Verdict::Contradicted);
    }

    proptest! {
        #[test]
        fn no_flipped_bit_passes(at in 0..SLOT, bit in 0u8..8) {
            let mut slots = slots(&[record(1, NEW, None)]);
            slots[at] ^= 1 << bit;
            prop_assert_eq!(verdict(&slots, NEW), Verdict::Contradicted);
        }
    }
}
