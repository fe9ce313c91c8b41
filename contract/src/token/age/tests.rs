#![allow(clippy::unwrap_used)]
use std::io::Write as _;
use std::sync::LazyLock;

use age::armor::{ArmoredWriter, Format};
use proptest::prelude::*;

use super::*;

static KEY: LazyLock<Identity> = LazyLock::new(Identity::generate);

fn armour(file: &[u8]) -> String {
    let mut writer = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor).unwrap();
    writer.write_all(file).unwrap();
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

#[test]
fn what_is_sealed_to_a_recipient_opens_with_its_identity_alone() {
    let other = Identity::generate();
    for plain in [&b""[..], b"type: workload\n", &vec![7; 200_000]] {
        let text = seal(plain, &KEY.recipient()).unwrap();
        assert!(is_age(&text));
        assert_eq!(open(&text, &KEY).unwrap().as_slice(), plain);
        assert_eq!(
            open(&format!("\n {}\n\n", text.trim()), &KEY)
                .unwrap()
                .as_slice(),
            plain,
            "white space around it"
        );
        assert!(matches!(
            open(&text, &other),
            Err(ContractError::TokenSealed)
        ));
    }
}

#[test]
fn keys_are_read_as_age_keygen_writes_them_and_do_not_print() {
    let file = key_file(&KEY);
    let file = file.expose_secret();
    assert_eq!(
        Identity::from_text(file).unwrap().recipient(),
        KEY.recipient()
    );
    let recipient = KEY.recipient().to_string();
    assert!(file.contains(&format!("# public key: {recipient}\nAGE-SECRET-KEY-1")));
    assert_eq!(
        Recipient::from_text(&format!("{recipient}\n")).unwrap(),
        KEY.recipient()
    );
    assert_eq!(format!("{:?}", *KEY), "Identity([REDACTED])");

    for wrong in [
        "",
        "# nothing\n",
        "AGE-SECRET-KEY-1QQQQ",
        "hunter2",
        &file.repeat(2),
    ] {
        let error = Identity::from_text(wrong).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
    for wrong in [
        "",
        "age1",
        "age1pq1qqqq",
        "ssh-ed25519 AAAA",
        "AGE-SECRET-KEY-1",
    ] {
        assert!(Recipient::from_text(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_no_file_for_a_recipient_is_refused_for_what_it_is() {
    let passphrase = age::scrypt::Recipient::new(SecretString::from("hunter2"));
    let by_passphrase = age::encrypt_and_armor(&passphrase, b"x").unwrap();
    let stanza = format!("-> X25519 {}\n{}\n", "A".repeat(43), "A".repeat(43));
    let crowd = format!("age-encryption.org/v1\n{}--- AAAA\n", stanza.repeat(33));
    let endless = format!("age-encryption.org/v1\n-> X25519 {}\n", "A".repeat(1 << 20));
    for (text, cause) in [
        (by_passphrase, "passphrase"),
        (armour(crowd.as_bytes()), "more than 32 recipients"),
        (armour(endless.as_bytes()), "no end within 16 KiB"),
        (
            armour(b"age-encryption.org/v9\n--- AAAA\n"),
            "header cannot be read",
        ),
        (armour(b""), "armour is broken"),
        (
            format!("{BEGIN}\n!!!!\n-----END AGE ENCRYPTED FILE-----\n"),
            "armour is broken",
        ),
        (BEGIN.to_owned(), "armour is broken"),
        ("contract-basic.a.b".to_owned(), "no armour"),
        (
            format!("{BEGIN}{}", " ".repeat(MAX_TEXT)),
            "larger than 32 MiB",
        ),
    ] {
        let error = open(&text, &KEY).unwrap_err().to_string();
        assert!(error.contains(cause), "{cause}: {error}");
    }
}

proptest! {
    #[test]
    fn a_changed_letter_never_opens(at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9+/=\n -]") {
        static FILE: LazyLock<String> =
            LazyLock::new(|| seal(b"type: workload\nsecret: hunter2\n", &KEY.recipient()).unwrap());
        let at = at.index(FILE.trim_end().len());
        let mut text = FILE.clone();
        text.replace_range(at..=at, &letter);
        // The key is tried on what still has the form; the armour's own line ends are the only slack.
        if text != *FILE {
            prop_assert!(open(&text, &KEY).is_err());
        }
    }

    #[test]
    fn no_file_makes_the_reader_panic(file in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = open(&armour(&file), &KEY);
        let _ = open(&armour(&[b"age-encryption.org/v1\n", &file[..]].concat()), &KEY);
    }
}
