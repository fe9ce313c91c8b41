#![allow(clippy::unwrap_used)]
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::testing::KeyPair;

static PAIR: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::rsa(2048));
static KEY: LazyLock<DecryptionKey> =
    LazyLock::new(|| DecryptionKey::from_pem(&PAIR.private_pem).unwrap());

fn sealed(plain: &[u8]) -> String {
    seal(
        plain,
        &PublicKey::parse(&PAIR.public_pem).unwrap(),
        Prefix::HyperProtectBasic,
    )
    .unwrap()
}

/// Seals under a chosen wrapped message, as a careless or hostile encryptor may.
fn sealed_with(wrapped: &[u8], password: &[u8], plain: &[u8]) -> String {
    let public = PublicKey::parse(&PAIR.public_pem).unwrap();
    let mut encrypter = Encrypter::new(public.key()).unwrap();
    encrypter.set_rsa_padding(Padding::PKCS1).unwrap();
    let mut block = vec![0; 256];
    let length = encrypter.encrypt(wrapped, &mut block).unwrap();
    let salt = *b"saltsalt";
    let data = [
        MAGIC.as_slice(),
        &salt,
        &crypt(Mode::Encrypt, &Line::whole(password), salt, plain).unwrap(),
    ]
    .concat();
    format!(
        "contract-basic.{}.{}",
        STANDARD.encode(&block[..length]),
        STANDARD.encode(data)
    )
}

fn open(token: &str) -> Result<Vec<u8>, ContractError> {
    Token::parse(token)?.open(&KEY).map(|plain| plain.to_vec())
}

#[test]
fn what_is_sealed_opens_again() {
    for plain in [&b""[..], b"x", b"0123456789abcdef", &vec![7; 100_000]] {
        assert_eq!(open(&sealed(plain)).unwrap(), plain);
    }
}

#[test]
fn the_password_ends_where_a_c_string_of_one_line_ends() {
    for (wrapped, password) in [
        (&b"secret"[..], Some(&b"secret"[..])),
        (b"secret\nrest", Some(b"secret")),
        (b"secret\0rest", Some(b"secret")),
        (b"secret\r\nrest", Some(b"secret\r")),
        (b"\nrest", Some(b"")),
        (b"\0rest", None),
        (b"", None),
    ] {
        let token = sealed_with(wrapped, password.unwrap_or(wrapped), b"hello-world");
        match password {
            Some(_) => assert_eq!(open(&token).unwrap(), b"hello-world"),
            None => assert!(matches!(open(&token), Err(ContractError::TokenSealed))),
        }
    }
}

#[test]
fn every_failure_behind_the_key_is_one_error() {
    let other = KeyPair::rsa(2048);
    let foreign = seal(
        b"x",
        &PublicKey::parse(&other.public_pem).unwrap(),
        Prefix::ContractBasic,
    )
    .unwrap();
    let larger = KeyPair::rsa(3072);
    let too_large = seal(
        b"x",
        &PublicKey::parse(&larger.public_pem).unwrap(),
        Prefix::ContractBasic,
    )
    .unwrap();
    let data = STANDARD.encode([MAGIC.as_slice(), &[0; 8], &[1; 16]].concat());
    let above_modulus = format!("contract-basic.{}.{data}", STANDARD.encode([0xff; 256]));
    let empty_block = format!("contract-basic..{data}");
    let zero = format!("contract-basic.{}.{data}", STANDARD.encode([0; 256]));
    for token in [too_large, above_modulus, empty_block] {
        assert!(
            matches!(open(&token), Err(ContractError::TokenSealed)),
            "{token}"
        );
    }
    // Implicit rejection gives another password, whose noise has a valid padding once in 256 times.
    for token in [foreign, zero] {
        match open(&token) {
            Err(error) => assert!(matches!(error, ContractError::TokenSealed), "{token}"),
            Ok(noise) => assert_ne!(noise.as_slice(), b"x", "{token}"),
        }
    }
}

#[test]
fn a_malformed_token_says_what_is_wrong_with_it() {
    let good = sealed(b"x");
    let parts: Vec<&str> = good.split('.').collect();
    for (token, cause) in [
        ("hyper-protect-basic.AAAA".to_owned(), "three parts"),
        (format!("{good}.AAAA"), "three parts"),
        (
            format!("other-basic.{}.{}", parts[1], parts[2]),
            "begins with neither",
        ),
        (
            format!("{}.{}=.{}", parts[0], parts[1], parts[2]),
            "second part is not base64",
        ),
        (
            format!("{}.{}\n.{}", parts[0], parts[1], parts[2]),
            "second part is not base64",
        ),
        (
            format!("{}.{}.{}!", parts[0], parts[1], parts[2]),
            "third part is not base64",
        ),
        (
            format!("{}.{}.{}", parts[0], parts[1], parts[1]),
            "Salted__",
        ),
        (
            format!("{}.{}.U2FsdGVkX1/6ABQ4LAqFSg==", parts[0], parts[1]),
            "whole blocks",
        ),
    ] {
        let error = Token::parse(&token).unwrap_err().to_string();
        assert!(error.contains(cause), "{error}");
    }
}

#[test]
fn a_text_is_a_token_by_its_prefix_alone() {
    for (text, expected) in [
        ("hyper-protect-basic.a.b", true),
        ("contract-basic.", true),
        ("  \n contract-basic.a.b\n", true),
        ("type: workload", false),
        ("contract-basic", false),
        ("", false),
    ] {
        assert_eq!(is_token(text), expected, "{text:?}");
    }
}

#[test]
fn padding_is_judged_by_its_whole_block() {
    let mut block = *b"0123456789abcdef";
    for (tail, length) in [
        (&b"\x01"[..], Some(15)),
        (b"\x02\x02", Some(14)),
        (&[16; 16], Some(0)),
        (b"\x00", None),
        (b"\x11", None),
        (b"\x03\x02\x03", None),
    ] {
        block[16 - tail.len()..].copy_from_slice(tail);
        assert_eq!(unpadded_length(&block), length, "{tail:?}");
    }
    assert_eq!(unpadded_length(b"short"), None);
}

proptest! {
    #[test]
    fn what_is_sealed_opens_whatever_it_is(plain in proptest::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert_eq!(open(&sealed(&plain)).unwrap(), plain);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(hyper-protect-basic|contract-basic|[a-z.]{0,5})[.][A-Za-z0-9+/=.]{0,60}") {
        let _ = Token::parse(&text);
    }

    #[test]
    fn a_flipped_bit_never_opens_as_the_same_text_and_never_panics(at in 0_usize..10_000, bit in 0_u8..7) {
        let mut token = sealed(b"type: workload\nsecret: hunter2\n").into_bytes();
        let at = at % token.len();
        token[at] ^= 1 << bit;
        let Ok(text) = String::from_utf8(token) else { return Ok(()) };
        match open(&text) {
            Ok(plain) => prop_assert_ne!(plain, b"type: workload\nsecret: hunter2\n".to_vec()),
            Err(error) => prop_assert_eq!(error.code(), crate::messages::INVALID_CONTRACT),
        }
    }
}
