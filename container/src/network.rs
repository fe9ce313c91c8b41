//! The containers' network: one bridge, one address a group of services, published ports; as netavark's configuration. Pure.
//!
//! Services find each other by their names in `/etc/hosts`: addresses are decided here, so no name server is needed.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use hpcr_contract::plan::{Port, Protocol};
use serde_json::{Value, json};

/// Name of the network, and of its bridge in the guest.
const NAME: &str = "hpcr";
pub(crate) const BRIDGE: &str = "hpcr0";
/// Groups that a /24 can address beside the bridge.
const MOST: usize = 250;

/// A /24 for the containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subnet([u8; 3]);

/// The first /24 of 10.89.0.0/16 (as Podman's) or 172.30.0.0/16 that the guest has no other route into.
/// `routes` is the text of /proc/net/route; the default route does not count. A name server of `resolv_conf` that lies
/// behind the default route is kept clear of, too, as containers ask it.
pub(crate) fn choose_subnet(routes: &str, resolv_conf: &str) -> Option<Subnet> {
    let hex = |text: Option<&str>| {
        text.and_then(|text| u32::from_str_radix(text, 16).ok())
            .map(u32::from_be)
    };
    let servers = resolv_conf
        .lines()
        .filter_map(|line| nameserver(line)?.parse::<Ipv4Addr>().ok())
        .map(|server| (u32::from(server), u32::MAX));
    let taken: Vec<_> = routes
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let destination = hex(fields.next())?;
            let mask = hex(fields.nth(5))?;
            (mask != 0).then_some((destination, mask))
        })
        .chain(servers)
        .collect();
    let candidates = [[10, 89], [172, 30]]
        .into_iter()
        .flat_map(|[a, b]| (0..=255).map(move |c| Subnet([a, b, c])));
    candidates.into_iter().find(|subnet| {
        let own = u32::from(subnet.address(0));
        taken
            .iter()
            .all(|(destination, mask)| own & mask & 0xFFFF_FF00 != destination & mask & 0xFFFF_FF00)
    })
}

impl Subnet {
    fn address(self, host: u8) -> Ipv4Addr {
        let [a, b, c] = self.0;
        Ipv4Addr::new(a, b, c, host)
    }

    /// The address of the group at this place.
    pub(crate) fn of_group(self, index: usize) -> Result<Ipv4Addr, String> {
        let host = u8::try_from(index + 2).ok().filter(|_| index < MOST);
        host.map(|host| self.address(host))
            .ok_or_else(|| format!("there are more than {MOST} groups of services"))
    }
}

/// What netavark reads on its standard input, for setup and teardown alike.
pub(crate) fn configuration<'a>(
    group: &str,
    ports: impl Iterator<Item = &'a Port>,
    address: Ipv4Addr,
    subnet: Subnet,
) -> Value {
    json!({
        "container_id": group,
        "container_name": group,
        "networks": { NAME: { "interface_name": "eth0", "static_ips": [address] } },
        "network_info": { NAME: {
            "name": NAME,
            // Any fixed 64 digits: netavark names chains by the first of them.
            "id": format!("{:0>64}", "1"),
            "driver": "bridge",
            "network_interface": BRIDGE,
            "subnets": [{ "subnet": format!("{}/24", subnet.address(0)), "gateway": subnet.address(1) }],
            "ipv6_enabled": false,
            "internal": false,
            "dns_enabled": false,
            "ipam_options": { "driver": "host-local" },
        } },
        "port_mappings": ports.map(port).collect::<Vec<_>>(),
    })
}

fn port(port: &Port) -> Value {
    json!({
        "host_ip": port.host_ip.map_or_else(String::new, |ip| ip.to_string()),
        "host_port": port.host,
        "container_port": port.container,
        "range": 1,
        "protocol": match port.protocol { Protocol::Tcp => "tcp", Protocol::Udp => "udp" },
    })
}

/// `/etc/hosts` of a container: itself, every service by name, and the names that it asks for itself.
pub(crate) fn hosts(
    hostname: &str,
    own: Ipv4Addr,
    services: &[(String, Ipv4Addr)],
    further: &[(String, IpAddr)],
) -> String {
    let mut text = String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{own} {hostname}");
    for (name, address) in services {
        let _ = writeln!(text, "{address} {name}");
    }
    for (name, address) in further {
        let _ = writeln!(text, "{address} {name}");
    }
    text
}

/// `/etc/resolv.conf` of a container: the guest's, without servers that only the guest itself can reach.
pub(crate) fn resolv_conf(guest: &str) -> String {
    let reachable = |line: &&str| {
        let server = nameserver(line).and_then(|server| server.parse::<IpAddr>().ok());
        !server.is_some_and(|ip| ip.is_loopback())
    };
    guest
        .lines()
        .filter(reachable)
        .fold(String::new(), |text, line| text + line + "\n")
}

/// The server that a line of resolv.conf names.
fn nameserver(line: &str) -> Option<&str> {
    line.strip_prefix("nameserver").map(str::trim)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADER: &str =
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";

    /// As the kernel prints them on a little-endian machine.
    fn route(destination: [u8; 4], mask: [u8; 4]) -> String {
        let hex = |bytes| format!("{:08X}", u32::from_ne_bytes(bytes));
        format!(
            "eth0\t{}\t00000000\t0001\t0\t0\t0\t{}\t0\t0\t0\n",
            hex(destination),
            hex(mask)
        )
    }

    #[test]
    fn the_subnet_keeps_clear_of_the_guests_own_networks() {
        let default = route([0; 4], [0; 4]);
        for (routes, expected) in [
            (String::new(), [10, 89, 0]),
            (
                default.clone() + &route([10, 0, 2, 0], [255, 255, 255, 0]),
                [10, 89, 0],
            ),
            (
                default.clone() + &route([10, 89, 0, 0], [255, 255, 255, 0]),
                [10, 89, 1],
            ),
            (route([10, 89, 0, 128], [255, 255, 255, 128]), [10, 89, 1]),
            (route([10, 0, 0, 0], [255, 0, 0, 0]), [172, 30, 0]),
        ] {
            assert_eq!(
                choose_subnet(&(HEADER.to_owned() + &routes), ""),
                Some(Subnet(expected)),
                "{routes}"
            );
        }
        let both = route([10, 0, 0, 0], [255, 0, 0, 0]) + &route([172, 16, 0, 0], [255, 240, 0, 0]);
        assert_eq!(choose_subnet(&(HEADER.to_owned() + &both), ""), None);
        let servers =
            "search example\nnameserver 10.89.0.53\nnameserver ::1\nnameserver 10.89.2.1\n";
        let routes = HEADER.to_owned() + &route([10, 89, 1, 0], [255, 255, 255, 0]);
        assert_eq!(choose_subnet(&routes, servers), Some(Subnet([10, 89, 3])));
    }

    #[test]
    fn every_group_has_an_address_of_its_own() {
        let subnet = Subnet([10, 89, 0]);
        assert_eq!(subnet.of_group(0).unwrap(), Ipv4Addr::new(10, 89, 0, 2));
        assert_eq!(subnet.of_group(249).unwrap(), Ipv4Addr::new(10, 89, 0, 251));
        assert!(subnet.of_group(250).is_err());
    }

    #[test]
    fn a_container_is_not_told_of_servers_it_cannot_reach() {
        let guest = "nameserver 127.0.0.53\nnameserver ::1\nnameserver 10.0.2.3\nsearch example\n";
        assert_eq!(resolv_conf(guest), "nameserver 10.0.2.3\nsearch example\n");
    }

    #[test]
    fn services_know_each_other_by_name() {
        let web = Ipv4Addr::new(10, 89, 0, 2);
        let text = hosts(
            "www",
            web,
            &[
                ("web".into(), web),
                ("db".into(), Ipv4Addr::new(10, 89, 0, 3)),
            ],
            &[("out".into(), "2001:db8::1".parse().unwrap())],
        );
        assert!(
            text.ends_with("10.89.0.2 www\n10.89.0.2 web\n10.89.0.3 db\n2001:db8::1 out\n"),
            "{text}"
        );
    }
}
