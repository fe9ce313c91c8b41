#![allow(clippy::unwrap_used)]

mod parties;

use openssl::hash::MessageDigest;

use super::*;
use parties::*;

fn check(leaf: &Party, between: &[&Party], lists: &[RevocationList]) -> Report {
    let intermediates: Vec<_> = between
        .iter()
        .map(|party| party.certificate.clone())
        .collect();
    Chain {
        leaf: &leaf.certificate,
        intermediates: &intermediates,
        roots: std::slice::from_ref(&ROOT.certificate),
        lists,
    }
    .check(NOW)
    .unwrap()
}

fn causes(report: &Report) -> Vec<&str> {
    report.findings().map(|finding| &*finding.cause).collect()
}

#[test]
fn a_chain_from_leaf_to_root_is_good_in_every_step() {
    let unneeded = Make {
        name: "another",
        extensions: &["ca"],
        ..Make::default()
    }
    .party();
    let lists = [
        list(&BETWEEN, &BETWEEN, -1..1, &[8]),
        list(&ROOT, &ROOT, -1..1, &[]),
        list(&unneeded, &LEAF, -9..-8, &[7]),
    ];
    let report = check(&LEAF, &[&unneeded, &BETWEEN], &lists);
    assert_eq!(causes(&report), Vec::<&str>::new());
    assert!(report.is_good());
    assert_eq!(report.days_left, 100);
    let names: Vec<_> = report.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "key: RSA of 2048 to 8192 bits",
            "dates: CN=leaf is valid now",
            "issuer: CN=between is given",
            "signature: by CN=between",
            "revocation: not on the issuer's list",
            "dates: CN=between is valid now",
            "issuer: CN=root is given",
            "signature: by CN=root",
            "revocation: not on the issuer's list",
            "dates: CN=root is valid now",
            "root: CN=root is trusted",
            "path: every authority may issue what it issued",
        ]
    );
}

#[test]
fn a_certificate_that_may_certify_nobody_is_its_own_root_where_it_is_trusted() {
    let own = Make {
        extensions: &["no certificates"],
        ..Make::default()
    };
    let own = own.party();
    let roots = [own.certificate];
    let [leaf] = &roots;
    let chain = |roots| Chain {
        leaf,
        intermediates: &[],
        roots,
        lists: &[],
    };
    let report = chain(&roots[..]).check(NOW).unwrap();
    assert_eq!(causes(&report), Vec::<&str>::new());
    let report = chain(&[]).check(NOW).unwrap();
    assert_eq!(
        causes(&report),
        ["the chain ends at an authority that was not given as a root"]
    );
}

#[test]
fn what_is_wrong_with_a_chain_is_told_at_its_step() {
    let impostor = between(&["ca"]);
    let foreign = Make {
        name: "between",
        extensions: &["ca"],
        ..Make::default()
    }
    .party();
    let (plain, mute, tight) = (
        between(&[]),
        between(&["ca", "no certificates"]),
        between(&["ca without room"]),
    );
    let under = |issuer| Make {
        issuer: Some(issuer),
        ..Make::default()
    };
    let below = Make {
        name: "below",
        issuer: Some(&tight),
        extensions: &["ca"],
        ..Make::default()
    }
    .party();
    for (leaf, authorities, expected) in [
        (
            &*LEAF,
            vec![],
            "no certificate that was given is of its issuer",
        ),
        (
            &LEAF,
            vec![&impostor],
            "not signed by the authority of this name",
        ),
        (
            &under(&foreign).party(),
            vec![&foreign],
            "was not given as a root",
        ),
        (
            &under(&plain).party(),
            vec![&plain],
            "invalid CA certificate",
        ),
        (&under(&mute).party(), vec![&mute], "invalid CA certificate"),
        (
            &under(&below).party(),
            vec![&below, &tight],
            "path length constraint exceeded",
        ),
        (
            &Make {
                days: -10..-1,
                ..under(&BETWEEN)
            }
            .party(),
            vec![&BETWEEN],
            "has expired",
        ),
        (
            &Make {
                days: 1..2,
                ..under(&BETWEEN)
            }
            .party(),
            vec![&BETWEEN],
            "not valid yet",
        ),
        (
            &Make {
                bits: 1024,
                ..under(&BETWEEN)
            }
            .party(),
            vec![&BETWEEN],
            "shorter than 2048",
        ),
        (
            &Make {
                digest: MessageDigest::sha1(),
                ..under(&BETWEEN)
            }
            .party(),
            vec![&BETWEEN],
            "no longer safe",
        ),
    ] {
        let report = check(leaf, &authorities, &[]);
        assert!(!report.is_good());
        let causes = causes(&report);
        assert!(
            causes.len() == 1 && causes[0].contains(expected),
            "{expected}: {causes:?}"
        );
    }
}

#[test]
fn a_revocation_list_counts_where_its_issuer_signed_it_and_it_is_in_force() {
    for (list, expected) in [
        (list(&BETWEEN, &BETWEEN, -1..1, &[5, 7]), "has been revoked"),
        (
            list(&BETWEEN, &ROOT, -1..1, &[]),
            "not signed by the issuer",
        ),
        (list(&BETWEEN, &BETWEEN, -2..-1, &[]), "not in force"),
        (list(&BETWEEN, &BETWEEN, 1..2, &[]), "not in force"),
    ] {
        let report = check(&LEAF, &[&BETWEEN], &[list]);
        assert!(
            causes(&report)[0].contains(expected),
            "{:?}",
            causes(&report)
        );
    }
}

#[test]
fn authorities_that_certify_each_other_in_a_ring_lead_nowhere() {
    let start = Make {
        name: "two",
        extensions: &["ca"],
        ..Make::default()
    }
    .party();
    let one = Make {
        name: "one",
        issuer: Some(&start),
        extensions: &["ca"],
        ..Make::default()
    }
    .party();
    let two = Make {
        name: "two",
        issuer: Some(&one),
        extensions: &["ca"],
        key: Some(start.key),
        ..Make::default()
    }
    .party();
    let leaf = Make {
        issuer: Some(&two),
        ..Make::default()
    }
    .party();
    let report = check(&leaf, &[&one, &two], &[]);
    assert_eq!(
        causes(&report),
        ["the chain does not end within 8 certificates"]
    );
}

#[test]
fn documents_are_bounded_and_read_in_both_forms() {
    let pem = LEAF.certificate.to_pem().unwrap();
    assert_eq!(Certificate::parse_all(&pem.repeat(3)).unwrap().len(), 3);
    for (bytes, cause) in [
        (pem.repeat(2), "more than one"),
        (pem.repeat(65), "more than 64"),
        (
            b"-----BEGIN PUBLIC KEY-----\n".to_vec(),
            "is no certificate",
        ),
        (b"nothing".to_vec(), "is no certificate"),
        (vec![0; (1 << 20) + 1], "larger than 1 MiB"),
    ] {
        let error = Certificate::parse(&bytes).unwrap_err().to_string();
        assert!(error.contains(cause), "{cause}: {error}");
    }
    assert!(RevocationList::parse(&pem).is_err());
    assert!(RevocationList::parse(&vec![0; (16 << 20) + 1]).is_err());
}
