//! What DHCP gives a link, as the settings that the seed device could give it too, and what resolvers read of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hpcr_contract::network::{Network, Route, Settings, is_domain};
use mozim::DhcpV4Lease;

/// The settings of a lease: RFC 2131, RFC 3442 (classless routes replace the router option), RFC 3397.
pub(crate) fn of_lease(lease: &DhcpV4Lease) -> Settings {
    let classless = lease.classless_routes.as_deref().unwrap_or_default();
    let mut routes: Vec<_> = classless
        .iter()
        .map(|route| Route {
            to: Network {
                address: route.destination,
                prefix: route.prefix_length,
            },
            via: route.router,
            metric: None,
        })
        .collect();
    if routes.is_empty() {
        let gateways = lease.gateways.as_deref().unwrap_or_default();
        routes.extend(gateways.first().copied().map(Route::default));
    }
    let search = lease
        .domain_search
        .clone()
        .or_else(|| Some(vec![lease.domain_name.clone()?]));
    Settings {
        // Below what IPv4 asks of every link the server is mistaken (RFC 791).
        mtu: lease.mtu.filter(|mtu| *mtu >= 576).map(u32::from),
        addresses: vec![Network {
            address: lease.yiaddr,
            prefix: lease.prefix_length(),
        }],
        routes,
        name_servers: lease.dns_srvs.clone().unwrap_or_default(),
        search: search
            .unwrap_or_default()
            .into_iter()
            .filter(|name| is_domain(name))
            .collect(),
    }
}

/// The text of `/etc/resolv.conf` for the settings of all links (resolv.conf(5): three servers, six domains).
pub(crate) fn resolv_conf(links: &BTreeMap<String, Settings>) -> String {
    let mut text = String::new();
    for server in links.values().flat_map(|link| &link.name_servers).take(3) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "nameserver {server}");
    }
    let search: Vec<_> = links
        .values()
        .flat_map(|link| &link.search)
        .take(6)
        .map(String::as_str)
        .collect();
    if !search.is_empty() {
        let _ = writeln!(text, "search {}", search.join(" "));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::Ipv4Addr;

    use super::*;
    use mozim::DhcpV4ClasslessRoute;

    fn lease() -> DhcpV4Lease {
        let mut lease = DhcpV4Lease::default();
        lease.yiaddr = Ipv4Addr::new(10, 0, 2, 15);
        lease.subnet_mask = Ipv4Addr::new(255, 255, 255, 0);
        lease.gateways = Some(vec![Ipv4Addr::new(10, 0, 2, 2), Ipv4Addr::new(10, 0, 2, 9)]);
        lease.dns_srvs = Some(vec![Ipv4Addr::new(10, 0, 2, 3)]);
        lease.domain_name = Some("example".to_owned());
        lease.mtu = Some(60);
        lease
    }

    #[test]
    fn a_lease_becomes_settings() {
        let settings = of_lease(&lease());
        assert_eq!(settings.addresses[0].to_string(), "10.0.2.15/24");
        assert_eq!(
            settings.routes,
            [Route::default(Ipv4Addr::new(10, 0, 2, 2))]
        );
        assert_eq!(
            (settings.mtu, settings.search),
            (None, vec!["example".to_owned()])
        );
    }

    #[test]
    fn classless_routes_replace_the_router() {
        let mut lease = lease();
        let via = Ipv4Addr::new(10, 0, 2, 7);
        lease.classless_routes = Some(vec![DhcpV4ClasslessRoute {
            destination: Ipv4Addr::new(192, 0, 2, 0),
            prefix_length: 24,
            router: via,
        }]);
        let to = Network::parse("192.0.2.0/24").unwrap();
        assert_eq!(
            of_lease(&lease).routes,
            [Route {
                to,
                via,
                metric: None
            }]
        );
    }

    #[test]
    fn resolv_conf_holds_no_more_than_resolvers_read_and_no_line_of_a_hostile_server() {
        let mut lease = lease();
        lease.dns_srvs = Some(vec![Ipv4Addr::LOCALHOST; 5]);
        lease.domain_search = Some(vec![
            "a.example".to_owned(),
            "b\nnameserver 192.0.2.66".to_owned(),
        ]);
        let links = BTreeMap::from([("eth0".to_owned(), of_lease(&lease))]);
        assert_eq!(
            resolv_conf(&links),
            format!("{}search a.example\n", "nameserver 127.0.0.1\n".repeat(3))
        );
        assert_eq!(resolv_conf(&BTreeMap::new()), "");
    }
}
