//! SHA-256 digests: their text form, and a reader that hashes, counts and bounds what goes through it.
//!
//! Nothing here decides what happens on a mismatch; it only says which digest bytes really have.

use std::fmt;
use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, printed as `sha256:` and 64 lowercase hexadecimal digits (OCI image specification, descriptors).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads the text form; any other algorithm, length or case is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("sha256:")?;
        let lowercase = digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut bytes = [0; 32];
        (lowercase && hex::decode_to_slice(digits, &mut bytes).is_ok()).then_some(Self(bytes))
    }

    /// The 64 digits without the algorithm: a file name.
    pub(crate) fn hex(self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hashes and counts what is read, and fails once there is more than `limit`.
pub(crate) struct Tally<R> {
    inner: R,
    hasher: Sha256,
    left: u64,
}

impl<R: Read> Tally<R> {
    pub(crate) fn new(inner: R, limit: u64) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            left: limit,
        }
    }

    /// Reads to the end, so that nothing stays outside of the digest.
    pub(crate) fn drain(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }

    /// The digest of all that was read.
    pub(crate) fn digest(self) -> Digest {
        Digest(self.hasher.finalize().into())
    }
}

impl<R: Read> Read for Tally<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than it may be")
        })?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Made with `printf abc | openssl dgst -sha256`.
    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_prints_as_openssl_does() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        assert_eq!(Digest::parse(ABC), Some(Digest::of(b"abc")));
    }

    #[test]
    fn only_the_canonical_text_form_is_a_digest() {
        let upper = ABC.to_uppercase();
        for text in [
            "",
            "sha256:",
            "sha512:00",
            &ABC[..70],
            &format!("{ABC}0"),
            &ABC[7..],
            &upper,
            "sha256:../../etc",
        ] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_reader_stops_one_byte_above_its_limit() {
        assert!(Tally::new(&b"abc"[..], 3).drain().is_ok());
        assert_eq!(
            Tally::new(&b"abcd"[..], 3).drain().unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
    }

    proptest! {
        #[test]
        fn what_prints_parses_back(bytes: [u8; 32]) {
            prop_assert_eq!(Digest::parse(&Digest(bytes).to_string()), Some(Digest(bytes)));
        }

        #[test]
        fn the_digest_does_not_depend_on_the_pieces(bytes: Vec<u8>, piece in 1usize..50) {
            let mut tally = Tally::new(io::BufReader::with_capacity(piece, &bytes[..]), u64::MAX);
            tally.drain().unwrap();
            prop_assert_eq!(tally.digest(), Digest::of(&bytes));
        }
    }
}
