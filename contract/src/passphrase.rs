//! The LUKS passphrase of a data volume, made of the two parties' seeds (specification, section 3).
//!
//! Neither party knows the other's seed, so neither can open the volume alone. Nothing here stores or compares a
//! passphrase, and every buffer on the way is wiped.

use secrecy::ExposeSecret as _;
use sha2::digest::array::Array;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::secret::SecretString;

/// One party's seeds for a volume.
#[derive(Debug, Clone, Copy)]
pub struct Seeds<'a> {
    /// The seed in force.
    pub current: &'a SecretString,
    /// The seed that it replaces, where the party rolls.
    pub previous: Option<&'a SecretString>,
}

/// The passphrase: the lowercase hexadecimal SHA-256 of the env's seed immediately followed by the workload's seed.
pub fn passphrase(env: &SecretString, workload: &SecretString) -> SecretString {
    // sha2's `zeroize` feature wipes the hash state; the buffers of digest and text are ours.
    let mut digest = Zeroizing::new([0_u8; 32]);
    let mut state = Sha256::new();
    state.update(env.expose_secret().as_bytes());
    state.update(workload.expose_secret().as_bytes());
    state.finalize_into(<&mut Array<u8, _>>::from(&mut *digest));

    // Exactly 64 bytes from the start: a text that grew would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(64));
    for byte in digest.iter() {
        for nibble in [byte >> 4, byte & 0x0f] {
            text.push(char::from(b"0123456789abcdef"[usize::from(nibble)]));
        }
    }
    SecretString::from(text.as_str())
}

/// The passphrases that a volume may still have while a seed is rolled, in the order to try them.
///
/// Both parties' previous seeds come first (they rolled together), then one party's only: a volume that took part in
/// an earlier boot of the same roll may stand halfway. Empty where no party rolls.
pub fn previous(env: Seeds<'_>, workload: Seeds<'_>) -> Vec<SecretString> {
    let pairs = [
        (env.previous, workload.previous),
        (env.previous, Some(workload.current)),
        (Some(env.current), workload.previous),
    ];
    pairs
        .into_iter()
        .filter_map(|(env, workload)| Some(passphrase(env?, workload?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    /// Made with `printf '%s%s' ENV WORKLOAD | openssl dgst -sha256`.
    const GOLDEN: [(&str, &str, &str); 4] = [
        (
            "deployer-seed-0001",
            "workload-seed-0001",
            "246fd6dd52d3eb76cf3899c5a575efe132211abfdcbcd9ccf970fadb85a4ac23",
        ),
        (
            "ab",
            "c",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "a",
            "bc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "!@#$%^&*(),.?:{}|<>_-0123456789",
            "The.Workload.Provider:Has|A{Seed}",
            "85489e602bbaa4cbf1d9010fd8dd67bf9f00fb82f0759933d0b9e3d04980c5f8",
        ),
    ];

    #[test]
    fn a_passphrase_is_what_openssl_makes_of_env_followed_by_workload() {
        for (env, workload, expected) in GOLDEN {
            assert_eq!(
                passphrase(&secret(env), &secret(workload)).expose_secret(),
                expected
            );
        }
    }

    #[test]
    fn the_order_of_the_parties_matters() {
        let (one, two) = (secret("seed-of-the-first"), secret("seed-of-the-second"));
        assert_ne!(
            passphrase(&one, &two).expose_secret(),
            passphrase(&two, &one).expose_secret()
        );
    }

    #[test]
    fn rolling_tries_both_previous_seeds_before_one_of_them() {
        let (env, env_old, workload, workload_old) =
            (secret("e"), secret("eo"), secret("w"), secret("wo"));
        let names = |env_previous, workload_previous| -> Vec<String> {
            previous(
                Seeds {
                    current: &env,
                    previous: env_previous,
                },
                Seeds {
                    current: &workload,
                    previous: workload_previous,
                },
            )
            .iter()
            .map(|passphrase| passphrase.expose_secret().to_owned())
            .collect()
        };
        let made = |env: &SecretString, workload: &SecretString| {
            passphrase(env, workload).expose_secret().to_owned()
        };

        assert_eq!(names(None, None), Vec::<String>::new());
        assert_eq!(names(Some(&env_old), None), [made(&env_old, &workload)]);
        assert_eq!(
            names(None, Some(&workload_old)),
            [made(&env, &workload_old)]
        );
        assert_eq!(
            names(Some(&env_old), Some(&workload_old)),
            [
                made(&env_old, &workload_old),
                made(&env_old, &workload),
                made(&env, &workload_old)
            ]
        );
    }
}
