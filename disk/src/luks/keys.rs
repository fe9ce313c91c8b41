//! Volume keys: made, put into a header, and taken out of one again, all in memory.
//!
//! libcryptsetup does the derivation and the splitting, on a file in memory; this module never shows it a device.

use std::collections::BTreeMap;
use std::fmt;

use libcryptsetup_rs::consts::flags::{CryptPbkdf, CryptVolumeKey};
use libcryptsetup_rs::consts::vals::{CryptKdf, EncryptionFormat};
use libcryptsetup_rs::{CryptDevice, CryptInit, CryptPbkdfType, Either, LibcryptErr};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::rand::{rand_bytes, rand_priv_bytes};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::copy::{HeaderCopy, MemoryFile};
use super::header::{Header, Refusal};
use super::json::{
    Base64, Cipher, Config, Decimal, Digest, DigestKind, Hash, Metadata, Nothing, Segment,
    SegmentKind, SegmentSize,
};
use super::parameters::{DIGEST_ITERATIONS, HEADER, KEY, KEYSLOTS, SECTOR, SEGMENT, argon2id};
use crate::error::Fault;

/// A volume key: wiped when dropped, never printed.
pub(crate) struct VolumeKey(Zeroizing<[u8; KEY]>);

impl VolumeKey {
    /// A random key.
    ///
    /// # Errors
    /// Where the random number generator fails.
    pub(crate) fn random() -> Result<Self, ErrorStack> {
        let mut key = Self(Zeroizing::new([0; KEY]));
        rand_priv_bytes(&mut key.0[..])?;
        Ok(key)
    }

    #[cfg(test)]
    pub(crate) fn fixed(bytes: [u8; KEY]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key's bytes.
    pub(crate) fn expose(&self) -> &[u8; KEY] {
        &self.0
    }
}

impl fmt::Debug for VolumeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VolumeKey")
    }
}

/// Makes the header of a new volume with one slot for the passphrase: its bytes, to be written to the device.
///
/// The header is written by us and not by `crypt_format`, which would measure the machine to choose the digest's cost.
///
/// # Errors
/// [`Fault::MakeLuks`].
pub(crate) fn create(key: &VolumeKey, passphrase: &[u8]) -> Result<Vec<u8>, Fault> {
    let blank = empty_header(key).map_err(make)?;
    let mut salts = [[0; 64]; 2];
    for salt in &mut salts {
        rand_bytes(salt).map_err(make)?;
    }
    let file = MemoryFile::new(blank.length(), &[(0, &blank.render(salts).map_err(make)?)])?;
    add_slot(&file, key, passphrase).map_err(make)?;
    file.bytes().map_err(make)
}

fn make(error: impl fmt::Display) -> Fault {
    Fault::MakeLuks {
        why: error.to_string(),
    }
}

/// A header without a slot, and with the digest of the key.
fn empty_header(key: &VolumeKey) -> Result<Header, ErrorStack> {
    let (mut salt, mut digest) = (vec![0; 32], vec![0; 32]);
    rand_bytes(&mut salt)?;
    pbkdf2_hmac(
        key.expose(),
        &salt,
        DIGEST_ITERATIONS as usize,
        MessageDigest::sha256(),
        &mut digest,
    )?;
    let segment = Segment {
        kind: SegmentKind::Crypt,
        offset: Decimal(SEGMENT),
        size: SegmentSize::Dynamic,
        iv_tweak: Decimal(0),
        encryption: Cipher::AesXtsPlain64,
        sector_size: SECTOR,
    };
    let digest = Digest {
        kind: DigestKind::Pbkdf2,
        keyslots: Vec::new(),
        segments: vec![Decimal(0)],
        hash: Hash::Sha256,
        iterations: DIGEST_ITERATIONS,
        salt: Base64(salt),
        value: Base64(digest),
    };
    let metadata = Metadata {
        keyslots: BTreeMap::new(),
        tokens: Nothing {},
        segments: BTreeMap::from([(0, segment)]),
        digests: BTreeMap::from([(0, digest)]),
        config: Config {
            json_size: Decimal((HEADER - 4096) as u64),
            keyslots_size: Decimal(KEYSLOTS),
        },
    };
    Ok(Header {
        uuid: Uuid::new_v4(),
        metadata,
    })
}

fn add_slot(file: &MemoryFile, key: &VolumeKey, passphrase: &[u8]) -> Result<(), LibcryptErr> {
    let mut device = load(file)?;
    device.settings_handle().set_pbkdf_type(&CryptPbkdfType {
        type_: CryptKdf::Argon2Id,
        hash: Some("sha256".to_owned()),
        time_ms: 0,
        iterations: argon2id::TIME,
        max_memory_kb: argon2id::MEMORY,
        parallel_threads: argon2id::LANES,
        flags: CryptPbkdf::NO_BENCHMARK,
    })?;
    let key = Some(Either::Left(&key.expose()[..]));
    device
        .keyslot_handle()
        .add_by_key(Some(0), key, passphrase, CryptVolumeKey::empty())?;
    Ok(())
}

/// The volume key, where the passphrase opens a slot of the copy; `None` where it opens none.
///
/// # Errors
/// [`Fault::Crypt`] where the library fails for another reason.
pub(crate) fn unlock(copy: &HeaderCopy, passphrase: &[u8]) -> Result<Option<VolumeKey>, Fault> {
    let file = copy.to_memory()?;
    let fault = |error: LibcryptErr| Fault::Crypt {
        step: "unlocking the volume key",
        why: error.to_string(),
    };
    let mut device = load(&file).map_err(fault)?;
    let mut key = VolumeKey(Zeroizing::new([0; KEY]));
    match device
        .volume_key_handle()
        .get(None, &mut key.0[..], Some(passphrase))
    {
        Ok((_, KEY)) => Ok(Some(key)),
        Ok(_) => Err(Refusal::Shape("a key has not 512 bits").into()),
        Err(LibcryptErr::IOError(error)) if error.raw_os_error() == Some(EPERM) => Ok(None),
        Err(error) => Err(fault(error)),
    }
}

/// What libcryptsetup answers where a passphrase opens no slot.
const EPERM: i32 = rustix::io::Errno::PERM.raw_os_error();

/// libcryptsetup's view of a header in memory. Its lock is left out: nobody else has the file.
fn load(file: &MemoryFile) -> Result<CryptDevice, LibcryptErr> {
    super::silence();
    let mut device = CryptInit::init(&file.path())?;
    device.settings_handle().metadata_locking(false)?;
    device
        .context_handle()
        .load::<()>(Some(EncryptionFormat::Luks2), None)?;
    Ok(device)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::parameters::HEADERS;
    use super::*;
    use std::fs::File;
    use std::io::Write;

    const PASSPHRASE: &[u8] = b"5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";

    fn copy_of(bytes: &[u8]) -> HeaderCopy {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        HeaderCopy::read(&File::from(rustix::io::dup(&file).unwrap())).unwrap()
    }

    #[test]
    fn a_new_header_opens_with_its_passphrase_and_no_other() {
        let key = VolumeKey::random().unwrap();
        let bytes = create(&key, PASSPHRASE).unwrap();
        assert_eq!(bytes.len(), 1 << 20);
        let copy = copy_of(&bytes);
        assert_eq!(
            unlock(&copy, PASSPHRASE).unwrap().unwrap().expose(),
            key.expose()
        );
        assert!(unlock(&copy, b"another passphrase").unwrap().is_none());
    }

    #[test]
    fn a_new_header_has_the_pinned_parameters() {
        let key = VolumeKey::random().unwrap();
        let copy = copy_of(&create(&key, PASSPHRASE).unwrap());
        let metadata = &copy.header.metadata;
        let super::super::json::Kdf::Argon2id {
            time, memory, cpus, ..
        } = &metadata.keyslots[&0].kdf
        else {
            panic!("not argon2id");
        };
        assert_eq!((*time, *memory, *cpus), (4, 32 << 10, 1));
        assert_eq!(metadata.segments[&0].offset, Decimal(16 << 20));
        assert_eq!(metadata.digests[&0].iterations, 1000);
    }

    #[test]
    fn a_damaged_slot_opens_nothing_and_changes_the_digest() {
        let key = VolumeKey::random().unwrap();
        let mut bytes = create(&key, PASSPHRASE).unwrap();
        let before = copy_of(&bytes).digest;
        bytes[HEADERS + 1000] ^= 1;
        let copy = copy_of(&bytes);
        assert_ne!(copy.digest, before);
        assert!(unlock(&copy, PASSPHRASE).unwrap().is_none());
    }

    #[test]
    fn a_key_does_not_print() {
        let key = VolumeKey::random().unwrap();
        assert_eq!(format!("{key:?}"), "VolumeKey");
    }
}
