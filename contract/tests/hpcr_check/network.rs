//! `network`.

use crate::desk::Desk;

#[test]
fn a_configuration_is_judged_by_the_published_rules() {
    let desk = Desk::new();
    let fixed = "network:\n  version: 2\n  ethernets:\n    enc1:\n      dhcp4: false\n      addresses:\n        - 192.0.2.7/24\n      \
                 gateway4: 192.0.2.1\n      nameservers:\n        addresses:\n          - 192.0.2.3\n";
    desk.write("network-config", fixed);
    let ran = desk.hpcr(&["network", "network-config"]);
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (0, "network-config: valid\n")
    );
    desk.write("network-config", fixed.replace("enc1", "eth0"));
    assert_eq!(desk.hpcr(&["network", "network-config"]).status, 1);
    assert_eq!(
        desk.hpcr(&["network", "network-config", "--any-link"])
            .status,
        0
    );
    desk.write(
        "network-config",
        fixed
            .replace("192.0.2.7/24", "192.0.2.7")
            .replace("192.0.2.1\n", "none\n"),
    );
    let ran = desk.hpcr(&["network", "network-config"]);
    assert_eq!(ran.status, 1);
    for part in [
        "7 |         - 192.0.2.7\n  |           ^^^^^^^^^\n",
        "8 |       gateway4: none\n",
        "2 errors",
    ] {
        assert!(ran.out.contains(part), "{part}:\n{}", ran.out);
    }
    desk.write(
        "network-config",
        fixed.replace("      gateway4", "      set-name: eth0\n      gateway4"),
    );
    let ran = desk.hpcr(&["network", "network-config"]);
    assert!(
        ran.out
            .contains("8 |       set-name: <hidden>\n  |       ^^^^^^^^\n")
            || ran
                .out
                .contains("8 |       set-name: eth0\n  |       ^^^^^^^^\n"),
        "{ran:?}"
    );
    let ran = desk.hpcr_with(&["network", "-", "--format", "json"], b"{}");
    assert_eq!(
        (ran.status, &ran.json()["file"]),
        (1, &"standard input".into())
    );
}
