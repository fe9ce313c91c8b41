//! What a token's password becomes: PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2, RFC 2104), of which key and IV of
//! AES-256-CBC take two blocks.
//!
//! Each round of a block waits for the one before, and the two blocks know nothing of each other. So they go in step: a
//! processor works on one while the other waits, which takes two thirds of the time of one after the other. Nothing
//! branches on a secret.

use sha2::block_api::compress256;
use zeroize::Zeroizing;

use super::password::START;
use super::{BLOCK as IV, KEY, SALT};

/// `openssl enc -pbkdf2` without `-iter`.
const ROUNDS: u32 = 10_000;

/// SHA-256 on its way (FIPS 180-4, section 6.2).
type State = [u32; 8];
/// What it takes at once.
type Block = [u8; 64];

/// What HMAC mixes into its key, before the message and before that one's digest.
const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

/// Key and IV, one behind the other; `password` is HMAC's key block.
pub(super) fn key_and_iv(password: &Block, salt: [u8; SALT]) -> Zeroizing<[u8; KEY + IV]> {
    let [inner, outer] = [INNER, OUTER].map(|mask| Zeroizing::new(keyed(password, mask)));
    let mut blocks = Zeroizing::new([1, 2].map(|number| first(salt, number)));
    let mut states = Zeroizing::new([[0; 8]; 2]);
    let mut sums = Zeroizing::new([[0; 8]; 2]);
    for _ in 0..ROUNDS {
        in_step(&inner, &mut states, &mut blocks);
        in_step(&outer, &mut states, &mut blocks);
        for (sum, word) in sums
            .as_flattened_mut()
            .iter_mut()
            .zip(states.as_flattened())
        {
            *sum ^= word;
        }
    }
    let mut derived = Zeroizing::new([0; KEY + IV]);
    write(sums.as_flattened(), derived.as_mut());
    derived
}

/// SHA-256 behind a key block.
fn keyed(key: &Block, mask: u8) -> State {
    let block = Zeroizing::new(key.map(|byte| byte ^ mask));
    let mut state = START;
    compress256(&mut state, std::slice::from_ref(&*block));
    state
}

/// The message of the first round of a block, ended as SHA-256 ends it.
fn first(salt: [u8; SALT], number: u8) -> Block {
    let mut block = ended(SALT + 4);
    block[..SALT].copy_from_slice(&salt);
    block[SALT + 3] = number;
    block
}

/// The end of a message of so many bytes behind a key block, and zeros in its place.
const fn ended(length: usize) -> Block {
    let mut block = [0; 64];
    block[length] = 0x80;
    // A key block and less than another are less than 2^16 bits.
    let [.., high, low] = ((64 + length) * 8).to_be_bytes();
    (block[62], block[63]) = (high, low);
    block
}

/// Goes on from a state over both blocks, and puts the digests in their place.
fn in_step(from: &State, states: &mut [State; 2], blocks: &mut [Block; 2]) {
    const DIGEST: Block = ended(32);
    *states = [*from; 2];
    for (state, block) in states.iter_mut().zip(blocks.iter()) {
        compress256(state, std::slice::from_ref(block));
    }
    for (state, block) in states.iter().zip(blocks) {
        *block = DIGEST;
        write(state, block);
    }
}

/// Writes words as far as there is room, or as there are words.
fn write(words: &[u32], bytes: &mut [u8]) {
    for (bytes, word) in bytes.chunks_exact_mut(4).zip(words) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use openssl::hash::MessageDigest;
    use openssl::pkcs5::pbkdf2_hmac;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn key_and_iv_are_what_openssl_derives(password in any::<[u8; 32]>(), salt: [u8; SALT]) {
            let mut expected = [0; KEY + IV];
            let rounds = usize::try_from(ROUNDS).unwrap();
            pbkdf2_hmac(&password, &salt, rounds, MessageDigest::sha256(), &mut expected).unwrap();
            let mut block = [0; 64];
            block[..32].copy_from_slice(&password);
            prop_assert_eq!(*key_and_iv(&block, salt), expected);
        }
    }
}
