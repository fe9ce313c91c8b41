#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

#[test]
fn the_published_form_is_read() {
    let text = "network:\n  version: 2\n  ethernets:\n    enc1:\n      dhcp4: false\n      mtu: 1400\n      \
                addresses: [192.0.2.7/24]\n      gateway4: 192.0.2.1\n      routes:\n        - {to: 10.0.0.0/8, via: 192.0.2.9}\n      \
                nameservers: {addresses: [192.0.2.3], search: [a.example]}\n    enc2:\n      dhcp4: true\n";
    let links = parse(text.as_bytes(), "n").unwrap();
    let Link::Static(settings) = &links["enc1"] else {
        panic!("{links:?}")
    };
    assert_eq!(settings.mtu, Some(1400));
    assert_eq!(
        settings.addresses,
        [Network::parse("192.0.2.7/24").unwrap()]
    );
    assert_eq!(
        settings
            .routes
            .iter()
            .map(|route| route.to.prefix)
            .collect::<Vec<_>>(),
        [8, 0]
    );
    assert_eq!(settings.name_servers, [Ipv4Addr::new(192, 0, 2, 3)]);
    assert_eq!(links["enc2"], Link::Dhcp { mtu: None });
    let bare = parse(b"version: 2\nethernets: {eth0: {dhcp4: true}}\n", "n").unwrap();
    assert_eq!(bare["eth0"], Link::Dhcp { mtu: None });
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (link, places) in [
        (
            "{dhcp4: true, addresses: [10.0.0.1/8], gateway4: 10.0.0.2}",
            &["addresses", "gateway4"][..],
        ),
        ("{}", &[""]),
        ("{dhcp4: false}", &[""]),
        ("{dhcp4: false, addresses: []}", &["addresses"]),
        (
            "{dhcp4: false, addresses: [10.0.0.1/8, 10.0.0.1, x]}",
            &["addresses[1]", "addresses[2]"],
        ),
        (
            "{addresses: [10.0.0.1/8], gateway4: x, mtu: 67}",
            &["mtu", "gateway4"],
        ),
        ("{dhcp4: true, mtu: '1500'}", &["mtu"]),
        ("{dhcp4: 'true'}", &["dhcp4"]),
        (
            "{addresses: [0.1.2.3/8, 224.0.0.1/4, 255.255.255.255/8, 10.0.0.1/8, 10.0.0.1/16]}",
            &[
                "addresses[0]",
                "addresses[1]",
                "addresses[2]",
                "addresses[4]",
            ],
        ),
        (
            "{dhcp4: true, dhcp6: true, optional: 1}",
            &["dhcp6", "optional"],
        ),
        (
            "{addresses: [10.0.0.1/024, 10.0.0.1/+8, 010.0.0.1/8]}",
            &["addresses[0]", "addresses[1]", "addresses[2]"],
        ),
        (
            "{addresses: [10.0.0.1/8], routes: [{to: default, via: 10.0.0.2, metric: -1}]}",
            &["routes[0].metric"],
        ),
        (
            "{addresses: [10.0.0.1/8], routes: [{to: x, via: 10.0.0.2}, {to: default}]}",
            &["routes[0].to", "routes[1]"],
        ),
        (
            "{addresses: [10.0.0.1/8], nameservers: {search: [\"a b\"]}}",
            &["nameservers", "nameservers.search[0]"],
        ),
        (
            "{dhcp4: yes, addresses: 10.0.0.1/8, wifi: 1}",
            &["wifi", "addresses", "dhcp4"],
        ),
        ("10.0.0.1/8", &[""]),
    ] {
        let text = format!("network: {{version: 2, ethernets: {{eth0: {link}}}}}");
        let findings = parse(text.as_bytes(), "n").unwrap_err();
        let found: Vec<_> = findings
            .iter()
            .map(|finding| finding.place.path.as_str())
            .collect();
        let below = |place: &&str| {
            if place.is_empty() {
                "network.ethernets.eth0".to_owned()
            } else {
                format!("network.ethernets.eth0.{place}")
            }
        };
        assert_eq!(
            found,
            places.iter().map(below).collect::<Vec<_>>(),
            "{link}"
        );
    }
    for text in [
        "",
        "network: {ethernets: {}}",
        "network: {version: 3, ethernets: {a: {dhcp4: true}}}",
        "network: {renderer: NetworkManager, ethernets: {a: {dhcp4: true}}}",
        "network: {wifis: {}}",
    ] {
        assert!(parse(text.as_bytes(), "n").is_err(), "{text}");
    }
    for (text, cause) in [
        ("", "the file is empty"),
        ("{}", "there are no ethernets"),
        (
            "network: {ethernets: {a: {dhcp4: true, mtu: '9'}}}",
            "the MTU is text",
        ),
    ] {
        let findings = parse(text.as_bytes(), "n").unwrap_err();
        assert!(findings[0].cause.contains(cause), "{}", findings[0]);
    }
}

#[test]
fn what_asks_for_nothing_more_is_taken_and_routes_may_cost() {
    for version in ["1", "2", "2.0"] {
        let text = format!(
            "network: {{version: {version}, renderer: networkd, ethernets: {{enc1: {{dhcp4: false, dhcp6: false, optional: true, mtu: 68, addresses: [10.0.0.1/8], \
             routes: [{{to: 10.0.0.9, via: 10.0.0.2, metric: 5}}, {{to: 192.0.2.7/24, via: 10.0.0.2}}]}}}}}}\n"
        );
        let links = parse(text.as_bytes(), "n").unwrap();
        let Link::Static(settings) = &links["enc1"] else {
            panic!("{links:?}")
        };
        assert_eq!(settings.mtu, Some(68));
        let routes: Vec<_> = settings
            .routes
            .iter()
            .map(|route| (route.to.to_string(), route.metric))
            .collect();
        assert_eq!(
            routes,
            [
                ("10.0.0.9/32".to_owned(), Some(5)),
                ("192.0.2.0/24".to_owned(), None)
            ]
        );
    }
}

#[test]
fn the_published_rules_ask_for_more_than_the_guest() {
    let published = "network:\n  version: 2\n  ethernets:\n    enc1: {dhcp4: true}\n";
    assert_eq!(check(published.as_bytes(), "n", false), []);
    for (text, causes, any) in [
        (published.replace("enc1", "enc"), 1, 0),
        (published.replace("enc1", "eth0"), 1, 0),
        (
            published.replace("dhcp4: true", "addresses: [10.0.0.1/8]"),
            1,
            1,
        ),
        (
            "{\"network\": {\"ethernets\": {\"enc1\": {\"dhcp4\": true}}}}".into(),
            1,
            1,
        ),
        ("ethernets: {enc1: {dhcp4: true}}".into(), 1, 1),
    ] {
        assert!(parse(text.as_bytes(), "n").is_ok(), "{text}");
        assert_eq!(check(text.as_bytes(), "n", false).len(), causes, "{text}");
        assert_eq!(check(text.as_bytes(), "n", true).len(), any, "{text}");
    }
}

proptest! {
    #[test]
    fn hostile_bytes_end_in_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = (parse(&bytes, "n"), check(&bytes, "n", false));
    }
}
