//! The kernel's links, addresses and routes, through rtnetlink. What is set replaces what was; nothing is decided here.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::TryStreamExt as _;
use hpcr_contract::network::{Network, Settings};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType};
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder};

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its number.
    pub(crate) index: u32,
    /// Its name (`eth0`).
    pub(crate) name: String,
    /// Whether it is the loopback link.
    pub(crate) is_loopback: bool,
}

impl Link {
    /// What its routes cost: of two ways to the same place the link of the lower number has the cheaper one, whichever
    /// server answered last.
    fn route_metric(&self) -> u32 {
        FIRST_METRIC.saturating_add(self.index)
    }
}

/// The cost before the link's number is added. Nought would be the kernel's word for no cost at all.
const FIRST_METRIC: u32 = 100;

/// A connection to the kernel. Needs a tokio runtime.
pub(crate) fn connect() -> std::io::Result<Handle> {
    let (connection, handle, _) = rtnetlink::new_connection()?;
    tokio::spawn(connection);
    Ok(handle)
}

/// The loopback link and all Ethernet links, in the order of their numbers.
pub(crate) async fn list(handle: &Handle) -> Result<Vec<Link>, rtnetlink::Error> {
    let messages: Vec<_> = handle.link().get().execute().try_collect().await?;
    let mut links: Vec<_> = messages
        .into_iter()
        .filter_map(|message| {
            let name = message
                .attributes
                .iter()
                .find_map(|attribute| match attribute {
                    LinkAttribute::IfName(name) => Some(name.clone()),
                    _ => None,
                })?;
            let is_loopback = message.header.flags.contains(LinkFlags::Loopback);
            let is_ethernet = message.header.link_layer_type == LinkLayerType::Ether;
            (is_loopback || is_ethernet).then_some(Link {
                index: message.header.index,
                name,
                is_loopback,
            })
        })
        .collect();
    links.sort_by_key(|link| link.index);
    Ok(links)
}

/// Brings a link up.
pub(crate) async fn up(handle: &Handle, link: &Link) -> Result<(), rtnetlink::Error> {
    handle
        .link()
        .set(LinkUnspec::new_with_index(link.index).up().build())
        .execute()
        .await
}

/// Gives a link its settings.
pub(crate) async fn apply(
    handle: &Handle,
    link: &Link,
    settings: &Settings,
) -> Result<(), rtnetlink::Error> {
    if let Some(mtu) = settings.mtu {
        handle
            .link()
            .set(LinkUnspec::new_with_index(link.index).mtu(mtu).build())
            .execute()
            .await?;
    }
    for Network { address, prefix } in &settings.addresses {
        handle
            .address()
            .add(link.index, IpAddr::V4(*address), *prefix)
            .replace()
            .execute()
            .await?;
    }
    for route in &settings.routes {
        let message = RouteMessageBuilder::<Ipv4Addr>::new()
            .destination_prefix(route.to.address, route.to.prefix)
            .output_interface(link.index)
            .priority(route.metric.unwrap_or_else(|| link.route_metric()));
        // A route through nobody is one to the link itself (RFC 3442).
        let message = if route.via.is_unspecified() {
            message
        } else {
            message.gateway(route.via)
        };
        handle
            .route()
            .add(message.build())
            .replace()
            .execute()
            .await?;
    }
    Ok(())
}

/// Takes away addresses that a lease no longer gives; their routes go with them.
pub(crate) async fn remove(
    handle: &Handle,
    link: &Link,
    gone: &[Network],
) -> Result<(), rtnetlink::Error> {
    let messages: Vec<_> = handle
        .address()
        .get()
        .set_link_index_filter(link.index)
        .execute()
        .try_collect()
        .await?;
    for message in messages {
        let is_gone = message.attributes.iter().any(|attribute| {
            use rtnetlink::packet_route::address::AddressAttribute::Local;
            matches!(attribute, Local(IpAddr::V4(address)) if gone.iter().any(|network| network.address == *address))
        });
        if is_gone {
            handle.address().del(message).execute().await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_is_the_one_of_the_first_link() {
        let link = |index| Link {
            index,
            name: format!("eth{index}"),
            is_loopback: false,
        };
        let metrics = [2, 3, 17, u32::MAX].map(|index| link(index).route_metric());
        assert!(
            metrics.is_sorted_by(|one, other| one < other),
            "{metrics:?}"
        );
        assert!(metrics[0] > 0);
    }
}
