//! A thousand random tokens in both directions between us and the `openssl` command line: keys of several sizes, every
//! length of text around the block, and passwords with a newline or NUL at every place.
#![allow(clippy::unwrap_used)]

use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::token::openssl::{Password, Prefix, Token, seal};

mod openssl;

use openssl::Bench;

const TOKENS: usize = 1000;
/// One thread each, so that the test takes as long as its slowest half and not as the sum.
const BENCHES: [&[u32]; 2] = [&[2048], &[2048, 3072, 4096]];

/// Random bytes, from the command line too: ours are what is tested.
struct Random(Vec<u8>);

impl Random {
    fn of(bench: &Bench) -> Self {
        Self(bench.openssl(&["rand", "1000000"], b""))
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        self.0.split_off(self.0.len() - count)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bytes = self.bytes(2);
        usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % bound
    }
}

/// 32 random bytes, as the recipe makes a password, with what is hard about them put on purpose: every place in turn gets a
/// newline or a NUL, and the rest of its kind is taken out or left in.
fn password(number: usize, random: &mut Random) -> Vec<u8> {
    let mut password = random.bytes(32);
    if number.is_multiple_of(3) {
        for byte in &mut password {
            *byte = (*byte).max(b'\n' + 1);
        }
    }
    if number.is_multiple_of(2) {
        password[number / 4 % 32] = if number.is_multiple_of(4) { b'\n' } else { 0 };
    }
    password
}

/// How much of a password the format uses.
fn expected(password: &[u8]) -> Password {
    match password.iter().position(|byte| matches!(byte, b'\n' | 0)) {
        Some(0) => Password::Empty,
        Some(at) if at + 1 == password.len() => Password::Whole,
        Some(_) => Password::Cut,
        None => Password::Whole,
    }
}

/// Both directions for so many tokens; gives how many passwords the command line itself refused.
fn round_trips(bits: u32, tokens: usize) -> usize {
    let bench = Bench::new(bits);
    let mut random = Random::of(&bench);
    let key = bench.key();
    let public = PublicKey::parse(&bench.read("cert.pem")).unwrap();
    let mut refused = 0;
    for number in 0..tokens {
        let length = random.below(700);
        let plain = random.bytes(length);
        let prefix = [Prefix::HyperProtectBasic, Prefix::ContractBasic][number % 2];
        let ours = seal(&plain, &public, prefix).unwrap();
        assert_eq!(bench.open(&ours), plain, "{ours}");

        let password = password(number, &mut random);
        let Some(theirs) = bench.seal(&password, &plain) else {
            assert_eq!(password[0], 0, "{}", STANDARD.encode(&password));
            refused += 1;
            continue;
        };
        let opened = Token::parse(&theirs).unwrap().open(&key).unwrap();
        assert_eq!(**opened, plain, "{theirs}");
        assert_eq!(opened.password(), expected(&password), "{theirs}");
    }
    refused
}

#[test]
fn a_thousand_random_tokens_open_on_both_sides() {
    let refused: usize = thread::scope(|scope| {
        let halves: Vec<_> = BENCHES
            .iter()
            .map(|sizes| {
                scope.spawn(|| -> usize {
                    sizes
                        .iter()
                        .map(|bits| {
                            // Larger keys take longer by the cube of their size.
                            let share = match (*bits, sizes.len()) {
                                (2048, 1) => TOKENS / 2,
                                (2048, _) => TOKENS / 2 - 80,
                                _ => 40,
                            };
                            round_trips(*bits, share)
                        })
                        .sum()
                })
            })
            .collect();
        halves.into_iter().map(|half| half.join().unwrap()).sum()
    });
    assert!(
        refused > 0,
        "a password that begins with NUL was among them"
    );
}
