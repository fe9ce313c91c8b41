//! What `openssl enc -pass stdin` makes of the bytes that a token wraps (specification 2.2): a C string, one line of
//! it, without the line's end.
//!
//! The bytes are secret, their number too, and behind a wrong key they are random. So the work is the same for all of
//! them: everything below looks at the whole buffer and chooses by masks. The result is HMAC's key block (RFC 2104),
//! because a block of fixed size costs PBKDF2 the same, too.

use sha2::block_api::compress256;
use subtle::{ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater, ConstantTimeLess};
use zeroize::{Zeroize, Zeroizing};

const BLOCK: u32 = 64;
/// The initial hash value of SHA-256 (FIPS 180-4, section 5.3.3).
pub(super) const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// How much of the password the format uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Password {
    /// All of it, but for a line's end or a NUL that ends it.
    Whole,
    /// What comes before its first newline or NUL.
    Cut,
    /// Nothing, because it begins with a newline: anybody can open such a token without a key.
    Empty,
}

/// A password as PBKDF2 takes it.
pub(super) struct Line {
    /// HMAC's key block: the line, zero-padded, or its SHA-256 where it is longer than a block.
    pub(super) block: Zeroizing<[u8; BLOCK as usize]>,
    used: u32,
    /// Whether `openssl` reads a password at all: it gives up where there is no byte, or a NUL first.
    pub(super) readable: bool,
    given: u32,
}

impl Line {
    /// Reads the line out of all bytes of a password that we made.
    pub(super) fn whole(password: &[u8]) -> Self {
        Self::of(password, u32::try_from(password.len()).unwrap_or(u32::MAX))
    }

    /// Reads the line out of the first `given` bytes of a buffer whose size depends on the key alone.
    pub(super) fn of(buffer: &[u8], given: u32) -> Self {
        let mut used = given;
        for (at, byte) in (0_u32..).zip(buffer) {
            let ends = byte.ct_eq(&b'\n') | byte.ct_eq(&0);
            used.conditional_assign(&at, ends & at.ct_lt(&used));
        }
        let first = buffer.first().copied().unwrap_or_default();
        let mut block = digest(buffer, used);
        let long = used.ct_gt(&BLOCK);
        for (at, slot) in (0_u32..).zip(block.iter_mut()) {
            slot.conditional_assign(&byte_of(buffer, at, used), !long);
        }
        Self {
            block,
            used,
            readable: bool::from(given.ct_gt(&0) & !first.ct_eq(&0)),
            given,
        }
    }

    /// How much of the password this line is. Ask only once the token has opened.
    pub(super) fn password(&self) -> Password {
        match self.used {
            0 => Password::Empty,
            used if used + 1 < self.given => Password::Cut,
            _ => Password::Whole,
        }
    }
}

/// The byte at a place of a text of `length` bytes, or zero behind it.
fn byte_of(buffer: &[u8], at: u32, length: u32) -> u8 {
    let byte = usize::try_from(at).ok().and_then(|at| buffer.get(at));
    u8::conditional_select(&0, &byte.copied().unwrap_or_default(), at.ct_lt(&length))
}

/// SHA-256 of the first `length` bytes, zero-padded to a block: as many compressions as the whole buffer would take.
fn digest(buffer: &[u8], length: u32) -> Zeroizing<[u8; BLOCK as usize]> {
    let mut state = Zeroizing::new(START);
    let mut chosen = Zeroizing::new(START);
    let mut block = Zeroizing::new([0; BLOCK as usize]);
    let bits = (u64::from(length) * 8).to_be_bytes();
    let last = (length + 8) / BLOCK;
    let room = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    for index in 0..=(room + 8) / BLOCK {
        let is_last = index.ct_eq(&last);
        for (at, slot) in (index * BLOCK..).zip(block.iter_mut()) {
            *slot = byte_of(buffer, at, length);
            slot.conditional_assign(&0x80, at.ct_eq(&length));
        }
        for (slot, byte) in block[56..].iter_mut().zip(bits) {
            slot.conditional_assign(&byte, is_last);
        }
        compress256(&mut state, std::slice::from_ref(&*block));
        for (word, new) in chosen.iter_mut().zip(state.iter()) {
            word.conditional_assign(new, is_last);
        }
    }
    let mut padded = Zeroizing::new([0; BLOCK as usize]);
    for (slot, word) in padded.chunks_exact_mut(4).zip(chosen.iter()) {
        slot.copy_from_slice(&word.to_be_bytes());
    }
    padded
}

impl Drop for Line {
    fn drop(&mut self) {
        self.used.zeroize();
        self.given.zeroize();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use openssl::hash::MessageDigest;
    use openssl::pkcs5::pbkdf2_hmac;
    use proptest::prelude::*;

    use super::*;

    /// What the line would be if nobody cared for time.
    fn plainly(given: &[u8]) -> Option<&[u8]> {
        let end = given.iter().position(|byte| matches!(byte, b'\n' | 0));
        match end {
            _ if given.is_empty() || given[0] == 0 => None,
            None => Some(given),
            Some(end) => Some(&given[..end]),
        }
    }

    fn derived(key: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        pbkdf2_hmac(key, b"saltsalt", 2, MessageDigest::sha256(), &mut out).unwrap();
        out
    }

    fn line(given: &[u8], room: usize) -> Line {
        let mut buffer = vec![b'\n'; room];
        buffer[..given.len()].copy_from_slice(given);
        Line::of(&buffer, u32::try_from(given.len()).unwrap())
    }

    #[test]
    fn a_line_of_every_length_derives_what_openssl_derives_from_it() {
        for length in 1..=512 {
            let password: Vec<u8> = (11..=210).cycle().take(length).collect();
            let line = line(&password, 512);
            assert_eq!(derived(&*line.block), derived(&password), "{length}");
            assert!(line.readable);
            assert_eq!(line.password(), Password::Whole);
        }
    }

    #[test]
    fn a_password_says_how_much_of_it_is_used() {
        for (given, readable, password) in [
            (&b"secret"[..], true, Password::Whole),
            (b"secret\n", true, Password::Whole),
            (b"secret\0", true, Password::Whole),
            (b"secret\r\n", true, Password::Whole),
            (b"secret\n\n", true, Password::Cut),
            (b"sec\0ret", true, Password::Cut),
            (b"secret\r", true, Password::Whole),
            (b"\nsecret", true, Password::Empty),
            (b"\0secret", false, Password::Empty),
            (b"", false, Password::Empty),
        ] {
            let line = line(given, 256);
            assert_eq!((line.readable, line.password()), (readable, password));
        }
    }

    proptest! {
        #[test]
        fn masks_choose_what_branches_would(given in proptest::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(b'\n'), 1 => Just(0)], 0..245)) {
            let line = line(&given, 256);
            let plain = plainly(&given);
            prop_assert_eq!(line.readable, plain.is_some());
            if let Some(plain) = plain {
                prop_assert_eq!(derived(&*line.block), derived(plain));
            }
        }
    }
}
