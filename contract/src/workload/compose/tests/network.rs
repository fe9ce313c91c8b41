#![allow(clippy::unwrap_used)]

use super::*;

fn two(web: &str, db: &str) -> Result<Workload, Vec<Finding>> {
    read_text(&format!(
        "services:\n  web:\n    image: {IMAGE}\n    {web}\n  db:\n    image: {IMAGE}\n    {db}\n"
    ))
}

#[test]
fn a_service_may_share_the_network_namespace_of_another() {
    let groups = |workload: Workload| {
        workload
            .services
            .into_iter()
            .map(|service| (service.name, service.group))
            .collect::<Vec<_>>()
    };
    let own = |name: &str| (name.to_owned(), name.to_owned());
    assert_eq!(groups(two("", "").unwrap()), [own("web"), own("db")]);
    assert_eq!(
        groups(two("network_mode: service:db", "").unwrap()),
        [own("db"), ("web".into(), "db".into())]
    );
    for (web, db, cause) in [
        ("network_mode: service:none", "", "does not exist"),
        ("network_mode: service:web", "", "circle"),
        (
            "network_mode: service:db",
            "network_mode: service:web",
            "circle",
        ),
        ("network_mode: host", "", "this network mode"),
        ("network_mode: none", "", "this network mode"),
        (
            "network_mode: service:db\n    ports: [\"80:80\"]",
            "",
            "cannot publish",
        ),
    ] {
        let findings = two(web, db).unwrap_err();
        assert!(
            findings.iter().any(|finding| finding.cause.contains(cause)),
            "{web}: {}",
            findings[0]
        );
    }
}

#[test]
fn the_default_network_may_be_named_and_nothing_else() {
    for lines in [
        "networks: [default]",
        "networks: {default: }",
        "networks: {default: {}}",
        "networks:",
    ] {
        assert!(service(lines).is_ok(), "{lines}");
    }
    for lines in [
        "networks: [back]",
        "networks: {default: {aliases: [x]}}",
        "networks: [default, back]",
    ] {
        assert!(
            service(lines).unwrap_err()[0]
                .remedy
                .contains("share one network"),
            "{lines}"
        );
    }
    for (top, is_good) in [
        ("networks:", true),
        ("networks: {default: }", true),
        ("networks: {back: }", false),
        ("networks: {default: {driver: bridge}}", false),
    ] {
        let compose = format!("{top}\nservices:\n  web:\n    image: {IMAGE}\n");
        assert_eq!(read_text(&compose).is_ok(), is_good, "{top}");
    }
}

#[test]
fn further_hosts_have_addresses() {
    let hosts = |lines: &str| {
        let hosts = service(lines).unwrap().extra_hosts;
        hosts
            .iter()
            .map(|(name, ip)| format!("{name} {ip}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        hosts("extra_hosts: [\"db:10.0.0.1\", \"v6=[::1]\", \"v6:::2\"]"),
        ["db 10.0.0.1", "v6 ::1", "v6 ::2"]
    );
    assert_eq!(
        hosts("extra_hosts: {db: 10.0.0.1, two: [10.0.0.2, \"::2\"]}"),
        ["db 10.0.0.1", "two 10.0.0.2", "two ::2"]
    );
    assert!(
        service("extra_hosts: [\"db:host-gateway\"]").unwrap_err()[0]
            .cause
            .contains("no host behind")
    );
}

#[test]
fn a_port_of_the_guest_is_published_once() {
    let two = |one: &str, other: &str| {
        two(
            &format!("ports: [\"{one}\"]"),
            &format!("ports: [\"{other}\"]"),
        )
    };
    assert!(two("80:80", "81:80").is_ok());
    assert!(two("80:80", "80:80/udp").is_ok());
    assert!(two("127.0.0.1:80:80", "127.0.0.2:80:80").is_ok());
    assert!(two("80:80", "80:81").is_err());
    assert!(two("0.0.0.0:80:80", "127.0.0.1:80:80").is_err());
    assert!(two("78-82:78-82", "80:80").is_err());
}

#[test]
fn every_port_that_is_published_twice_is_told_where_it_is_published_again() {
    let told = |ports: [&str; 3]| -> Vec<String> {
        let [a, b, c] = ports;
        let text = format!(
            "services:\n  a: {{image: {IMAGE}, ports: [{a}]}}\n  b:\n    image: {IMAGE}\n    ports:\n    - {b}\n  c:\n    image: {IMAGE}\n    ports: [{c}]\n"
        );
        let findings = read_text(&text).unwrap_err();
        let one = |finding: &Finding| {
            let line = finding.place.line.unwrap();
            format!("{line} {} {}", finding.place.path, finding.cause)
        };
        findings.iter().map(one).collect()
    };
    assert_eq!(
        told([
            "\"80:80\", \"443:443\"",
            "\"443:8443\"",
            "\"80:8080\", \"80:81/udp\""
        ]),
        [
            "6 services.b.ports[0] port 443/tcp of the guest is published twice: by a and by b",
            "9 services.c.ports[0] port 80/tcp of the guest is published twice: by a and by c",
        ]
    );
    assert_eq!(
        told(["\"10-20:10-20\"", "\"::1:9:9\"", "\"9-40:9-40\""]),
        [
            "9 services.c.ports[0] port 9/tcp of the guest is published twice: by b at ::1 and by c",
            "9 services.c.ports[0] port 10/tcp of the guest is published twice: by a and by c",
        ]
    );
    assert_eq!(
        told(["\"0.0.0.0:80:80\", \"[::]:80:80\"", "\"2:1\"", "\"3:1\""]),
        [
            "2 services.a.ports[1] port 80/tcp of the guest is published twice: by a at 0.0.0.0 and by a at ::"
        ]
    );
    assert_eq!(
        told(["\"1:1\", \"1:2\"", "\"2:1\"", "\"3:1\""]),
        ["2 services.a.ports[1] port 1/tcp of the guest is published twice: by a and by a"]
    );
}

#[test]
fn no_service_publishes_ports_without_end() {
    let ranges = [
        "\"1-1024:1-1024\"",
        "\"1025-2048:1-1024\"",
        "\"2049-3072:1-1024\"",
        "\"3073-4096:1-1024\"",
    ];
    assert!(service(&format!("ports: [{}]", ranges.join(", "))).is_ok());
    let findings = service(&format!("ports: [{}, \"5000:1\"]", ranges.join(", "))).unwrap_err();
    assert!(findings[0].cause.contains("more than 4096 ports"));
}
