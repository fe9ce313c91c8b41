//! What netavark's rules leave open, shut: its forward chain accepts by default, so a neighbour on the guest's link that
//! routes to a container's address would reach every port of it. Only the containers themselves, and what was asked
//! for by a published port, may begin a connection to a container. Nothing here opens anything.

use std::path::Path;

use crate::error::ContainerError;
use crate::network::BRIDGE;
use crate::tool;

/// The program that netavark uses too.
const NFT: &str = "/usr/sbin/nft";

/// Loads the rules; a second load replaces the first. To be done before the first container is connected.
pub(crate) async fn shut() -> Result<(), ContainerError> {
    nft("shutting the ports that are not published", &rules()).await
}

/// Takes the rules away, also where there are none.
pub(crate) async fn remove() -> Result<(), ContainerError> {
    nft("taking down the firewall's own rules", REMOVAL).await
}

/// Naming the table first makes it, so that deleting it never fails.
const REMOVAL: &str = "table inet hpcr\ndelete table inet hpcr\n";

/// One transaction: no packet sees the rules half loaded. The priority puts them before netavark's. Pure.
fn rules() -> String {
    format!(
        "{REMOVAL}table inet hpcr {{
    chain forward {{
        type filter hook forward priority -10; policy accept;
        oifname != \"{BRIDGE}\" accept
        iifname \"{BRIDGE}\" accept
        ct state established,related accept
        ct status dnat accept
        drop
    }}
}}
"
    )
}

async fn nft(act: &'static str, text: &str) -> Result<(), ContainerError> {
    let arguments = ["-f".as_ref(), "-".as_ref()];
    let ran = tool::run(Path::new(NFT), &arguments, text.as_bytes()).await;
    ran.map_err(|cause| ContainerError::Service {
        service: "all".into(),
        act,
        cause,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_neither_published_nor_an_answer_is_dropped_last() {
        let rules = rules();
        let chain: Vec<_> = rules
            .lines()
            .skip_while(|line| !line.contains("policy"))
            .skip(1)
            .map(str::trim)
            .take_while(|line| *line != "}")
            .collect();
        assert_eq!(
            chain,
            [
                "oifname != \"hpcr0\" accept",
                "iifname \"hpcr0\" accept",
                "ct state established,related accept",
                "ct status dnat accept",
                "drop"
            ]
        );
        assert!(rules.starts_with(REMOVAL), "a second load must replace");
    }

    /// In namespaces of its own: `guest` routes between a neighbour and a container, and publishes 8080 as its port 80.
    #[tokio::test]
    async fn a_neighbour_reaches_published_ports_only() {
        const SCRIPT: &str = r#"set -e
            mount -t tmpfs none /run; mkdir -p /run/netns
            ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward
            ip link add hpcr0 type bridge; ip addr add 10.89.0.1/24 dev hpcr0; ip link set hpcr0 up
            join() { ip netns add $1; ip link add $2 type veth peer name eth0 netns $1; ip link set $2 up
                ip -n $1 link set lo up; ip -n $1 addr add $3/24 dev eth0; ip -n $1 link set eth0 up; ip -n $1 route add default via $4; }
            join container c0 10.89.0.2 10.89.0.1; ip link set c0 master hpcr0
            join neighbour n0 192.0.2.2 192.0.2.1; ip addr add 192.0.2.1/24 dev n0
            /usr/sbin/nft -f - <<END
            table ip nat { chain pre { type nat hook prerouting priority -100; tcp dport 8080 dnat to 10.89.0.2:80; }; }
END
            listen() { ip netns exec $1 busybox httpd -f -p $2 -h /proc/sys/kernel & echo $! >> /run/pids; }
            trap 'kill $(cat /run/pids)' EXIT
            listen container 80; listen container 81; listen neighbour 82; sleep 0.3
            get() { ip netns exec $1 busybox nc -w 1 ${2%:*} ${2#*:} < /dev/null > /dev/null && echo "$1 $2" || echo "$1 $2 no"; }
            get neighbour 10.89.0.2:81
            cat > /run/rules; /usr/sbin/nft -f /run/rules; /usr/sbin/nft -f /run/rules
            get neighbour 10.89.0.2:80; get neighbour 10.89.0.2:81; get neighbour 192.0.2.1:8080; get container 192.0.2.2:82
            printf 'table inet hpcr\ndelete table inet hpcr\n' | /usr/sbin/nft -f -
            get neighbour 10.89.0.2:81"#;
        let tools = [
            NFT,
            "/usr/bin/busybox",
            "/usr/bin/unshare",
            "/usr/sbin/ip",
            "/bin/sh",
        ];
        let missing = tools.iter().find(|tool| !Path::new(tool).exists());
        if missing.is_some() || !rustix::process::geteuid().is_root() {
            println!("skipped: needs root and {missing:?}");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let (rules_file, seen) = (folder.path().join("rules"), folder.path().join("seen"));
        std::fs::write(&rules_file, rules()).unwrap();
        let script = format!(
            "exec < {} > {}\n{SCRIPT}",
            rules_file.display(),
            seen.display()
        );
        let arguments = ["-mn", "/bin/sh", "-c", &script].map(AsRef::as_ref);
        let ran = tool::run(Path::new("/usr/bin/unshare"), &arguments, b"").await;
        let seen = std::fs::read_to_string(seen).unwrap();
        assert_eq!(ran, Ok(()), "{seen}");
        assert_eq!(
            seen.lines().collect::<Vec<_>>(),
            [
                "neighbour 10.89.0.2:81",
                "neighbour 10.89.0.2:80 no",
                "neighbour 10.89.0.2:81 no",
                "neighbour 192.0.2.1:8080",
                "container 192.0.2.2:82",
                "neighbour 10.89.0.2:81",
            ]
        );
    }
}
