//! Opening a token is the same work whether its password unwraps or not, counted in instructions by callgrind.
//!
//! What is equal, to within 500 of some hundred million instructions: a token that opens, one whose data is not what its
//! password made, one whose padding is bad, and one that was made for another key, as long as what they unwrap to is of one
//! length. What is left is where the allocator finds its memory, and the signs of numbers that RSA blinding makes random:
//! two openings of one token differ as much. A single block that SHA-256 takes more shows.
//!
//! What is bounded: OpenSSL copies the unwrapped message byte by byte, so its length (random behind bad padding, and not
//! the attacker's to choose) costs some fourteen instructions a byte. Ours costs nothing more by it.
//!
//! Not covered: what a processor makes of equal instructions (caches, its own speculation), and the verdict itself.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::env;
use std::fs;
use std::os::unix::process::parent_id;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hpcr_contract::certificate::PublicKey;
use hpcr_contract::private_key::PrivateKey;
use hpcr_contract::token::openssl::{DecryptionKey, Prefix, Token, seal};
use openssl::encrypt::Decrypter;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::rsa::Padding;
use tempfile::TempDir;

/// Where the process that is counted finds its key and tokens.
const FOLDER: &str = "HPCR_EQUAL_WORK";
/// The length of the password that we seal with.
const PASSWORD: usize = 44;
/// Another length, for the bound.
const OTHER: usize = 200;
/// Instructions that one byte of an unwrapped message may cost.
const A_BYTE: u64 = 16;
/// Instructions that are the allocator's and the blinding's.
const NOISE: u64 = 500;
/// Each token is opened so often in a row, and the last time counts: what is made once has been made, and the allocator
/// stands as the same token has left it. OpenSSL makes a new blinding factor, in a random number of steps, every 32 times:
/// all of it must be over by then.
const TIMES: usize = 4;
const NAMES: [&str; 6] = [
    "good",
    "good again",
    "bad data",
    "bad padding",
    "wrong key",
    "other length",
];

#[test]
fn good_bad_padding_and_wrong_key_tokens_take_equally_many_instructions() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("skipped: valgrind is not installed (make setup installs it)");
        return;
    }
    let folder = TempDir::new().unwrap();
    make(folder.path());
    let counted = count(folder.path());
    println!("{:?}", NAMES.iter().zip(&counted).collect::<Vec<_>>());
    let (other, alike) = counted.split_last().unwrap();
    let (least, most) = (alike.iter().min().unwrap(), alike.iter().max().unwrap());
    assert!(*least > 10_000_000, "the work was counted");
    assert!(most - least <= NOISE, "{least} to {most}");
    let bytes = u64::try_from(OTHER - PASSWORD).unwrap();
    assert!(
        other - least <= A_BYTE * bytes + NOISE,
        "{least} and {other}"
    );
}

/// The process that is counted: it opens each token, and tells callgrind where one begins by a call that nothing else makes.
#[test]
#[ignore = "it is the process that the test above counts"]
fn opens_every_token_of_a_folder() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let key = DecryptionKey::from_pem(&fs::read(folder.join("key.pem")).unwrap()).unwrap();
    let tokens = fs::read_to_string(folder.join("tokens")).unwrap();
    let tokens: Vec<&str> = tokens.lines().collect();
    let mut opened = 0;
    for token in &tokens {
        for _ in 0..TIMES {
            let _ = parent_id();
            let plain = Token::parse(token).unwrap().open(&key);
            opened += usize::from(plain.is_ok());
        }
    }
    let _ = parent_id();
    assert_eq!(opened, 2 * TIMES, "the good ones open, and no other");
}

/// Writes a key and the tokens, one of each name.
fn make(folder: &Path) {
    let key = PrivateKey::generate(2048).unwrap();
    let pem = key.to_pem().unwrap();
    fs::write(folder.join("key.pem"), &*pem).unwrap();
    // Short enough that the allocator keeps every block at hand that is given back.
    let plain = [b'x'; 500];
    let to = |key: &PublicKey| seal(&plain, key, Prefix::ContractBasic).unwrap();
    let good = to(&key.public_key().unwrap());
    let data = good.rsplit('.').next().unwrap();
    let with =
        |block: &[u8], data: &str| format!("contract-basic.{}.{data}", STANDARD.encode(block));

    let opener = DecryptionKey::from_pem(&pem).unwrap();
    let private = PKey::private_key_from_pem(&pem).unwrap();
    // The length of what a token unwraps to; nothing where its block is no number below the modulus.
    let unwrapped = |token: &str| {
        let mut decrypter = Decrypter::new(&private).unwrap();
        decrypter.set_rsa_padding(Padding::PKCS1).unwrap();
        decrypter.decrypt(&block(token), &mut [0; 256]).ok()
    };
    // Noise has a valid padding once in 256 times: only what does not open will do.
    let first = |length: usize, candidate: &dyn Fn() -> String| loop {
        let token = candidate();
        if unwrapped(&token) == Some(length) && Token::parse(&token).unwrap().open(&opener).is_err()
        {
            return token;
        }
    };
    let noise = |length: usize| {
        let mut noise = vec![0; length];
        rand_bytes(&mut noise).unwrap();
        noise
    };
    let other = PrivateKey::generate(2048).unwrap().public_key().unwrap();
    let bad_data = || {
        let length = STANDARD.decode(data).unwrap().len();
        let noise = [b"Salted__", &noise(length - 8)[..]].concat();
        good.replace(data, &STANDARD.encode(noise))
    };
    let tokens = [
        good.clone(),
        good.clone(),
        first(PASSWORD, &bad_data),
        first(PASSWORD, &|| with(&noise(256), data)),
        first(PASSWORD, &|| with(&block(&to(&other)), data)),
        first(OTHER, &|| with(&noise(256), data)),
    ];
    fs::write(folder.join("tokens"), tokens.join("\n")).unwrap();
}

/// The wrapped password of a token.
fn block(token: &str) -> Vec<u8> {
    STANDARD.decode(token.split('.').nth(1).unwrap()).unwrap()
}

/// Instructions from one call of `getppid` to the next, for each token of the last round.
fn count(folder: &Path) -> Vec<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "-q", "--dump-before=getppid"])
        .arg(format!(
            "--callgrind-out-file={}",
            folder.join("count").display()
        ))
        .arg(env::current_exe().unwrap())
        .args([
            "--exact",
            "opens_every_token_of_a_folder",
            "--ignored",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        // One heap that never grows or shrinks, and hands out what it got back: its searches are no business of a token.
        .env("MALLOC_ARENA_MAX", "1")
        .env("MALLOC_TOP_PAD_", "67108864")
        .env("MALLOC_TRIM_THRESHOLD_", "134217728")
        .env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=4096")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // The first dump is what came before the first token.
    (1..=NAMES.len())
        .map(|number| {
            let number = 1 + number * TIMES;
            let dump = fs::read_to_string(folder.join(format!("count.{number}"))).unwrap();
            let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
            total.unwrap().trim().parse().unwrap()
        })
        .collect()
}
