#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::certificate::PublicKey;
use crate::messages;
use crate::testing::{self, KeyPair};
use crate::token::openssl::{DecryptionKey, Prefix, seal};

#[test]
fn every_file_that_a_place_can_lie_in_is_found() {
    let pair = KeyPair::rsa(2048);
    let key = DecryptionKey::from_pem(&pair.private_pem).unwrap();
    let archive = STANDARD.encode(testing::targz(&[(
        "docker-compose.yml",
        b"services:\n  web: {}\n",
    )]));
    let workload = format!("type: workload\ncompose:\n  archive: {archive}\n");
    let public = PublicKey::parse(&pair.public_pem).unwrap();
    let token = seal(workload.as_bytes(), &public, Prefix::ContractBasic).unwrap();
    let sealed = format!("env: |\n  type: env\nworkload: {token}\n");
    let file = Place::at("docker-compose.yml", "services.web").with_position(2, 3);
    let section = Place::at("workload", "type").with_position(1, 7);
    let whole = Place::at("c.yaml", "env").with_position(2, 3);

    let within = section.clone().inside(whole.clone());
    let about = |place: &Place| {
        [Finding::new(
            messages::INTERNAL_ERROR,
            place.clone(),
            "",
            "",
        )]
    };
    let sources = |key, place| {
        let unpacked = Unpacked::default();
        Sources::of_contract(sealed.as_bytes(), "c.yaml", key, &about(place), &unpacked)
    };
    let outside = sources(Some(&key), &whole);
    assert_eq!(
        outside.line(&within),
        None,
        "nothing is said of the section"
    );
    let inner = sources(Some(&key), &within);
    assert_eq!(inner.line(&whole), Some("  type: env"));
    assert_eq!(inner.line(&within), Some("type: workload"));
    assert_eq!(
        inner.line(&file.clone().inside(within.clone())),
        Some("  web: {}")
    );
    assert!(!format!("{inner:?}").contains("services"));

    let closed = sources(None, &within);
    assert_eq!(closed.line(&section.inside(whole.clone())), None);

    let lone = Sources::of_section(
        Section::Workload,
        workload.as_bytes(),
        "w.yaml",
        Keys::default(),
    );
    let at = Place::at("w.yaml", "compose.archive").with_position(3, 12);
    assert_eq!(lone.line(&file.inside(at)), Some("  web: {}"));
}
