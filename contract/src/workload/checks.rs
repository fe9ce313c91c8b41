//! What is wrong only when all services of a workload are seen together, and what is worth a look in each.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::reader::{Reader, Value};
use crate::plan::{Protocol, Service};

/// Two services cannot have the same port of the guest.
pub(super) fn published_once<'s>(
    reader: &mut Reader<'_>,
    at: &Value<'_>,
    services: impl Iterator<Item = &'s Service>,
) {
    let mut taken: BTreeMap<_, Vec<Option<IpAddr>>> = BTreeMap::new();
    for service in services {
        for port in &service.ports {
            let addresses = taken
                .entry((port.host, port.protocol == Protocol::Udp))
                .or_default();
            let clash = |other: &Option<IpAddr>| {
                *other == port.host_ip
                    || other.is_none_or(|ip| ip.is_unspecified())
                    || port.host_ip.is_none_or(|ip| ip.is_unspecified())
            };
            if addresses.iter().any(clash) {
                let cause = format!(
                    "a port of the guest is published twice, the second time by {}",
                    service.name
                );
                reader.refuse(at, cause, "publish every port of the guest once");
                return;
            }
            addresses.push(port.host_ip);
        }
    }
}

/// A privileged container is honoured, and told.
pub(super) fn privileged(reader: &mut Reader<'_>, at: &Value<'_>, service: &Service) {
    if service.privileged {
        reader.advise(
            at,
            "it has all capabilities and devices of the guest",
            "add the one capability that it needs instead (`cap_add`, `capabilities.add`)",
        );
    }
}
