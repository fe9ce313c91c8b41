//! The network configuration of the seed device (specification 1.9): the published subset of netplan's version 2.
//!
//! What is not understood is refused with its place, because a guest that comes up with another network than the one
//! that was written down is worse than one that does not come up. IPv4 only, as published. Nothing here touches a link.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;

use serde::de::IgnoredAny;

use crate::finding::{Finding, Place};
use crate::messages;
use crate::yaml::Document;

mod reader;

/// The most bytes that are read.
const MAX_BYTES: usize = 1 << 20;

/// How a link gets its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// From a server; the MTU may be fixed.
    Dhcp {
        /// Bytes.
        mtu: Option<u32>,
    },
    /// As written.
    Static(Settings),
}

/// Everything of a link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of the largest packet, where it is not the link's own.
    pub mtu: Option<u32>,
    /// Addresses.
    pub addresses: Vec<Network>,
    /// Routes, in order: a gateway has to be reachable before others go through it.
    pub routes: Vec<Route>,
    /// Name servers.
    pub name_servers: Vec<Ipv4Addr>,
    /// Search domains.
    pub search: Vec<String>,
}

/// An address with the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// The address.
    pub address: Ipv4Addr,
    /// 0 to 32.
    pub prefix: u8,
}

impl Network {
    /// `192.0.2.7/24`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        // One spelling: neither a sign nor a nought in front.
        let is_plain = |number: &u8| *number <= 32 && number.to_string() == prefix;
        let prefix = prefix.parse().ok().filter(is_plain)?;
        Some(Self {
            address: address.parse().ok()?,
            prefix,
        })
    }
}

impl Network {
    /// The network that the address lies in.
    #[must_use]
    pub fn masked(self) -> Self {
        let mask = u32::MAX
            .checked_shl(32 - u32::from(self.prefix))
            .unwrap_or_default();
        Self {
            address: (self.address.to_bits() & mask).into(),
            prefix: self.prefix,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A route to a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Where to; `0.0.0.0/0` is everywhere.
    pub to: Network,
    /// Through whom.
    pub via: Ipv4Addr,
    /// What it costs, where that is not the link's own to say; of two ways the cheaper is taken.
    pub metric: Option<u32>,
}

impl Route {
    /// The way to everywhere else.
    pub fn default(via: Ipv4Addr) -> Self {
        Self {
            to: Network {
                address: Ipv4Addr::UNSPECIFIED,
                prefix: 0,
            },
            via,
            metric: None,
        }
    }
}

/// Whether a search domain may stand in `resolv.conf`, where a newline would be a line of its own.
pub fn is_domain(name: &str) -> bool {
    (1..=253).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

/// Reads a configuration as the guest does: links by their kernel name. `file` is what findings call it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(bytes: &[u8], file: &str) -> Result<BTreeMap<String, Link>, Vec<Finding>> {
    reader::read(&document(bytes, file).map_err(|finding| vec![*finding])?)
}

/// What is wrong with a configuration by the published rules, which ask for more than our guest: YAML that is no JSON,
/// below `network`, with `dhcp4` at every link. Links are named as IBM Z names them unless any name will do.
pub fn check(bytes: &[u8], file: &str, any_link: bool) -> Vec<Finding> {
    let document = match document(bytes, file) {
        Ok(document) => document,
        Err(finding) => return vec![*finding],
    };
    let mut findings = reader::read(&document).err().unwrap_or_default();
    if serde_json::from_slice::<IgnoredAny>(bytes).is_ok() {
        findings.push(document.finding(
            "",
            "this is JSON",
            "write it as YAML: the published tools refuse JSON",
        ));
    }
    findings.extend(reader::unpublished(&document, any_link));
    findings
}

fn document(bytes: &[u8], file: &str) -> Result<Document, Box<Finding>> {
    let wrong = |cause: &str, remedy: &str| {
        Box::new(Finding::new(
            messages::NETWORK_FAILED,
            Place::at(file, ""),
            cause,
            remedy,
        ))
    };
    if bytes.len() > MAX_BYTES {
        return Err(wrong(
            "the network configuration is larger than 1 MiB",
            "check that it is the right file",
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| {
        wrong(
            "the network configuration is not UTF-8 text",
            "save it as UTF-8",
        )
    })?;
    Document::parse(text, file, messages::NETWORK_FAILED).map_err(Box::new)
}

#[cfg(test)]
mod tests;
