//! What is kept beside a state, where users do not see it: the fingerprint of what stands in no state, and that of the key
//! that it is sealed to. Either may be missing; what another provider kept counts as nothing.

use super::fingerprint;

/// SHA-256.
const KEY: usize = 32;

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    /// See `fingerprint`; empty where there is none.
    pub(crate) unseen: Vec<u8>,
    /// The fingerprint of a public key; empty where nothing is sealed.
    pub(crate) key: Vec<u8>,
}

impl Kept {
    /// Reads what Terraform gives back. The lengths tell the parts.
    pub(crate) fn read(private: &[u8]) -> Self {
        let split = private.len().checked_sub(KEY);
        let (unseen, key) = match split {
            _ if fingerprint::is_one(private) => (private, &[][..]),
            Some(at) if at == 0 || fingerprint::is_one(&private[..at]) => private.split_at(at),
            _ => (&[][..], &[][..]),
        };
        Self {
            unseen: unseen.to_vec(),
            key: key.to_vec(),
        }
    }

    /// As Terraform keeps it.
    pub(crate) fn write(&self) -> Vec<u8> {
        [&self.unseen[..], &self.key[..]].concat()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_was_written_and_of_others_is_nothing() {
        let fingerprints = [Vec::new(), fingerprint::of(b"secret").unwrap()];
        for unseen in fingerprints {
            for key in [Vec::new(), vec![7; KEY]] {
                let unseen = unseen.clone();
                let kept = Kept { unseen, key };
                assert_eq!(Kept::read(&kept.write()), kept);
            }
        }
        for foreign in [&b"{}"[..], &[7; 31], &[7; 49], &[7; 81]] {
            assert_eq!(Kept::read(foreign), Kept::default());
        }
    }
}
