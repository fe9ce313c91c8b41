//! `attestation verify --fleet`: the records of many guests at once.

use std::fs;

use crate::desk::{Desk, run};

/// A record of a guest whose contract has these sections, from this image, signed by the signer.
fn record(desk: &Desk, serial: &str, image: &str) -> (String, Vec<u8>) {
    let hash = |text: &str| {
        let line = run("openssl", &["dgst", "-sha256", "-r"], text.as_bytes());
        String::from_utf8(line).unwrap()[..64].to_owned()
    };
    let text = format!(
        "26.7.1\nMachine Type/Plant/Serial: 8562/02/{serial}\n{} baseimage\n{} contract:workload\n{} contract:env\n",
        image.repeat(32),
        hash(&desk.workload),
        hash(&desk.unsigned_env()),
    );
    let key = desk.path("signer.key");
    let sign = ["dgst", "-sha256", "-sign", key.to_str().unwrap()];
    let signature = run("openssl", &sign, text.as_bytes());
    (text, signature)
}

/// Three guests: one in a folder of its own, one as two files, one whose record is sealed.
fn fleet(desk: &Desk) {
    fs::create_dir_all(desk.path("fleet/a")).unwrap();
    let (text, signature) = record(desk, "1", "ab");
    desk.write("fleet/a/se-checksums.txt", text);
    desk.write("fleet/a/se-signature.bin", signature);
    let (text, signature) = record(desk, "2", "ab");
    desk.write("fleet/b.txt", text);
    desk.write("fleet/b.sig", signature);
    let (text, signature) = record(desk, "3", "ab");
    desk.write("fleet/c.enc", desk.seal(&text, "hyper-protect-basic"));
    desk.write("fleet/c.sig", signature);
    desk.write("fleet/.hidden", "");
    desk.write("contract.yaml", desk.clear());
}

const VERIFY: [&str; 8] = [
    "attestation",
    "verify",
    "--fleet",
    "fleet",
    "--cert",
    "signer.crt",
    "--key",
    "image.key",
];

fn told(desk: &Desk, arguments: &[&str]) -> (i32, String) {
    let ran = desk.hpcr(&[&VERIFY[..], arguments].concat());
    (ran.status, ran.all())
}

#[test]
fn a_fleet_is_good_where_every_record_is() {
    let desk = Desk::new();
    fleet(&desk);
    let (status, text) = told(&desk, &["--contract", "contract.yaml"]);
    assert_eq!(status, 0, "{text}");
    for line in [
        "good a  image abababababab  26.7.1\n",
        "good c  image abababababab  26.7.1\n",
        "fleet: 3 guests, and every record is good and of its contract\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let ran = desk.hpcr(&[&VERIFY[..], &["--format", "json"]].concat());
    let report = ran.json();
    let guests = report["guests"].as_array().unwrap();
    assert_eq!(guests.len(), 3);
    assert!(guests.iter().all(|guest| guest["good"] == true));
    assert_eq!(guests[2]["digests"]["baseimage"], "ab".repeat(32));
    assert_eq!(told(&desk, &["--signature", "x"]).0, 2);
    let sealed = desk.hpcr(&VERIFY[..6]);
    assert!(
        sealed.status == 2 && sealed.err.contains("--key"),
        "{sealed:?}"
    );
}

#[test]
fn a_fleet_of_too_many_folders_is_not_looked_at() {
    let desk = Desk::new();
    for number in 0..4097 {
        fs::create_dir_all(desk.path(&format!("fleet/{number}"))).unwrap();
    }
    let (status, text) = told(&desk, &[]);
    assert!(
        status == 2 && text.contains("4096 guests at most"),
        "{text}"
    );
}

#[test]
fn every_guest_that_is_not_as_it_should_be_is_named() {
    let desk = Desk::new();
    for (change, names, cause) in [
        // Changed, unsigned, twice, shown for another, from another image, not there, not on the list of files.
        ("fleet/b.txt", "b", "the signature does not match"),
        ("fleet/b.sig", "b", "there is no signature of this guest"),
        (
            "fleet/a/se-checksums.txt",
            "a",
            "there is no record of this guest",
        ),
        ("double", "b", "there is more than one record of this guest"),
        (
            "replay",
            "d",
            "a shows the same record: one guest's record is shown for 2",
        ),
        ("image", "b", "it runs another image than 2 of the 3 guests"),
        ("missing", "d", "no record of this guest is there"),
        ("stray", "fleet/notes.md", "this is no file of a guest"),
    ] {
        fleet(&desk);
        let mut arguments = Vec::new();
        match change {
            "fleet/b.txt" => desk.write(change, record(&desk, "9", "ab").0),
            "double" => desk.write("fleet/b.enc", "x"),
            "replay" => {
                desk.write("fleet/d.txt", desk.read("fleet/a/se-checksums.txt"));
                desk.write("fleet/d.sig", desk.read("fleet/a/se-signature.bin"));
            }
            "image" => {
                let (text, signature) = record(&desk, "2", "cd");
                desk.write("fleet/b.txt", text);
                desk.write("fleet/b.sig", signature);
            }
            "missing" => {
                desk.write("guests", "# all\na\nb\nc\nd\n");
                arguments = vec!["--guests", "guests"];
            }
            "stray" => desk.write("fleet/notes.md", ""),
            gone => fs::remove_file(desk.path(gone)).unwrap(),
        }
        let (status, text) = told(&desk, &arguments);
        let is_warning = matches!(change, "image" | "stray");
        assert_eq!(status, i32::from(!is_warning), "{change}: {text}");
        assert!(
            text.contains(cause) && text.contains(&format!("--> {names}\n")),
            "{change}: {text}"
        );
        fs::remove_dir_all(desk.path("fleet")).unwrap();
    }
    fs::create_dir(desk.path("fleet")).unwrap();
    let (status, text) = told(&desk, &[]);
    assert!(status == 1 && text.contains("there is no record"), "{text}");
}

#[test]
fn each_guest_is_compared_with_the_contract_that_it_was_sent() {
    let mut desk = Desk::new();
    fleet(&desk);
    fs::create_dir(desk.path("sent")).unwrap();
    for name in ["a", "b", "c"] {
        desk.write(&format!("sent/{name}.yaml"), desk.clear());
    }
    assert_eq!(told(&desk, &["--contract", "sent"]).0, 0);
    desk.env = desk.env.replace("PASSWORD", "OTHER");
    desk.write("sent/b.yaml", desk.clear());
    fs::remove_file(desk.path("sent/c.yaml")).unwrap();
    desk.write("sent/d.yaml", desk.clear());
    let (status, text) = told(&desk, &["--contract", "sent"]);
    assert_eq!(status, 1);
    for part in [
        "--> b\n  = key: contract:env",
        "bad  b  image abababababab",
        "there is no contract of this guest",
        "no record of this guest is there",
        "the fleet is not as it should be: 3 errors",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
