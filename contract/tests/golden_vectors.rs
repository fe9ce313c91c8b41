//! Vectors that `golden/make.sh` made with the openssl command line alone: what they open to does not change, whoever
//! changes the code.
#![allow(clippy::unwrap_used)]

use hpcr_contract::attestation::{self, Digests, Verdict};
use hpcr_contract::authoring;
use hpcr_contract::certificate::chain::Chain;
use hpcr_contract::certificate::{Certificate, PublicKey, RevocationList};
use hpcr_contract::private_key::PrivateKey;
use hpcr_contract::secret::SecretString;
use hpcr_contract::token::openssl::{DecryptionKey, Password, Token};

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("golden/", $name))
    };
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn key() -> DecryptionKey {
    DecryptionKey::from_pem(golden!("key.pem")).unwrap()
}

#[test]
fn golden_tokens_open_and_say_how_much_of_their_password_they_use() {
    let expected = [
        ("printable", Password::Whole),
        ("newline-inside", Password::Cut),
        ("newline-first", Password::Empty),
        ("nul-inside", Password::Cut),
        ("return-inside", Password::Whole),
        ("one-letter", Password::Whole),
        ("longer-than-a-block", Password::Whole),
    ];
    let lines: Vec<_> = text(golden!("tokens.txt")).lines().collect();
    assert_eq!(lines.len(), expected.len());
    for (line, (name, password)) in lines.into_iter().zip(expected) {
        let token = line.strip_prefix(name).unwrap();
        let opened = Token::parse(token).unwrap().open(&key()).unwrap();
        assert_eq!(opened.as_slice(), b"hello-world", "{name}");
        assert_eq!(opened.password(), password, "{name}");
    }
}

#[test]
fn a_golden_token_of_the_largest_key_opens() {
    let key = DecryptionKey::from_pem(golden!("key-8192.pem")).unwrap();
    let token = Token::parse(text(golden!("token-8192.txt"))).unwrap();
    assert_eq!(token.open(&key).unwrap().as_slice(), b"hello-world");
}

#[test]
fn golden_keys_open_with_their_passphrase_and_are_one_key() {
    let (right, wrong) = (SecretString::from("golden"), SecretString::from("silver"));
    let public = PublicKey::parse(golden!("public.pem")).unwrap();
    for pem in [
        &golden!("key.pkcs8.pem")[..],
        golden!("key.traditional.pem"),
    ] {
        let key = PrivateKey::from_pem_with_passphrase(pem, &right).unwrap();
        assert!(key.public_key().unwrap().is_same_key(&public));
        assert!(PrivateKey::from_pem_with_passphrase(pem, &wrong).is_err());
        assert!(PrivateKey::from_pem(pem).is_err());
    }
}

#[test]
fn the_golden_contract_is_signed_byte_for_byte_and_verifies_with_and_without_the_signers_key() {
    let contract = text(golden!("contract.signed.yaml"));
    let key = PrivateKey::from_pem(golden!("key.pem")).unwrap();
    let ours = authoring::sign(text(golden!("contract.yaml")), "contract.yaml", &key).unwrap();
    assert_eq!(*ours.text, contract);
    let public = PublicKey::parse(golden!("public.pem")).unwrap();
    authoring::verify(contract, "c", Some(&public), None).unwrap();
    let signer = authoring::verify(contract, "c", None, Some(&self::key())).unwrap();
    assert!(signer.is_same_key(&public));
    let other = contract.replacen("envWorkloadSignature: ", "envWorkloadSignature: AAAA", 1);
    assert!(authoring::verify(&other, "c", Some(&public), None).is_err());
}

#[test]
fn the_golden_record_is_opened_verified_and_matches_its_contract() {
    let opened = attestation::open(text(golden!("record.enc")), &key()).unwrap();
    assert_eq!(opened.as_bytes(), golden!("record.txt"));
    let certificate = PublicKey::parse(golden!("chain-leaf-3.pem")).unwrap();
    attestation::verify(&opened, golden!("record.sig"), &certificate).unwrap();
    let record = attestation::parse(&opened).unwrap();
    let digests = Digests::of_contract(golden!("contract.signed.yaml"), "c", Some(&key())).unwrap();
    let compared = digests.compare(&record);
    assert_eq!(compared.len(), 3);
    assert!(
        compared.iter().all(|line| line.verdict == Verdict::Matches),
        "{compared:?}"
    );
}

#[test]
fn the_golden_chain_holds_and_its_list_revokes_one_certificate() {
    let roots = Certificate::parse_all(golden!("chain-root.pem")).unwrap();
    let intermediates = Certificate::parse_all(golden!("chain-intermediate.pem")).unwrap();
    for list in [&golden!("chain-list.pem")[..], golden!("chain-list.der")] {
        let lists = [RevocationList::parse(list).unwrap()];
        for (leaf, good) in [
            (&golden!("chain-leaf-3.pem")[..], true),
            (golden!("chain-leaf-4.pem"), false),
        ] {
            let leaf = Certificate::parse(leaf).unwrap();
            let at = leaf.validity().unwrap().not_before + 24 * 60 * 60;
            let chain = Chain {
                leaf: &leaf,
                intermediates: &intermediates,
                roots: &roots,
                lists: &lists,
            };
            assert_eq!(
                chain.check(at).unwrap().is_good(),
                good,
                "{}",
                leaf.subject()
            );
        }
    }
}
